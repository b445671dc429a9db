# SPDX-License-Identifier: GPL-2.0-only
"""What tcp_details.py tries with connections that stand, and with datagrams."""
import json
import os
import select
import socket
import struct

from tcp_ends import BULK, OPT_ECN, OPT_SACK, OPT_TIMESTAMPS, OPT_WSCALE, TCP
from tcp_ends import both_say, end, fails, options, pump, said, same, true, whole
from wire import ACK, CWR, ECE, FIN, PSH, SYN, TIMEOUT, URG, Wire, command, ones_sum

SO_NO_CHECK, UDP_NO_CHECK6_TX, UDP_NO_CHECK6_RX = 11, 101, 102
STATE = os.environ.get("XDPFWD_STATE", "/sys/fs/bpf/xdpfwd")


def keepalive(rule):
    """Probes and what answers them pass both ways; after a pause, with the next hop looked up anew, it goes on."""
    with rule.listener() as listener, Wire("client", rule.listen) as here, Wire("server", rule.target) as there:
        client, target = rule.call(listener)
        both_say(client, target)
        for sock in (client, target):
            for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 9)):
                sock.setsockopt(TCP, option, value)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for data, sender, receiver in ((b"there", here, there), (b"and back", there, here)):
            said_as = sender.first("data", lambda p, data=data: p.outgoing and p.payload == data)
            after = (said_as.seq + len(data)) & 0xFFFFFFFF
            before = (after - 1) & 0xFFFFFFFF  # a probe repeats the last octet's number (RFC 9293, 3.8.4)
            probe = sender.first("probe", lambda p: p.outgoing and p.seq == before)
            got = receiver.first("probe", lambda p: not p.outgoing and p.seq == before)
            same("probe, as it arrives", got.kept, probe.kept)
            place = sender.seen.index(probe)
            sender.first("answer", lambda p: not p.outgoing and p.ack == after and p in sender.seen[place:])
        both_say(client, target)
        end(client, target)


def patience(rule):
    """Idle for all but a minute of what RFC 5382, REQ-5, asks, and on; for longer, and the client hears of it."""
    hz, timeout = clock()
    flows = rule.flows()
    with rule.listener() as listener, Wire("client", rule.listen) as wire:
        client, target = rule.call(listener)
        both_say(client, target)
        for first, other in ((client, target), (target, client)):
            settled(wire)
            age(client, timeout - 60 * hz)
            said(first, other)
            said(other, first)
        same("flows", rule.flows() - flows, 1)
        settled(wire)
        age(client, timeout)
        client.sendall(b"still there?")
        if rule.seen == client.getsockname()[0]:
            # Nothing but the flow's addresses is needed to find it again.
            same("received", whole(target, 12), b"still there?")
            both_say(client, target)
        else:
            fails(ConnectionResetError, client.recv, 1)
        same("flows", rule.flows() - flows, 2)
        end(client, target)


def single_octets(rule):
    """The smallest segments, one at a time and many."""
    with rule.listener() as listener:
        client, target = rule.call(listener)
        for sock in (client, target):
            sock.setsockopt(TCP, socket.TCP_NODELAY, 1)
        for octet in range(100):
            said(client, target, bytes([octet]))
            said(target, client, bytes([255 - octet]))
        for source, sink in ((client, target), (target, client)):
            for octet in BULK[:1000]:
                source.send(bytes([octet]))
            same("received", whole(sink, 1000), BULK[:1000])
        end(client, target)


def urgent(rule):
    with rule.listener() as listener:
        client, target = rule.call(listener)
        for source, sink in ((client, target), (target, client)):
            both_say(source, sink)
            source.sendall(b"before")
            source.send(b"!", socket.MSG_OOB)
            true("urgent data arrives", select.select([], [], [sink], TIMEOUT)[2])
            same("urgent octet", sink.recv(1, socket.MSG_OOB), b"!")
            same("received", whole(sink, 6), b"before")
            both_say(source, sink)
        end(client, target)


def window(rule):
    """One side does not read: its window closes, is probed, and opens again."""
    with rule.listener(buffer=4096) as listener, rule.client() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client, target = rule.call(listener, caller)
        both_say(client, target)
        for source, sink, wire in (
            (client, target, Wire("server", rule.target)),
            (target, client, Wire("client", rule.listen)),
        ):
            source.setblocking(False)
            sent = source.send(BULK)
            source.settimeout(TIMEOUT)
            closed = wire.until("closed window", lambda p: p.outgoing and p.window == 0)
            wire.until("probe", lambda p: not p.outgoing and not p.payload and p.seq == (closed.ack - 1) & 0xFFFFFFFF)
            wire.until("answer", lambda p: p.outgoing and p.window == 0 and p.ack == closed.ack)
            true("received something else", whole(sink, sent) == BULK[:sent])
            both_say(source, sink)
            wire.close()
        end(client, target)


