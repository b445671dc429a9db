# SPDX-License-Identifier: GPL-2.0-only
"""Sockets in other network namespaces, and what of their packets is on the wire.

A socket belongs to the namespace in which the thread was that made it. So one
process can hold both ends of a connection and say in which order things happen.
"""
import ctypes
import dataclasses
import os
import select
import socket
import struct
import subprocess
import time

TIMEOUT = 20  # seconds without the event that must come: it does not come

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
ETH_P_ALL, ETH_P_IP, ETH_P_IPV6 = 3, 0x0800, 0x86DD


def enter(namespace):
    """Moves this thread, and no other, into a network namespace."""
    fd = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if LIBC.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns to {namespace}")
    finally:
        os.close(fd)


def socket_in(namespace, family, kind, protocol=0):
    enter(namespace)
    sock = socket.socket(family, kind, protocol)
    sock.settimeout(TIMEOUT)
    return sock


def command(*args):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, timeout=TIMEOUT).stdout.decode()


def tcp_counter(namespace, name):
    """One of the namespace's TcpExt counters, as nstat shows them."""
    enter(namespace)
    with open("/proc/thread-self/net/netstat", encoding="ascii") as file:
        names, values = (line.split() for line in file if line.startswith("TcpExt:"))
    return int(values[names.index(name)])


def ones_sum(data):
    """Folded sum in one's complement of big-endian words (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@dataclasses.dataclass
class Packet:
    """A TCP or UDP packet; `kept` is what no forwarder has a reason to change."""

    outgoing: bool
    source: tuple
    destination: tuple
    ttl: int
    tos: int
    sum: int
    payload: bytes
    ip: tuple  # IPv4: identification, fragment field, options; IPv6: flow label
    flags: int = 0
    seq: int = 0
    ack: int = 0
    window: int = 0
    urgent: int = 0
    options: bytes = b""

    @property
    def kept(self):
        return (self.tos, self.ip, self.flags, self.seq, self.ack, self.window, self.urgent, self.options, self.payload)

    def is_syn(self):
        return self.flags & (SYN | ACK) == SYN

    def is_syn_ack(self):
        return self.flags & (SYN | ACK) == SYN | ACK


def parse(data, outgoing):
    """The Packet that these octets are, from the IP header on; None: neither TCP nor UDP."""
    if data[0] >> 4 == 4:
        family, addresses, start = socket.AF_INET, (data[12:16], data[16:20]), (data[0] & 15) * 4
        tos, ttl, protocol, length = data[1], data[8], data[9], struct.unpack_from("!H", data, 2)[0]
        ip = (data[4:6], data[6:8], data[20:start])
    else:
        family, addresses, start = socket.AF_INET6, (data[8:24], data[24:40]), 40
        word, length, protocol, ttl = struct.unpack_from("!IHBB", data)
        tos, ip, length = word >> 20 & 255, (word & 0xFFFFF,), length + 40
    if protocol not in (socket.IPPROTO_TCP, socket.IPPROTO_UDP):
        return None
    data = data[:length] if length > start else data  # short frames are padded
    ports = struct.unpack_from("!HH", data, start)
    ends = [(socket.inet_ntop(family, a), p) for a, p in zip(addresses, ports)]
    if protocol == socket.IPPROTO_UDP:
        check = struct.unpack_from("!H", data, start + 6)[0]
        return Packet(outgoing, *ends, ttl, tos, check, data[start + 8 :], ip)
    seq, ack, offset, flags, window, check, urgent = struct.unpack_from("!IIBBHHH", data, start + 4)
    payload = start + (offset >> 4) * 4
    # Of the octet with the header's length, the low bits are flags too (RFC 3168, RFC 9768).
    flags |= (offset & 15) << 8
    tcp = (flags, seq, ack, window, urgent, data[start + 20 : payload])
    return Packet(outgoing, *ends, ttl, tos, check, data[payload:], ip, *tcp)


class Wire:
    """What passes a namespace's eth0 to and from one address and port of it, from now on."""

    def __init__(self, namespace, end):
        family = ETH_P_IPV6 if ":" in end[0] else ETH_P_IP
        self.end = end
        # Only ETH_P_ALL sees what goes out, too.
        self.sock = socket_in(namespace, socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE
        self.sock.bind(("eth0", ETH_P_ALL))
        self.family = family
        self.seen = []

    def next(self, deadline):
        while select.select([self.sock], [], [], max(0, deadline - time.monotonic()))[0]:
            data, address = self.sock.recvfrom(1 << 17)
            packet = address[1] == self.family and parse(data, address[2] == socket.PACKET_OUTGOING)
            if packet and self.end in (packet.source, packet.destination):
                self.seen.append(packet)
                return packet
        return None

    def until(self, what, matches):
        """Waits for the packet that `matches`, from now on."""
        deadline = time.monotonic() + TIMEOUT
        while packet := self.next(deadline):
            if matches(packet):
                return packet
        raise TimeoutError(f"{self.end}: no {what} in {len(self.seen)} packets")

    def first(self, what, matches):
        """The first packet of all that `matches`, waited for where it has not come yet."""
        return next((packet for packet in self.so_far() if matches(packet)), None) or self.until(what, matches)

    def so_far(self):
        """Everything that has passed by now."""
        while self.next(time.monotonic()):
            pass
        return self.seen

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
