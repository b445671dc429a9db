# SPDX-License-Identifier: GPL-2.0-only
"""Both ends of a forwarded connection, in one hand: what happens is said line by line, and in that order."""
import dataclasses
import json
import os
import select
import socket
import struct

from wire import TIMEOUT, command, socket_in

TCP = socket.IPPROTO_TCP
TCP_REPAIR = 19
OPT_TIMESTAMPS, OPT_SACK, OPT_WSCALE, OPT_ECN, OPT_SYN_DATA = 1, 2, 4, 8, 32  # tcpi_options
BULK = bytes(range(251)) * 1200  # 300 KB; 251 is prime, so that nothing is where it was in the block before


@dataclasses.dataclass
class Rule:
    """One of the caller's rules, and how to get at its two ends."""

    name: str
    listen: tuple
    target: tuple
    seen: str

    @property
    def family(self):
        return socket.AF_INET6 if ":" in self.listen[0] else socket.AF_INET

    def client(self, port=0, kind=socket.SOCK_STREAM):
        sock = socket_in("client", self.family, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", port))
        return sock

    def at_target(self, kind=socket.SOCK_STREAM):
        sock = socket_in("server", self.family, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(self.target)
        return sock

    def listener(self, buffer=0):
        sock = self.at_target()
        if buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.listen(16)
        return sock

    def call(self, listener, client=None):
        """A connection, both ends of it."""
        client = client or self.client()
        client.connect(self.listen)
        return client, self.answer(listener)

    def answer(self, listener):
        target, peer = listener.accept()
        target.settimeout(TIMEOUT)
        same("whom the target sees", peer[0], self.seen)
        return target

    def flows(self):
        """How many flows it has made so far."""
        rules = json.loads(command("nsenter", "--net=/run/netns/router", os.environ["XDPFWD"], "map", "list", "--json"))
        return next(r["counters"]["flows_created"] for r in rules if r["name"] == self.name)


# ---- what tests say


def same(what, got, want):
    if got != want:
        raise AssertionError(f"{what}: {got!r}, not {want!r}")


def true(what, condition):
    if not condition:
        raise AssertionError(what)


def fails(error, call, *args):
    try:
        result = call(*args)
    except error:
        return
    raise AssertionError(f"{call.__name__} gave {result!r}, not {error.__name__}")


def whole(sock, count):
    """Exactly so many octets."""
    data = b""
    while len(data) < count and (part := sock.recv(count - len(data))):
        data += part
    same("octets before the end", len(data), count)
    return data


def said(source, sink, data=b"and so on"):
    """It arrives; in lockstep, so that it is a segment of its own."""
    source.sendall(data)
    same("received", whole(sink, len(data)), data)


def both_say(a, b):
    said(a, b, b"there")
    said(b, a, b"and back")


def pump(source, sink, data=BULK, until_end=False):
    """More than the buffers hold: sends and receives at the same time."""
    sent, got = 0, bytearray()
    source.setblocking(False)
    while len(got) < len(data):
        ready, room, _ = select.select([sink], [source] if sent < len(data) else [], [], TIMEOUT)
        true(f"stuck after {len(got)} octets", ready or room)
        if room:
            sent += source.send(data[sent : sent + 65536])
        if ready:
            part = sink.recv(1 << 20)
            true(f"ended after {len(got)} octets", part)
            got += part
    source.settimeout(TIMEOUT)
    true("changed on the way", bytes(got) == data)
    if until_end:
        source.close()
        same("after the end", sink.recv(1), b"")


def end(*connection):
    for sock in connection:
        sock.close()


def abort(sock):
    """RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def vanish(sock):
    """As a machine that loses its power: not a word to the other side."""
    sock.setsockopt(TCP, TCP_REPAIR, 1)
    sock.close()


def options(sock):
    """Negotiated options, our window scale, theirs."""
    info = sock.getsockopt(TCP, socket.TCP_INFO, 8)
    return info[5], info[6] >> 4, info[6] & 15
