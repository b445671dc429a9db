# SPDX-License-Identifier: GPL-2.0-only
"""What can be odd or wrong about a packet. Each takes (rng, packet) and returns the packet that is so."""
import struct

from wire import AH, DSTOPTS, FRAGMENT, HOPOPTS, ROUTING, TCP, UDP

LINK_ADDRESSES = [b"\xff" * 6, bytes.fromhex("01005e000001"), bytes.fromhex("020000000777")]


def hops(rng, p):
    return p.but(ttl=rng.choice((0, 1, 1, 2, 3, 255)))


def service(rng, p):
    return p.but(tos=rng.randrange(256), label=rng.randrange(1 << 20) if p.v6 else 0)


def identity(rng, p):
    return p.but(ident=rng.randrange(1 << 16), df=p.df and rng.random() < 0.5)


def l4_damage(rng, p):
    return p.but(l4_add=rng.randrange(1, 0xFFFF))


def ip_damage(rng, p):
    return p if p.v6 else p.but(ip_add=rng.randrange(1, 0xFFFF))


def no_check(rng, p):
    return p.but(no_check=p.proto == UDP)


def ip_shorter(rng, p):
    return p.but(ip_len=-rng.randrange(1, 60))


def ip_longer(rng, p):
    return p.but(ip_len=rng.choice((1, 2, 8, 1000)))


def l4_shorter(rng, p):
    return p.but(l4_len=-rng.choice((1, 2, 3, 5, 8)))


def l4_longer(rng, p):
    return p.but(l4_len=rng.choice((1, 2, 5, 10)))


def trailer(rng, p):
    return p.but(trailer=rng.randbytes(rng.randrange(1, 30)))


def cut(rng, p):
    return p.but(cut=rng.randrange(1, 28))


def first_octet(rng, p):
    return p.but(first_octet=rng.choice((0x10, 0x20, 0x40, 0x01, 0x05, 0xF0)))


def link_address(rng, p):
    return p.but(eth_dst=rng.choice(LINK_ADDRESSES))


def ethertype(rng, p):
    return p.but(ethertype=rng.choice((0x0800, 0x86DD, 0x0806, 0x8847, 0x88B5)))


def tag(rng, p):
    return p.but(tag=struct.pack("!HH", rng.choice((0x8100, 0x88A8)), rng.randrange(1, 4095)))


IP_OPTIONS = {  # RFC 791, 3.1; RFC 2113
    "nop": b"\x01\x01\x01",
    "router alert": b"\x94\x04\0\0",
    "security": b"\x82\x0b" + b"\0" * 9,
    "experimental": b"\x5e\x06abcd",
    "end": b"\0\0\0\0",
    "record route": b"\x07\x0b\x04" + b"\0" * 8,
    "record route, full": b"\x07\x07\x08\xc6\x12\x01\x01",
    "loose source route": b"\x83\x07\x04\xc6\x12\x01\x01",
    "loose source route, done": b"\x83\x07\x08\xc6\x12\x01\x01",
    "strict source route": b"\x89\x07\x04\xc6\x12\x01\x01",
    "length zero": b"\x07\0\x04\0",
    "length beyond": b"\x07\x27\x04\0",
}


def ip_options(rng, p):
    if p.v6:
        return extension(rng, p)
    return p.but(ip_options=IP_OPTIONS[rng.choice(list(IP_OPTIONS))])


def options_header(options):
    options += b"\x01" + bytes([-(len(options) + 4) % 8]) + bytes(-(len(options) + 4) % 8)
    return bytes([(len(options) + 2) // 8 - 1]) + options


def routing_header(kind, left):
    return bytes([2, kind, left]) + bytes(4) + bytes.fromhex("20010db8000c00000000000000000042")


EXTENSIONS = {  # RFC 8200, 4; RFC 4302
    "hop by hop": [(HOPOPTS, options_header(b""))],
    "hop by hop, router alert": [(HOPOPTS, options_header(b"\x05\x02\0\0"))],
    "hop by hop, unknown, skip": [(HOPOPTS, options_header(b"\x1e\x02ab"))],
    "hop by hop, unknown, discard": [(HOPOPTS, options_header(b"\x5e\x02ab"))],
    "hop by hop, unknown, say so": [(HOPOPTS, options_header(b"\x9e\x02ab"))],
    "hop by hop, twice": [(HOPOPTS, options_header(b"")), (HOPOPTS, options_header(b""))],
    "hop by hop, not first": [(DSTOPTS, options_header(b"")), (HOPOPTS, options_header(b""))],
    "destination options": [(DSTOPTS, options_header(b"\x1e\x06abcdef"))],
    "destination options, long": [(DSTOPTS, options_header(b"\x1e\x60" + bytes(96)))],
    "routing, done": [(ROUTING, routing_header(2, 0))],
    "routing, segments left": [(ROUTING, routing_header(2, 1))],
    "routing type 0, segments left": [(ROUTING, routing_header(0, 1))],
    "segment routing, segments left": [(ROUTING, routing_header(4, 1))],
    "authentication": [(AH, b"\x04" + bytes(22))],
    "atomic fragment": [(FRAGMENT, b"\0" + bytes(6))],
    "three": [(HOPOPTS, options_header(b"")), (DSTOPTS, options_header(b"")), (ROUTING, routing_header(2, 0))],
    "seven": [(DSTOPTS, options_header(b""))] * 7,
    "unknown": [(253, options_header(b""))],
    "mobility": [(135, options_header(b""))],
    "beyond the packet": [(DSTOPTS, b"\xff" + b"\x01\x04" + bytes(4))],
    "no next header": [(59, options_header(b""))],
}


def extension(rng, p):
    return p.but(headers=EXTENSIONS[rng.choice(list(EXTENSIONS))])


def tcp_options(rng, p):
    if p.proto != TCP:
        return p
    mss = b"\x02\x04" + struct.pack("!H", rng.choice((0, 536, 1220, 1300, 1340, 1341, 1360, 1361, 1440, 1460, 8960)))
    known = [mss, mss, b"\x01", b"\x01\x01", b"\x03\x03\x07", b"\x04\x02", b"\x08\x0a" + rng.randbytes(8),
             b"\xfd\x04ab", b"\x22\x0a" + rng.randbytes(8), b"\0", b"\x02\x03\x05", b"\x05\x00", b"\x02\x28\x05\xb4"]
    options = b""
    for option in rng.choices(known, k=rng.randrange(1, 7)):
        if len(options) + len(option) <= 40:
            options += option
    return p.but(tcp_options=options)


MOSTLY_HARMLESS = [service, identity, hops, no_check, ip_options, tcp_options, trailer]
DAMAGE = [l4_damage, ip_damage, ip_shorter, ip_longer, l4_shorter, l4_longer, cut, first_octet, link_address, ethertype,
          tag]


def maybe(rng, packet, chance):
    """The packet, or with that chance one that is odd; and what is odd about it."""
    if rng.random() >= chance:
        return packet, ""
    spoil = rng.choice(MOSTLY_HARMLESS if rng.random() < 0.6 else DAMAGE)
    return spoil(rng, packet), spoil.__name__
