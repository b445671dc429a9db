# SPDX-License-Identifier: GPL-2.0-only
"""What happens in a conversation. A scene is a generator of steps; which steps, its conversation's rng decides.

What a router answers decides nothing but whether the target can speak at all, so
that a seed means the same packets on every run.
"""
import dataclasses

import rules
import spoil
from fragments import fragment_step
from strangers import stranger
from talk import Step
from wire import ACK, FIN, PSH, RST, SYN, TCP, URG, Headers, addr

CHANCE = 0.25  # that a packet of an ordinary conversation is odd


def odd(c, step, chance=CHANCE):
    """The step, or with some chance one whose packet is odd."""
    packet, spoiled = spoil.maybe(c.rng, step.packet, chance)
    return dataclasses.replace(step, packet=packet, spoiled=spoiled)


def payload(c):
    return c.rng.randbytes(c.rng.choice((0, 1, 2, 7, 12, 100, 333, 1200)))


def tcp(c, direction, flags, data=None):
    fields = {"flags": flags, "seq": c.rng.randrange(1 << 32), "ack": c.rng.randrange(1 << 32),
              "window": c.rng.randrange(1 << 16), "payload": payload(c) if data is None else data}
    if flags & URG:
        fields["urgent"] = c.rng.randrange(1 << 16)
    if flags & SYN:
        fields["tcp_options"] = b"\x02\x04" + c.rng.choice((b"\x05\xb4", b"\x05\x00", b"\x02\x18", b"\x23\x28"))
    return c.step(direction, f"tcp {flags:#04x}", **fields)


def tcp_opening(c):
    yield odd(c, tcp(c, "in", SYN, b""))
    if c.rng.random() < 0.3:
        yield odd(c, tcp(c, "in", SYN))  # again, now with data (RFC 7413)
    if c.can_answer():
        yield odd(c, tcp(c, "out", SYN | ACK, b""))
    yield odd(c, tcp(c, "in", ACK, b""))


def tcp_whole(c):
    """From SYN to the end, and sometimes a new beginning with the same ports."""
    yield from tcp_opening(c)
    for _ in range(c.rng.randrange(5)):
        direction = c.rng.choice(("in", "out"))
        if direction == "in" or c.can_answer():
            yield odd(c, tcp(c, direction, c.rng.choice((ACK, ACK | PSH, ACK | URG, ACK))))
    ends = c.rng.choice(([("in", FIN | ACK), ("out", ACK), ("out", FIN | ACK), ("in", ACK)],
                         [("out", FIN | ACK), ("in", FIN | ACK), ("out", ACK)],
                         [("in", RST)], [("out", RST | ACK), ("in", ACK)], []))
    for direction, flags in ends:
        if direction == "in" or c.can_answer():
            yield odd(c, tcp(c, direction, flags, b""), 0.1)
    if c.rng.random() < 0.5:
        yield from tcp_opening(c)


def tcp_wild(c):
    """Any flags, in any order, either way."""
    if c.rng.random() < 0.5:
        yield from tcp_opening(c)
    for _ in range(c.rng.randrange(2, 8)):
        direction = c.rng.choice(("in", "in", "out"))
        flags = c.rng.choice((SYN, ACK, RST, FIN, SYN | ACK, SYN | FIN, SYN | RST, RST | ACK, FIN | ACK, 0,
                              c.rng.randrange(256)))
        if direction == "in" or c.can_answer():
            yield odd(c, tcp(c, direction, flags))


def udp(c, direction, **fields):
    return c.step(direction, "udp", payload=payload(c), **fields)


def udp_talk(c):
    yield odd(c, udp(c, "in"))
    for _ in range(c.rng.randrange(2, 9)):
        direction = c.rng.choice(("in", "out"))
        if direction == "in" or c.can_answer():
            yield odd(c, udp(c, direction))


def talk(c):
    if c.proto == TCP:
        yield from c.rng.choice((tcp_whole, tcp_whole, tcp_wild))(c)
    else:
        yield from udp_talk(c)


def opening(c):
    """A flow, with nothing odd about it."""
    if c.proto == TCP:
        yield tcp(c, "in", SYN, b"")
        if c.can_answer():
            yield tcp(c, "out", SYN | ACK, b"")
        yield tcp(c, "in", ACK)
    else:
        yield udp(c, "in")
        if c.can_answer():
            yield udp(c, "out")


ERRORS = {
    4: [(3, code) for code in range(16)] + [(11, 0), (11, 1), (12, 0), (12, 1), (12, 2), (4, 0), (5, 1), (3, 200)],
    6: [(1, code) for code in range(7)] + [(2, 0), (3, 0), (3, 1), (4, 0), (4, 1), (4, 2), (100, 0), (127, 0), (0, 0)],
}


