#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""UDP for the end-to-end tests.

udp.py serve ADDR PORT...       answers each datagram with "SENDER PORT-IT-CAME-TO " and the datagram itself
udp.py ask ADDR PORT COUNT [SOURCE-PORT]
                                sends COUNT datagrams of several sizes, one after the other, from one socket;
                                each must be answered by ADDR:PORT with its own content. Prints once what the
                                server put in front, fails if that changed in between.
udp.py spray ADDR PORT COUNT FIRST-SOURCE
                                sends a datagram from each of COUNT addresses, which must be routed to lo
"""
import ipaddress
import os
import selectors
import socket
import sys

SO_RCVBUFFORCE = 33  # asm-generic/socket.h; the socket module does not have it either
RECEIVE_OCTETS = 64 << 20
IPV6_FREEBIND = 78  # linux/in6.h; the socket module does not have it
TIMEOUT = 5  # seconds without an answer: it is lost
SIZES = (1, 32, 255, 1000, 1340)  # the answer, which is a little larger, fits a tunnel


def udp_socket(addr):
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    return socket.socket(family, socket.SOCK_DGRAM)


def serve(addr, ports):
    selector = selectors.DefaultSelector()
    for port in ports:
        sock = udp_socket(addr)
        # A server that is not scheduled for a while must not look like a forwarder that loses packets.
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_OCTETS)
        sock.bind((addr, port))
        selector.register(sock, selectors.EVENT_READ, port)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            data, sender = key.fileobj.recvfrom(65536)
            name = sender[0].removeprefix("::ffff:")  # an IPv4 client of an IPv6 socket
            key.fileobj.sendto(f"{name} {key.data} ".encode() + data, sender)


def ask(addr, port, count, source_port):
    sock = udp_socket(addr)
    if source_port:
        sock.bind(("", source_port))
    sock.connect((addr, port))  # an answer from elsewhere does not count
    sock.settimeout(TIMEOUT)
    seen = set()
    for i in range(count):
        data = os.urandom(SIZES[i % len(SIZES)])
        sock.send(data)
        answer = sock.recv(65536)
        sender, target_port, echoed = answer.split(b" ", 2)
        if echoed != data:
            sys.exit(f"udp.py: datagram {i} came back changed")
        seen.add(f"{sender.decode()} {target_port.decode()}")
    if len(seen) != 1:
        sys.exit(f"udp.py: the server saw several senders: {sorted(seen)}")
    print(seen.pop())


def spray(addr, port, count, first):
    for i in range(count):
        with udp_socket(addr) as sock:
            if ":" in addr:
                sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
            sock.bind((str(ipaddress.ip_address(first) + i), 0))
            sock.sendto(b"spray", (addr, port))


def main(argv):
    if argv[1:2] == ["serve"]:
        serve(argv[2], [int(port) for port in argv[3:]])
    elif argv[1:2] == ["ask"]:
        ask(argv[2], int(argv[3]), int(argv[4]), int(argv[5]) if len(argv) > 5 else 0)
    elif argv[1:2] == ["spray"]:
        spray(argv[2], int(argv[3]), int(argv[4]), argv[5])
    else:
        sys.exit(__doc__)


main(sys.argv)
