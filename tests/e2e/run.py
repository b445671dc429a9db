#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What `xdpfwd run` deals with, for the end-to-end tests.

run.py dns ADDR ZONE           answers on port 53 from the file ZONE, read anew each time: lines "NAME TTL ADDRESS";
                               NAME with TTL "none" gets no answer at all
run.py notify PATH             a service manager: prints each line that is told to the socket PATH
run.py stream ADDR PORT FIFO   sends 1000 numbered datagrams a second until something is written to FIFO, then
                               prints "sent N lost N" and which were never answered
"""
import ipaddress
import os
import select
import socket
import struct
import sys
import time

LAST_ANSWER = 5  # seconds after the last datagram
INTERVAL = 0.001
SO_RCVBUFFORCE = 33  # asm-generic/socket.h
RECEIVE_OCTETS = 64 << 20


def records(zone, name, qtype):
    """None: keep silent."""
    found, known = [], False
    with open(zone, encoding="ascii") as lines:
        for line in lines:
            owner, ttl, addr = line.split()
            if owner.lower() != name.lower():
                continue
            if ttl == "none":
                return None, True
            known = True
            ip = ipaddress.ip_address(addr)
            if qtype == (1 if ip.version == 4 else 28):
                found.append(struct.pack("!HHHIH", 0xC00C, qtype, 1, int(ttl), len(ip.packed)) + ip.packed)
    return found, known


def dns(addr, zone):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((addr, 53))
    print("ready", flush=True)
    while True:
        query, client = sock.recvfrom(512)
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        name, question = ".".join(labels), query[12 : at + 5]
        qtype = struct.unpack("!H", query[at + 1 : at + 3])[0]
        answers, known = records(zone, name, qtype)
        print("asked", name, qtype, flush=True)
        if answers is None:
            continue
        head = query[:2] + struct.pack("!HHHHH", 0x8180 | (0 if known else 3), 1, len(answers), 0, 0)
        sock.sendto(head + question + b"".join(answers), client)


def notify(path):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    if os.path.exists(path):
        os.unlink(path)
    sock.bind(path)
    print("listening", flush=True)
    while True:
        print(sock.recv(4096).decode().rstrip("\n"), flush=True)


def take_answers(sock, missing):
    while select.select([sock], [], [], 0)[0]:
        missing.discard(sock.recv(2048).split(b" ")[-1])


def stream(addr, port, fifo):
    sock = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_OCTETS)
    sock.connect((addr, port))
    stop = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    missing, sent, due = set(), 0, time.monotonic()
    while not select.select([stop], [], [], 0)[0] or not os.read(stop, 1):
        number = str(sent).encode()
        missing.add(number)
        sock.send(number)
        sent += 1
        if sent == 1:
            print("ready", flush=True)
        due += INTERVAL
        select.select([sock], [], [], max(0, due - time.monotonic()))
        take_answers(sock, missing)
        time.sleep(max(0, due - time.monotonic()))
    deadline = time.monotonic() + LAST_ANSWER
    while missing and time.monotonic() < deadline:
        select.select([sock], [], [], 0.1)
        take_answers(sock, missing)
    print("sent", sent, "lost", len(missing), *sorted(int(n) for n in missing)[:20], flush=True)


def main(argv):
    if argv[1:2] == ["dns"]:
        dns(argv[2], argv[3])
    elif argv[1:2] == ["notify"]:
        notify(argv[2])
    elif argv[1:2] == ["stream"]:
        stream(argv[2], int(argv[3]), argv[4])
    else:
        sys.exit(__doc__)


main(sys.argv)
