# SPDX-License-Identifier: GPL-2.0-only
"""The form in which outputs are compared: without what two good routers may choose freely."""
import dataclasses
import struct

import rules
from fragments import put_together
from talk import Conversation, Step
from wire import ETH, ICMP, Headers, addr, fold, replace, show_addr

CANONICAL_PORT = 0x4E41  # in place of the port that a router chose to hide a client behind


def learn_port(c, name, out):
    """Which port did this router choose?"""
    own = addr(rules.LAN[c.version])
    for side, frame in out:
        h = Headers(frame)
        if side == "server" and (h.src, h.dst, h.proto, h.dport) == (own, c.target, c.proto, c.target_port):
            c.nat_port[name] = h.sport


def set_port(frame, at, h):
    replace(frame, at, struct.pack("!H", CANONICAL_PORT), [h.check] if h.check else [])


def set_inner_port(frame, outer, inner):
    """The same inside an ICMP error, with the checksum inside and then the one outside."""
    before = struct.unpack_from("!H", frame, inner.l4 + 2)[0]
    replace(frame, inner.l4 + 2, struct.pack("!H", CANONICAL_PORT), [outer.check])
    if inner.check is None or inner.check + 2 > outer.end:
        return
    old = struct.unpack_from("!H", frame, inner.check)[0]
    if old or inner.proto == 6:
        new = ~fold((~old & 0xFFFF) + (~before & 0xFFFF) + CANONICAL_PORT) & 0xFFFF
        replace(frame, inner.check, struct.pack("!H", new), [outer.check])


def same_port(c, name, frame):
    own, port, h = addr(rules.LAN[c.version]), c.nat_port.get(name), Headers(frame)
    if port is None or h.src is None:
        return frame
    frame = bytearray(frame)
    no_check = h.proto == 17 and h.check and not h.word(h.check)
    if (h.src, h.dst, h.proto, h.sport) == (own, c.target, c.proto, port):
        h.check = None if no_check else h.check
        set_port(frame, h.l4, h)
    elif h.inner:
        inner = Headers(bytes(frame), h.inner)
        if (inner.src, inner.dst, inner.proto, inner.dport) == (c.target, own, c.proto, port):
            set_inner_port(frame, h, inner)
    return bytes(frame)


def without_identity(c, frame):
    """A router numbers what it says itself as it likes."""
    h = Headers(frame)
    own = [addr(where[c.version]) for where in (rules.PUBLIC, rules.WAN, rules.LAN)]
    if h.proto != ICMP or h.v6 or h.src not in own:
        return frame
    frame = bytearray(frame)
    replace(frame, h.l3 + 4, b"\0\0", [h.l3 + 10])
    return bytes(frame)


def form(c, step, name, out):
    """Sorted, and without trailers; and how many frames had one."""
    cut = [(side, frame[: Headers(frame).end]) for side, frame in out]
    trailers = sum(frame != whole for (_, frame), (_, whole) in zip(cut, out))
    out = put_together(cut)
    learn_port(c, name, out)
    out = [(side, same_port(c, name, frame)) for side, frame in out]
    if not step.about:
        out = [(side, without_identity(c, frame)) for side, frame in out]
    return sorted(out), trailers


@dataclasses.dataclass
class Difference:
    """A step, and what each router made of it."""

    conversation: Conversation
    step: Step
    ours: list
    theirs: list
    trailers: tuple  # frames that ended in more than their IP packet: ours, theirs
    invalid: int  # packets that connection tracking called invalid meanwhile
    options: object  # of the run

    def __str__(self):
        c, step = self.conversation, self.step
        lines = [f"conversation {c.number}, rule {c.rule.name}, {step.what}, from the {step.side}, "
                 f"odd: {step.spoiled or 'nothing'}, invalid to nft: {self.invalid}"]
        lines += [f"  before    {'; '.join(c.history)}"]
        lines += [f"  sent      {show(frame)}" for frame in step.frames(c.nat_port.get("xdpfwd", 0))]
        lines += [f"  xdpfwd -> {side} {show(frame)}" for side, frame in self.ours]
        lines += [f"  nft    -> {side} {show(frame)}" for side, frame in self.theirs]
        return "\n".join(lines)


def show(frame):
    h = Headers(frame)
    ends = f"{show_addr(h.src)}.{h.sport} > {show_addr(h.dst)}.{h.dport} proto {h.proto}" if h.src else "no IP"
    if h.icmp_type is not None:
        ends += f" type {h.icmp_type}/{frame[h.l4 + 1]}"
    return f"{len(frame) - ETH} octets, {ends}: {frame.hex()}"
