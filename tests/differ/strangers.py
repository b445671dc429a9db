# SPDX-License-Identifier: GPL-2.0-only
"""Packets that no rule is meant to take: to be left to the kernel exactly as they came."""
import rules
import spoil
from talk import Step
from wire import ACK, ICMP, ICMP6, RST, SYN, TCP, UDP, Packet, addr


def other_port(c):
    port = c.rng.choice((1, 22, 81, 7999, 8999, 9010, 9999, 65535, 0))
    return c.packet("in", payload=b"x" * 20, flags=c.rng.choice((SYN, ACK))).but(dport=port)


def other_address(c):
    where = addr(c.rng.choice((rules.WAN, rules.LAN))[c.version])
    return c.packet("in", payload=b"x" * 9, flags=SYN).but(dst=where, dport=8000)


def through(c):
    """Past the rules, straight to the target."""
    return c.packet("in", payload=b"x" * 30, flags=SYN).but(dst=c.target, dport=c.rng.choice((80, 8000, 22)))


def nowhere(c):
    where = "203.0.113.99" if c.version == 4 else "2001:db8:77::1"
    return c.packet("in", payload=b"x" * 30, flags=SYN).but(dst=addr(where))


def broadcast(c):
    where = c.rng.choice(("255.255.255.255", "198.51.100.255", "192.0.2.255", "224.0.0.251")) if c.version == 4 else \
        c.rng.choice(("ff02::1", "ff05::2", "ff0e::1"))
    return c.packet("in", payload=b"x" * 30, flags=SYN).but(dst=addr(where))


def echo(c):
    kind = (128, 0, 0x12340001) if c.version == 6 else (8, 0, 0x12340001)
    return c.icmp(c.client, c.listen, kind, payload=b"ping" * c.rng.randrange(1, 20))


def informational(c):
    kind = c.rng.choice((15, 17, 8, 0, 14, 42)) if c.version == 4 else c.rng.choice((129, 130, 200, 139, 255))
    return c.icmp(c.client, c.listen, (kind, 0, 0x12340001), payload=b"ping" * 5)


def other_protocol(c):
    proto = c.rng.choice((2, 4, 33, 41, 47, 50, 89, 132, 136, 253, 255))
    wrong = ICMP if c.version == 6 else ICMP6
    payload = c.packet("in", payload=b"x" * 30, flags=SYN).upper(0)
    return Packet(c.client, c.listen, c.rng.choice((proto, proto, wrong)), payload=payload)


def garbage(c):
    return Packet(c.client, c.listen, c.rng.choice((TCP, UDP)), payload=b"").but(
        cut=c.rng.randrange(0, 24), trailer=c.rng.randbytes(c.rng.randrange(30)))


def late_reset(c):
    return Packet(c.client, c.listen, TCP, c.client_port, c.listen_port, flags=RST | (ACK & -c.rng.randrange(2)))


def unasked(c):
    """The target speaks first, as if it answered."""
    return c.packet("out", payload=b"x" * 20, flags=ACK).but(dst=c.client, dport=c.client_port)


KINDS = [other_port, other_address, through, nowhere, broadcast, echo, informational, other_protocol, garbage,
         late_reset, unasked]


def stranger(c):
    kind = c.rng.choice(KINDS)
    # Each of them has a port of its own: what one left behind in connection tracking is no other's.
    c.client_port = c.rng.randrange(40000, 65535)
    packet, spoiled = spoil.maybe(c.rng, kind(c), 0.2)
    return Step("server" if kind is unasked else "client", "stranger: " + kind.__name__, packet, spoiled=spoiled)
