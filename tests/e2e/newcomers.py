#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""New flows, for the tests of who may come in.

newcomers.py burst ADDR PORT COUNT EXPECTED [SOURCE...]
        COUNT sockets send a datagram each, in turn from the SOURCEs, one after the other as fast as it goes.
        EXPECTED of them must be answered. Then these send ten more, each of which must be answered, too.
newcomers.py knock ADDR PORT
        one socket sends a datagram at a time, the next when an answer has come or none has for a while;
        prints "answered" with the first answer, and goes on until it is killed.
newcomers.py tell ADDR PORT
        one datagram that nobody needs to answer.
"""
import select
import socket
import sys
import time

TIMEOUT = 10  # seconds without an answer: it is lost
WHILE = 0.2


def udp_socket(addr, port, source=""):
    sock = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET, socket.SOCK_DGRAM)
    if source:
        sock.bind((source, 0))
    sock.connect((addr, port))
    return sock


def answered(socks, expected):
    """Those of the sockets that were answered, when there are as many as expected."""
    done, deadline = [], time.monotonic() + TIMEOUT
    waiting = list(socks)
    while len(done) < expected:
        ready, _, _ = select.select(waiting, [], [], max(0, deadline - time.monotonic()))
        if not ready:
            sys.exit(f"newcomers.py: only {len(done)} of {expected} were answered")
        for sock in ready:
            sock.recv(65536)
            waiting.remove(sock)
            done.append(sock)
    return done


def burst(addr, port, count, expected, sources):
    sources = sources or [""]
    socks = [udp_socket(addr, port, sources[i % len(sources)]) for i in range(count)]
    for sock in socks:
        sock.send(b"newcomer")
    for sock in answered(socks, expected):
        sock.settimeout(TIMEOUT)
        for i in range(10):
            sock.send(b"%d" % i)
            if not sock.recv(65536).endswith(b" %d" % i):
                sys.exit("newcomers.py: the answer is another's")


def knock(addr, port):
    sock = udp_socket(addr, port)
    sock.settimeout(WHILE)
    told = False
    while True:
        sock.send(b"knock")
        try:
            sock.recv(65536)
        except TimeoutError:
            continue
        if not told:
            print("answered", flush=True)
            told = True


def main(argv):
    if argv[1:2] == ["burst"]:
        burst(argv[2], int(argv[3]), int(argv[4]), int(argv[5]), argv[6:])
    elif argv[1:2] == ["knock"]:
        knock(argv[2], int(argv[3]))
    elif argv[1:2] == ["tell"]:
        udp_socket(argv[2], int(argv[3])).send(b"tell")
    else:
        sys.exit(__doc__)


main(sys.argv)
