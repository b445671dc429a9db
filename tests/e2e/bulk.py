#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Much data over one TCP connection, for the end-to-end tests.

bulk.py serve ADDR PORT                       for any number of clients, one after the other
bulk.py get|put ADDR PORT OCTETS [FIFO]       moves so many octets from or to the server, which must arrive
                                              unchanged; with FIFO only when something was written to it, and
                                              "connected" is printed before. Prints both ends' segment sizes as
                                              the handshake left them, the client's first.
"""
import hashlib
import os
import random
import socket
import sys

TIMEOUT = 20  # seconds without progress: the path is a black hole
CHUNK = 65536


def content(octets):
    source = random.Random(octets)
    while octets > 0:
        yield source.randbytes(min(octets, CHUNK))
        octets -= CHUNK


def digest(chunks):
    total = hashlib.sha256()
    for chunk in chunks:
        total.update(chunk)
    return total.hexdigest()


def received(stream, octets):
    while octets > 0:
        chunk = stream.read(min(octets, CHUNK))
        if not chunk:
            sys.exit("bulk.py: the connection ended early")
        octets -= len(chunk)
        yield chunk


def segment_size(sock):
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)


def serve_one(sock):
    sock.settimeout(TIMEOUT)
    stream = sock.makefile("rwb")
    stream.write(f"{segment_size(sock)}\n".encode())
    stream.flush()
    order = stream.readline().split()
    if not order:
        return
    octets = int(order[1])
    if order[0] == b"get":
        for chunk in content(octets):
            stream.write(chunk)
    else:
        stream.write((digest(received(stream, octets)) + "\n").encode())
    stream.flush()


def serve(addr, port):
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    with socket.create_server((addr, port), family=family, dualstack_ipv6=addr == "::") as server:
        print("ready", flush=True)
        while True:
            sock, _ = server.accept()
            with sock:
                serve_one(sock)


def transfer(what, addr, port, octets, fifo):
    sock = socket.create_connection((addr, port), TIMEOUT)
    mine = segment_size(sock)
    stream = sock.makefile("rwb")
    theirs = int(stream.readline())
    if fifo:
        print("connected", flush=True)
        with open(fifo, encoding="ascii") as f:
            f.read()
    stream.write(f"{what} {octets}\n".encode())
    if what == "put":
        for chunk in content(octets):
            stream.write(chunk)
    stream.flush()
    arrived = stream.readline().decode().strip() if what == "put" else digest(received(stream, octets))
    if arrived != digest(content(octets)):
        sys.exit("bulk.py: other octets arrived than were sent")
    print(mine, theirs, flush=True)


def main(argv):
    if argv[1:2] == ["serve"]:
        serve(argv[2], int(argv[3]))
    elif argv[1:2] in (["get"], ["put"]):
        transfer(argv[1], argv[2], int(argv[3]), int(argv[4]), argv[5] if len(argv) > 5 else None)
    else:
        sys.exit(__doc__)


main(sys.argv)