def unchanged(rule):
    """All of both headers but what a forwarder is there to change: the client's wire and the target's say the same."""
    client_wire, target_wire = Wire("client", rule.listen), Wire("server", rule.target)
    with rule.listener() as listener:
        client, target = rule.call(listener)
        for sock in (client, target):
            sock.setsockopt(TCP, socket.TCP_NODELAY, 1)
        level, name = (
            (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)
            if rule.family == socket.AF_INET6
            else (socket.IPPROTO_IP, socket.IP_TOS)
        )
        client.setsockopt(level, name, 0xB8)
        target.setsockopt(level, name, 0x28)
        for _ in range(5):
            both_say(client, target)
        for source, sink in ((client, target), (target, client)):
            source.send(b"!", socket.MSG_OOB)
            true("urgent data arrives", select.select([], [], [sink], TIMEOUT)[2])
            both_say(source, sink)
        negotiated = options(client), options(target)
        client.close()
        same("end", target.recv(1), b"")
        target.close()
        for wire in (client_wire, target_wire):
            wire.until("last ACK", lambda p: sum(bool(q.flags & FIN) for q in wire.seen) == 2 and not p.flags & FIN)

    want = OPT_TIMESTAMPS | OPT_SACK | OPT_WSCALE | OPT_ECN
    same("options", [n[0] & want for n in negotiated], [want, want])
    same("window scales", negotiated[0][1:], negotiated[1][:0:-1])
    for outgoing in (True, False):
        here = [p for p in client_wire.so_far() if p.outgoing == outgoing]
        there = [p for p in target_wire.so_far() if p.outgoing != outgoing]
        same("number of packets", len(there), len(here))
        for number, (after, before) in enumerate(zip(there, here), 1):
            same(f"packet {number}", after.kept, before.kept)
        hops = 1 if outgoing else -1
        same("hop counts", {h.ttl - t.ttl for h, t in zip(here, there)}, {hops})
        flags = 0
        for packet in here:
            flags |= packet.flags
        need = SYN | ACK | PSH | FIN | URG | (CWR if outgoing else ECE)
        same("flags that were seen", flags & need, need)
    # The caller marks what the client sends as having met congestion, as a router does.
    true("no congestion experienced", any(not p.outgoing and p.tos == 0xBB for p in target_wire.seen))


def udp_sums(rule):
    """No checksum stays none; a checksum of zero is written as 0xffff (RFC 768, RFC 6935)."""
    client, target = rule.client(kind=socket.SOCK_DGRAM), rule.at_target(socket.SOCK_DGRAM)
    client_wire, target_wire = Wire("client", rule.listen), Wire("server", rule.target)
    client.connect(rule.listen)
    client.send(b"hello")
    hello = target_wire.until("datagram", lambda p: not p.outgoing)
    same("whom the target sees", hello.source[0], rule.seen)
    same("received", target.recv(9), b"hello")
    target.connect(hello.source)
    ways = (
        (client, target, target_wire, hello.source, rule.target),
        (target, client, client_wire, rule.listen, client.getsockname()),
    )
    for source, sink, wire, sender, receiver in ways:
        data = sums_to_zero(rule.family, sender, receiver)
        source.send(data)
        got = wire.until("datagram", lambda p: not p.outgoing and p.payload == data)
        same("checksum", got.sum, 0xFFFF)
        same("received", sink.recv(9), data)
    for sock in (client, target):
        if rule.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_TX, 1)
            sock.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_RX, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
    for source, sink, wire, _, _ in ways:
        source.send(b"unsummed")
        got = wire.until("datagram", lambda p: not p.outgoing and p.payload == b"unsummed")
        same("checksum", got.sum, 0)
        same("received", sink.recv(9), b"unsummed")
    end(client, target, client_wire, target_wire)


def sums_to_zero(family, sender, receiver):
    """A datagram's payload with which its checksum is zero when it arrives."""
    addresses = b"".join(socket.inet_pton(family, end[0]) for end in (sender, receiver))
    rest = struct.pack("!HHHHHH", sender[1], receiver[1], 12, 12, socket.IPPROTO_UDP, 0x7465)
    return struct.pack("!HH", 0xFFFF - ones_sum(addresses + rest), 0x7465)


def muddled(rule):
    """Segments overtake each other and come twice, both ways."""
    with rule.listener() as listener:
        client, target = rule.call(listener)
        both_say(client, target)
        pump(client, target)
        pump(target, client, until_end=True)
        end(client)


# ---- flows that have aged


def settled(wire):
    """An ACK may take its time; when it is there, nothing more will come by itself."""
    last = [packet for packet in wire.so_far() if packet.payload][-1]
    after = (last.seq + len(last.payload)) & 0xFFFFFFFF
    wire.first("ACK", lambda p: p.outgoing != last.outgoing and p.ack == after)


def clock():
    """Jiffies a second, and for how many an established connection may be idle (struct xf_config)."""
    value = dump("config")[0][1]
    return struct.unpack_from("I", value, 8)[0], struct.unpack_from("4I", value, 32)[3]


def dump(name):
    entries = json.loads(command("bpftool", "-j", "map", "dump", "pinned", f"{STATE}/{name}"))
    return [tuple(bytes(int(octet, 16) for octet in entry[part]) for part in ("key", "value")) for entry in entries]


def hexes(octets):
    return [f"{octet:#04x}" for octet in octets]


def lookup(name, key):
    entry = json.loads(command("bpftool", "-j", "map", "lookup", "pinned", f"{STATE}/{name}", "key", *hexes(key)))
    return bytes(int(octet, 16) for octet in entry["value"])


def age(client, jiffies):
    """Makes both halves of the client's flow look as if nothing had come by for so long."""
    ports, family, last_seen = 8, 13, 52  # in struct xf_flow
    want = struct.pack("!HH", client.getsockname()[1], client.getpeername()[1])
    used = struct.unpack_from("I", lookup("cursor", struct.pack("I", 0)))[0]
    halves = [lookup("flows", struct.pack("I", half)) for half in range(2 * used)]
    found = [half for half, value in enumerate(halves) if value[family] and value[ports : ports + 4] == want]
    same("flows of this client", len(found), 1)
    place = found[0]
    for half in (place & ~1, place | 1):
        key = struct.pack("I", half)
        value = lookup("flows", key)
        seen = struct.unpack_from("I", value, last_seen)[0] - jiffies
        value = value[:last_seen] + struct.pack("I", seen & 0xFFFFFFFF) + value[last_seen + 4 :]
        command("bpftool", "map", "update", "pinned", f"{STATE}/flows", "key", *hexes(key), "value", *hexes(value))