def how_much(c, inside):
    """Of the packet inside an error. Not half a checksum: that depends on the router's choice of a port."""
    whole = inside.ip()
    quote = c.rng.choice((len(whole), len(whole), 28, 48, 40, 68, c.rng.randrange(len(whole) + 1), 20, 27, 36, 38, 58))
    quote = min(quote, 1232 if c.version == 6 else 548)
    l4 = Headers(whole, 0).l4
    return quote + (l4 is not None and quote in (l4 + 7, l4 + 17))


def error(c):
    """An ICMP error about the conversation, from one of its ends or from a router near it."""
    rng = c.rng
    about = rng.choice(("in", "in", "out"))
    if about == "in" and not c.can_answer():
        about = "out"
    inside = c.arrived(about, payload=payload(c), ttl=rng.choice((1, 60)), flags=ACK)
    spoiled = ""
    if rng.random() < 0.4:
        inside, spoiled = spoil.maybe(rng, inside, 1.0)
        spoiled = "inside: " + spoiled
    if rng.random() < 0.15:
        inside, spoiled = inside.but(sport=12345), "about no flow"
    near = rules.CLIENT if about == "out" else rules.BEYOND
    source = addr(near[c.version]) if rng.random() < 0.4 else inside.dst
    kind, code = rng.choice(ERRORS[c.version])
    rest = rng.choice((1280, 1400, 576, 0)) if (kind, code) in ((3, 4), (2, 0)) else rng.choice((0, 0, 7))
    packet = c.icmp(source, inside.src, (kind, code, rest), about=inside, quote=how_much(c, inside))
    if rng.random() < 0.25:
        packet, outside = spoil.maybe(rng, packet, 1.0)
        spoiled += f" outside: {outside}"
    side = "server" if about == "in" else c.client_side
    return Step(side, f"icmp {kind}/{code} about {about}, {packet.quote} inside", packet, None, None, spoiled, about)


def errors(c):
    yield from opening(c)
    for _ in range(c.rng.randrange(2, 7)):
        yield error(c)
    # The flow has heard of them, and stands.
    yield from opening(c)


def sizes(c):
    """About as large as the ways carry."""
    yield from opening(c)
    headers = (40 if c.version == 6 else 20) + (20 if c.proto == TCP else 8)
    for _ in range(c.rng.randrange(2, 6)):
        direction = c.rng.choice(("in", "in", "out"))
        if direction == "out" and not c.can_answer():
            continue
        length = c.rng.choice((1279, 1280, 1281, 1399, 1400, 1401, 1403, 1499, 1500))
        data = c.rng.randbytes(length - headers)
        step = c.step(direction, f"{length} octets", payload=data, flags=ACK, df=c.rng.random() < 0.6)
        yield odd(c, step, 0.1)


def fragments(c):
    yield from opening(c)
    for _ in range(c.rng.randrange(1, 4)):
        direction = c.rng.choice(("in", "out"))
        if direction == "in" or c.can_answer():
            yield fragment_step(c, direction)
    yield from opening(c)


def conflict(c):
    """One client port, two rules that lead to the same target."""
    c.use(next(rule for rule in rules.RULES if rule.name == "plain"))
    yield from opening(c)
    c.use(next(rule for rule in rules.RULES if rule.name == "second"))
    first = next(opening(c))
    yield dataclasses.replace(first, what="second rule, " + first.what)


MARTIANS = {4: ("0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "240.1.2.3", rules.PUBLIC[4], rules.WAN[4]),
            6: ("::", "::1", "ff02::1", "fe80::1")}


def martian(c):
    """From an address that nobody out there can have (RFC 1812, 5.3.7)."""
    c.client = addr(c.rng.choice(MARTIANS[c.version]))
    first = next(opening(c))
    yield dataclasses.replace(first, what="martian, " + first.what)


def hairpin(c):
    c.become_hairpin()
    yield from talk(c)


def hairpin_errors(c):
    c.become_hairpin()
    yield from errors(c)


def strangers(c):
    for _ in range(c.rng.randrange(2, 6)):
        yield stranger(c)


SCENES = [(talk, 40), (errors, 16), (sizes, 8), (fragments, 6), (strangers, 14), (hairpin, 4), (hairpin_errors, 2),
          (conflict, 2), (martian, 3)]


def scene(c):
    """One at random, for this conversation."""
    make = c.rng.choices([s for s, _ in SCENES], [weight for _, weight in SCENES])[0]
    return make(c)
