# SPDX-License-Identifier: GPL-2.0-only
"""Packets as octets: checksums, headers built from what one wants to say, headers found in what came out."""
import dataclasses
import ipaddress
import struct

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
HOPOPTS, ROUTING, FRAGMENT, AH, DSTOPTS = 0, 43, 44, 51, 60
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << i for i in range(8))
ETH = 14
NAT_PORT = -1  # in a port field: the one that the router at hand chose for this conversation


def fold(total):
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def words(data):
    if len(data) & 1:
        data += b"\0"
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


def checksum(data):
    return ~fold(words(data)) & 0xFFFF


def addr(text):
    return ipaddress.ip_address(text).packed


def show_addr(packed):
    return str(ipaddress.ip_address(packed))


def pseudo(src, dst, proto, length):
    """The sum of the pseudo-header (RFC 9293, 3.1; RFC 8200, 8.1)."""
    return words(src) + words(dst) + proto + (length & 0xFFFF) + (length >> 16)


@dataclasses.dataclass
class Packet:
    """What a packet is to say, and how it is spoiled. build() makes the frame."""

    src: bytes
    dst: bytes
    proto: int
    sport: int = 0
    dport: int = 0
    payload: bytes = b""
    flags: int = ACK
    seq: int = 0
    ack: int = 0
    window: int = 65535
    urgent: int = 0
    tcp_options: bytes = b""
    ttl: int = 64
    tos: int = 0
    label: int = 0
    ident: int = 0
    df: bool = True
    ip_options: bytes = b""
    headers: list = dataclasses.field(default_factory=list)  # IPv6: (number, what follows its next-header octet)
    icmp: tuple = None  # type, code, rest
    about: "Packet" = None  # the packet inside an ICMP error
    quote: int = 1 << 16  # how much of it
    # How it is spoiled:
    no_check: bool = False  # UDP's checksum is zero
    l4_add: int = 0  # to the checksum, in its own arithmetic
    ip_add: int = 0
    ip_len: int = 0  # added to the field
    l4_len: int = 0  # added to UDP's length or TCP's data offset
    trailer: bytes = b""
    cut: int = 0  # octets missing at the end
    first_octet: int = 0  # xor of version and header length
    eth_dst: bytes = None
    ethertype: int = 0
    tag: bytes = b""

    @property
    def v6(self):
        return len(self.src) == 16

    def but(self, **changes):
        return dataclasses.replace(self, **changes)

    def ports(self, nat_port):
        return [nat_port if port == NAT_PORT else port for port in (self.sport, self.dport)]

    def tcp(self, nat_port):
        options = self.tcp_options + b"\0" * (-len(self.tcp_options) % 4)
        offset = (5 + len(options) // 4 + self.l4_len) & 15
        return struct.pack("!HHIIBBHHH", *self.ports(nat_port), self.seq, self.ack, offset << 4, self.flags,
                           self.window, 0, self.urgent) + options + self.payload, 16

    def udp(self, nat_port):
        length = (8 + len(self.payload) + self.l4_len) & 0xFFFF
        return struct.pack("!HHHH", *self.ports(nat_port), length, 0) + self.payload, 6

    def icmp_message(self, nat_port):
        body = self.about.ip(nat_port)[: self.quote] if self.about else self.payload
        kind, code, rest = self.icmp
        return struct.pack("!BBHI", kind, code, 0, rest) + body, 2

    def upper(self, nat_port):
        """The upper layer's octets, with their checksum."""
        if self.proto == TCP:
            data, at = self.tcp(nat_port)
        elif self.proto == UDP:
            data, at = self.udp(nat_port)
        elif self.icmp:
            data, at = self.icmp_message(nat_port)
        else:
            return self.payload
        if self.no_check:
            return data
        total = 0 if self.proto == ICMP else pseudo(self.src, self.dst, self.proto, len(data))
        check = ~fold(total + words(data)) & 0xFFFF
        check = fold(check + self.l4_add)
        if self.proto == UDP and not check:
            check = 0xFFFF
        return data[:at] + struct.pack("!H", check) + data[at + 2 :]

    def ipv4(self, upper):
        options = self.ip_options + b"\0" * (-len(self.ip_options) % 4)
        first = (0x45 + len(options) // 4) ^ self.first_octet
        length = (20 + len(options) + len(upper) + self.ip_len) & 0xFFFF
        header = struct.pack("!BBHHHBBH4s4s", first, self.tos, length, self.ident, 0x4000 if self.df else 0, self.ttl,
                             self.proto, 0, self.src, self.dst) + options
        return header[:10] + struct.pack("!H", fold(checksum(header) + self.ip_add)) + header[12:] + upper

    def ipv6(self, upper):
        chain, following = b"", self.proto
        for number, body in reversed(self.headers):
            chain, following = bytes([following]) + body + chain, number
        first = ((6 << 28) | (self.tos << 20) | self.label) ^ (self.first_octet << 24)
        length = (len(chain) + len(upper) + self.ip_len) & 0xFFFF
        return struct.pack("!IHBB16s16s", first, length, following, self.ttl, self.src, self.dst) + chain + upper

    def ip(self, nat_port=0):
        upper = self.upper(nat_port)
        return self.ipv6(upper) if self.v6 else self.ipv4(upper)

    def build(self, macs, nat_port=0):
        """The frame; macs: destination and source."""
        kind = self.ethertype or (0x86DD if self.v6 else 0x0800)
        ip = self.ip(nat_port)
        ip = ip[: len(ip) - self.cut] + self.trailer
        return (self.eth_dst or macs[0]) + macs[1] + self.tag + struct.pack("!H", kind) + ip


class Headers:
    """Where things are in a frame. What is not there is None; every offset is within the frame."""

    def __init__(self, frame, l3=ETH):
        self.frame, self.l3 = frame, l3
        self.v6 = None
        self.src = self.dst = self.proto = self.l4 = self.check = self.inner = self.icmp_type = None
        self.sport = self.dport = self.fragment = self.end = None
        if len(frame) < l3 + 20:
            return
        if frame[l3] >> 4 == 4:
            self.find_ipv4()
        elif frame[l3] >> 4 == 6 and len(frame) >= l3 + 40:
            self.find_ipv6()
        if self.l4 is not None and not self.is_later_fragment():
            self.find_upper()

    def word(self, at):
        return struct.unpack_from("!H", self.frame, at)[0]

    def find_ipv4(self):
        f, l3 = self.frame, self.l3
        self.v6 = False
        self.src, self.dst, self.proto = f[l3 + 12 : l3 + 16], f[l3 + 16 : l3 + 20], f[l3 + 9]
        self.l4 = l3 + (f[l3] & 15) * 4
        self.end = min(l3 + self.word(l3 + 2), len(f))
        field = self.word(l3 + 6)
        if field & 0x3FFF:
            self.fragment = ((field & 0x1FFF) * 8, bool(field & 0x2000), self.word(l3 + 4))

    def find_ipv6(self):
        f, l3 = self.frame, self.l3
        self.v6 = True
        self.src, self.dst = f[l3 + 8 : l3 + 24], f[l3 + 24 : l3 + 40]
        self.end = min(l3 + 40 + self.word(l3 + 4), len(f))
        proto, at = f[l3 + 6], l3 + 40
        while proto in (HOPOPTS, ROUTING, DSTOPTS, FRAGMENT, AH) and at + 8 <= len(f):
            length = 8 if proto == FRAGMENT else (f[at + 1] + 2) * 4 if proto == AH else (f[at + 1] + 1) * 8
            if proto == FRAGMENT:
                field = self.word(at + 2)
                self.fragment = (field & 0xFFF8, bool(field & 1), struct.unpack_from("!I", f, at + 4)[0])
            proto, at = f[at], at + length
        self.proto, self.l4 = proto, at

    def is_later_fragment(self):
        return self.fragment is not None and self.fragment[0] != 0

    def find_upper(self):
        left = len(self.frame) - self.l4
        if self.proto in (TCP, UDP) and left >= 8:
            self.sport, self.dport = self.word(self.l4), self.word(self.l4 + 2)
            at = self.l4 + (16 if self.proto == TCP else 6)
            if at + 2 <= len(self.frame):
                self.check = at
        elif self.proto in (ICMP, ICMP6) and left >= 8:
            self.icmp_type = self.frame[self.l4]
            self.check = self.l4 + 2
            is_error = self.icmp_type in (3, 4, 5, 11, 12) if self.proto == ICMP else 0 < self.icmp_type < 128
            if is_error:
                self.inner = self.l4 + 8


def replace(frame, at, new, checks):
    """New octets at an even offset of the checksums at `checks`, which follow by difference (RFC 1624)."""
    difference = words(new) - words(frame[at : at + len(new)])
    frame[at : at + len(new)] = new
    for check in checks:
        old = struct.unpack_from("!H", frame, check)[0]
        struct.pack_into("!H", frame, check, ~fold((~old & 0xFFFF) + difference % 0xFFFF) & 0xFFFF)


def translate(frame, src, dst, sport, dport):
    """The frame as a router forwards it with these addresses and ports: one hop less, checksums by difference."""
    frame, h = bytearray(frame), Headers(bytes(frame))
    ip_check = [] if h.v6 else [h.l3 + 10]
    check = [h.check] if h.check is not None else []
    none = h.proto == UDP and check and h.word(h.check) == 0
    l4 = [] if none else check
    at = h.l3 + (8 if h.v6 else 12)
    replace(frame, at, src + dst, ip_check + l4)
    replace(frame, h.l4, struct.pack("!HH", sport, dport), l4)
    at = h.l3 + (6 if h.v6 else 8)
    hop = bytes(frame[at : at + 2])
    hop = bytes([hop[0], (hop[1] - 1) & 255]) if h.v6 else bytes([(hop[0] - 1) & 255, hop[1]])
    replace(frame, at, hop, ip_check)
    if h.proto == UDP and l4 and not struct.unpack_from("!H", frame, h.check)[0]:
        struct.pack_into("!H", frame, h.check, 0xFFFF)
    return bytes(frame)
