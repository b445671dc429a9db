#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Large datagrams for the end-to-end tests, in fragments of the kernel's or of our own making.

fragments.py serve ADDR PORT              answers each datagram with "SENDER " and the datagram itself: on PORT as the
                                          kernel fragments, which is in order, on the next one reversed, on the one
                                          behind that with the last fragment second
fragments.py echo ADDR PORT               the same, on all three as the kernel fragments
fragments.py ask ADDR PORT SIZE COUNT     sends COUNT datagrams of SIZE octets to each of these ports, fragmented
                                          likewise, one after the other; each must be answered from there with its
                                          own content. Prints whom the server saw
fragments.py plain ADDR PORT SIZE COUNT   the same, on PORT alone as the kernel fragments, if its link demands it
fragments.py teardrop ADDR PORT           sends datagrams of which the second fragment is fine, and the third is not;
                                          prints how many. Then sends a whole one, which must be answered
fragments.py race ADDR PORT COUNT         the first fragment from one CPU, the others from another, at once
"""
import os
import selectors
import socket
import struct
import sys

TIMEOUT = 5  # seconds without an answer: it is lost
STEP = 1432  # octets of a fragment, a multiple of 8
IP_MTU_DISCOVER, IP_PMTUDISC_DONT = 10, 0  # linux/in.h: no DF, whoever is on the way may fragment
HOWS = ("kernel", "reversed", "first-last")


def family_of(addr):
    return socket.AF_INET6 if ":" in addr else socket.AF_INET


def udp_socket(addr):
    sock = socket.socket(family_of(addr), socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
    return sock


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Path:
    """From one socket address to another, for datagrams in fragments of our own making."""

    def __init__(self, source, dest):
        self.family = family_of(dest[0])
        self.source, self.dest = source, dest
        self.addrs = [socket.inet_pton(self.family, end[0]) for end in (source, dest)]
        self.raw = socket.socket(self.family, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.number = int.from_bytes(os.urandom(2), "big") >> 1

    def datagram(self, payload):
        length = 8 + len(payload)
        header = struct.pack("!4H", self.source[1], self.dest[1], length, 0)
        pseudo = self.addrs[0] + self.addrs[1] + struct.pack("!2I", length, socket.IPPROTO_UDP)
        return header[:6] + struct.pack("!H", checksum(pseudo + header + payload) or 0xFFFF) + payload

    def fragment(self, offset, data, more):
        if self.family == socket.AF_INET:
            return struct.pack("!2B3H2BH", 0x45, 0, 20 + len(data), self.number, offset // 8 | (0x2000 if more else 0),
                               64, socket.IPPROTO_UDP, 0) + self.addrs[0] + self.addrs[1] + data
        return (struct.pack("!IH2B", 6 << 28, 8 + len(data), socket.IPPROTO_FRAGMENT, 64) + self.addrs[0]
                + self.addrs[1] + struct.pack("!2BHI", socket.IPPROTO_UDP, 0, offset | more, self.number) + data)

    def fragments(self, payload):
        data = self.datagram(payload)
        self.number = (self.number + 1) % 0xFFFF or 1
        return [self.fragment(at, data[at:at + STEP], at + STEP < len(data)) for at in range(0, len(data), STEP)]

    def transmit(self, packets):
        for packet in packets:
            self.raw.sendto(packet, (self.dest[0], 0))

    def send(self, payload, how):
        packets = self.fragments(payload)
        if how == "reversed":
            packets.reverse()
        elif how == "first-last":
            packets.insert(1, packets.pop())
        self.transmit(packets)


def serve(addr, port, hows):
    selector, paths = selectors.DefaultSelector(), {}
    for i, how in enumerate(hows):
        sock = udp_socket(addr)
        sock.bind((addr, port + i))
        selector.register(sock, selectors.EVENT_READ, (how, port + i))
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            how, own = key.data
            data, sender = key.fileobj.recvfrom(65536)
            answer = f"{sender[0]} ".encode() + data
            if how == "kernel":
                key.fileobj.sendto(answer, sender)
            else:
                path = paths.setdefault((own, sender), Path((addr, own), sender[:2]))
                path.send(answer, how)


def connect(addr, port):
    sock = udp_socket(addr)
    sock.connect((addr, port))  # an answer from elsewhere does not count
    sock.settimeout(TIMEOUT)
    return sock, Path(sock.getsockname()[:2], (addr, port))


def expect(sock, data, what):
    sender, echoed = sock.recv(65536).split(b" ", 1)
    if echoed != data:
        sys.exit(f"fragments.py: {what} came back changed")
    return sender.decode()


def ask(addr, port, size, count, hows=HOWS):
    seen = set()
    for i, how in enumerate(hows):
        sock, path = connect(addr, port + i)
        for n in range(count):
            data = os.urandom(size)
            if how == "kernel":
                sock.send(data)
            else:
                path.send(data, how)
            seen.add(expect(sock, data, f"datagram {n}, {how},"))
    if len(seen) != 1:
        sys.exit(f"fragments.py: the server saw several senders: {sorted(seen)}")
    print(seen.pop())


def teardrop(addr, port):
    sock, path = connect(addr, port)
    overlaps = [(0, 392), (8, 16), (392, 16), (400, 392), (792, 16), (792, 408), (0, 800), (208, 400), (24, 4)]
    for offset, length in overlaps:
        data = path.datagram(os.urandom(1200 - 8))
        path.number += 1
        path.transmit([path.fragment(0, data[:400], True), path.fragment(400, data[400:800], True),
                       path.fragment(offset, data[offset:offset + length], length % 8 == 0),
                       path.fragment(800, data[800:], False)])
    sock.send(b"whole")
    expect(sock, b"whole", "the datagram behind them")
    print(len(overlaps))


def race(addr, port, count):
    """A child has the fragments but the first, and sends them when it is told to; then both hurry."""
    sock, path = connect(addr, port)
    cpus = sorted(os.sched_getaffinity(0))
    datagrams = [os.urandom(8000) for _ in range(count)]
    packets = [path.fragments(data) for data in datagrams]
    to_child, from_parent = os.pipe()
    if os.fork() == 0:
        os.sched_setaffinity(0, {cpus[-1]})
        for fragments in packets:
            os.read(to_child, 1)
            path.transmit(fragments[1:])
        os._exit(0)
    os.sched_setaffinity(0, {cpus[0]})
    for i, (data, fragments) in enumerate(zip(datagrams, packets)):
        os.write(from_parent, b"x")
        for _ in range(8 * os.urandom(1)[0]):
            pass
        path.transmit(fragments[:1])
        expect(sock, data, f"datagram {i}")
    os.wait()


def main(argv):
    if argv[1:2] == ["serve"]:
        serve(argv[2], int(argv[3]), HOWS)
    elif argv[1:2] == ["echo"]:
        serve(argv[2], int(argv[3]), ("kernel",) * len(HOWS))
    elif argv[1:2] == ["ask"]:
        ask(argv[2], int(argv[3]), int(argv[4]), int(argv[5]))
    elif argv[1:2] == ["plain"]:
        ask(argv[2], int(argv[3]), int(argv[4]), int(argv[5]), HOWS[:1])
    elif argv[1:2] == ["teardrop"]:
        teardrop(argv[2], int(argv[3]))
    elif argv[1:2] == ["race"]:
        race(argv[2], int(argv[3]), int(argv[4]))
    else:
        sys.exit(__doc__)


main(sys.argv)
