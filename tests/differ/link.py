# SPDX-License-Identifier: GPL-2.0-only
"""The ends of the cables: sends frames to a router and collects what comes out of it, without guessing how long."""
import ctypes
import errno
import os
import select
import socket
import struct

import rules
from wire import ICMP6, UDP, Packet, addr

SIDES = ("client", "server")
MACS = {  # by side: the router's address there, and the host's
    "client": (bytes.fromhex("020000000101"), bytes.fromhex("020000000102")),
    "server": (bytes.fromhex("020000000201"), bytes.fromhex("020000000202")),
}
MARK = b"marker of the differential test "
DISCARD = 9  # the marker's ports, of no rule
EVENT_TIMEOUT = 20  # seconds; only a router that is stuck gets there
ETH_P_ALL = 3
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
libc = ctypes.CDLL(None, use_errno=True)


def in_namespace(name, make):
    """What make() returns in that network namespace; it stays what it is there."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        if libc.setns(there, 0):
            raise OSError(ctypes.get_errno(), f"setns {name}")
        return make()
    finally:
        if libc.setns(home, 0):
            os._exit(2)
        os.close(home)
        os.close(there)


def raw_socket():
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.bind(("eth0", ETH_P_ALL))
    s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    s.setblocking(False)
    return s


class StuckRouter(Exception):
    pass


class Router:
    """One of the twins. Its namespaces are client, router and server with this suffix."""

    def __init__(self, suffix):
        self.name = "router" + suffix
        self.sockets = {side: in_namespace(side + suffix, raw_socket) for side in SIDES}
        self.statistics = in_namespace(self.name, lambda: open("/proc/self/net/stat/nf_conntrack", "rb", buffering=0))
        self.marks = 0
        self.poll = select.poll()
        for s in self.sockets.values():
            self.poll.register(s, select.POLLIN)
        self.exchange("client", [])

    def invalid(self):
        """How many packets its connection tracking called invalid so far."""
        self.statistics.seek(0)
        header, *cpus = self.statistics.read().decode().splitlines()
        column = header.split().index("invalid")
        return sum(int(cpu.split()[column], 16) for cpu in cpus)

    def send(self, side, frame):
        try:
            self.sockets[side].send(frame)
        except OSError as e:
            # The cable does not carry it, since its other end is narrower.
            if e.errno not in (errno.ENOBUFS, errno.EMSGSIZE):
                raise

    def mark(self, side):
        """Sends a marker from this side, and returns what it will begin with on the other."""
        self.marks += 1
        there = "server" if side == "client" else "client"
        host = {"client": addr(rules.CLIENT[4]), "server": addr(rules.SERVER[4])}
        payload = MARK + struct.pack("!I", self.marks)
        packet = Packet(host[side], host[there], UDP, DISCARD, DISCARD, payload)
        self.send(side, packet.build(MACS[side]))
        return there, payload

    def collect(self, until, out):
        """Appends what comes out to `out` until the marker does."""
        side, payload = until
        while True:
            for at, s in self.sockets.items():
                for frame in drain(s):
                    if at == side and frame.endswith(payload):
                        return
                    if not is_noise(frame):
                        out.append((at, frame))
            if not self.poll.poll(EVENT_TIMEOUT * 1000):
                raise StuckRouter(f"{self.name}: no marker came out at the {side}")

    def exchange(self, side, frames):
        """Sends the frames from that side; returns all that comes out, as (side, frame).

        Everything runs on one CPU and every queue on the way is a FIFO, so that a marker that has come
        out tells that all before it has; one in each direction, since an answer may take the way back.
        """
        out = []
        for frame in frames:
            self.send(side, frame)
        for start in SIDES:
            self.collect(self.mark(start), out)
        return out


def drain(s):
    while True:
        try:
            yield s.recv(1 << 16)
        except BlockingIOError:
            return


def is_noise(frame):
    """What a router says by itself: to a multicast group, ARP, and redirects (Linux limits their rate)."""
    is_redirect = frame[12:14] == b"\x86\xdd" and frame[20] == ICMP6 and frame[54:55] == b"\x89"
    return frame[0] & 1 or frame[12:14] == b"\x08\x06" or is_redirect
