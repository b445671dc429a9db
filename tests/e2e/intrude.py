#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Datagrams for a machine's loopback, put on the link as no kernel would send them.

intrude.py DEVICE MAC KIND PORT    to 127.0.0.1:PORT, in a frame for MAC; prints "arrived" if it is answered, else "lost"
"""
import select
import socket
import struct
import sys

WAIT = 1  # seconds without an answer: it is lost
SOURCE = "198.51.100.2"


def checksum(octets):
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(port, fragment):
    udp = struct.pack("!4H", 4444, port, 12, 0) + b"ping"
    head = struct.pack("!2B3H2BH", 0x45, 0, 20 + len(udp), 1, 0x2000 if fragment else 0, 64, 17, 0)
    head += socket.inet_aton(SOURCE) + socket.inet_aton("127.0.0.1")
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + udp


def frame(kind, mac, source, port):
    dest = b"\xff" * 6 if kind == "broadcast" else bytes.fromhex(mac.replace(":", ""))
    tags = {"tagged": 1, "tagged-twice": 2}.get(kind, 0)
    # Priority tags: VLAN 0 is no VLAN, and the kernel takes them off.
    return dest + source + b"\x81\x00\x00\x00" * tags + b"\x08\x00" + packet(port, kind == "fragment")


def main(argv):
    device, mac, kind, port = argv[1:]
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    link.bind((device, 0))
    link.send(frame(kind, mac, link.getsockname()[4], int(port)))
    while select.select([link], [], [], WAIT)[0]:
        got = link.recv(2048)
        # From whatever address it may be: the answer to port 4444.
        if got[23] == 17 and got[36:38] == struct.pack("!H", 4444):
            print("arrived")
            return
    print("lost")


if len(sys.argv) != 5:
    sys.exit(__doc__)
main(sys.argv)
