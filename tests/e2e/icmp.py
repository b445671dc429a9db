#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Datagrams that somebody complains about, for the end-to-end tests.

icmp.py provoke ADDR PORT [ttl=N] [size=N] [df]
        sends a datagram from a connected socket and waits for the ICMP error; prints
        "ERRNO TYPE CODE OFFENDER INFO PATH-MTU", for example "EMSGSIZE 3 4 198.51.100.1 1280 1280"
icmp.py send ADDR PORT          sends a datagram, and nobody listens any more where it came from
icmp.py answer ADDR PORT FIFO [ttl=N] [size=N] [df]
        prints "ready"; answers the first datagram when something was written to FIFO, and prints the ICMP error
        about the answer; does not end
"""
import errno
import os
import select
import signal
import socket
import struct
import sys

TIMEOUT = 20  # seconds without an error: there is none
IP_RECVERR, IP_MTU_DISCOVER, IP_MTU, PMTUDISC_DO = 11, 10, 14, 2
IPV6_RECVERR, IPV6_MTU_DISCOVER, IPV6_MTU = 25, 23, 24


class Socket:
    """A datagram socket that asks to be told everything."""

    def __init__(self, addr, options):
        self.v6 = ":" in addr
        self.size = int(options.get("size", 10))
        self.sock = socket.socket(socket.AF_INET6 if self.v6 else socket.AF_INET, socket.SOCK_DGRAM)
        self.set(IP_RECVERR, IPV6_RECVERR, 1)
        if "ttl" in options:
            self.set(socket.IP_TTL, socket.IPV6_UNICAST_HOPS, int(options["ttl"]))
        if "df" in options:
            self.set(IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, PMTUDISC_DO)

    def level(self):
        return socket.IPPROTO_IPV6 if self.v6 else socket.IPPROTO_IP

    def set(self, v4, v6, value):
        self.sock.setsockopt(self.level(), v6 if self.v6 else v4, value)

    def path_mtu(self):
        return self.sock.getsockopt(self.level(), IPV6_MTU if self.v6 else IP_MTU)

    def error(self):
        """Waits for an ICMP error: errno, type, code, who sent it, info."""
        poll = select.poll()
        poll.register(self.sock, 0)
        if not poll.poll(TIMEOUT * 1000):
            sys.exit("icmp.py: no error came")
        seen = self.refusal()
        _, ancillary, _, _ = self.sock.recvmsg(2048, 512, socket.MSG_ERRQUEUE)
        for _, kind, data in ancillary:
            if kind in (IP_RECVERR, IPV6_RECVERR):
                number, _, icmp_type, code, _, info, _ = struct.unpack("=IBBBBII", data[:16])
                family = self.sock.family
                offender = socket.inet_ntop(family, data[24:40] if self.v6 else data[20:24])
                if seen != number:
                    sys.exit(f"icmp.py: recv() says {seen}, but the error was {number}")
                return f"{errno.errorcode[number]} {icmp_type} {code} {offender} {info}"
        sys.exit("icmp.py: an error without its cause")

    def refusal(self):
        """What an application sees that knows nothing of error queues."""
        try:
            self.sock.recv(2048, socket.MSG_DONTWAIT)
        except OSError as e:
            return e.errno
        return 0


def provoke(addr, port, options):
    s = Socket(addr, options)
    s.sock.connect((addr, port))
    s.sock.send(os.urandom(s.size))
    print(s.error(), s.path_mtu())


def answer(addr, port, fifo, options):
    s = Socket(addr, options)
    s.sock.bind((addr, port))
    print("ready", flush=True)
    _, sender = s.sock.recvfrom(2048)
    with open(fifo, encoding="ascii") as f:
        f.read()
    s.sock.connect(sender)
    s.sock.send(os.urandom(s.size))
    print(s.error(), s.path_mtu(), flush=True)
    signal.pause()


def main(argv):
    options = dict(word.partition("=")[::2] for word in argv[4:])
    if argv[1:2] == ["provoke"]:
        provoke(argv[2], int(argv[3]), options)
    elif argv[1:2] == ["send"]:
        Socket(argv[2], {}).sock.sendto(b"here I was", (argv[2], int(argv[3])))
    elif argv[1:2] == ["answer"]:
        answer(argv[2], int(argv[3]), argv[4], options)
    else:
        sys.exit(__doc__)


main(sys.argv)
