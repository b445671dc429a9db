# SPDX-License-Identifier: GPL-2.0-only
"""What a packet becomes if xdpfwd forwards it, computed apart from both routers."""
import struct

from fragments import put_together
from link import MACS
from normal import CANONICAL_PORT
from wire import ETH, ICMP, SYN, TCP, Headers, replace, translate


def narrower(d):
    """Octets that both ways of the conversation carry."""
    ways = [d.options.mtu_lan] + ([d.options.mtu_wan] if d.conversation.client_side == "client" else [])
    return min(ways)


def lower_mss(frame, mtu):
    """A SYN's maximum segment size, so that both ways carry it."""
    h = Headers(frame)
    if h.proto != TCP or len(frame) < h.l4 + 20 or not frame[h.l4 + 13] & SYN:
        return frame
    most = mtu - (60 if h.v6 else 40)
    at, end = h.l4 + 20, h.l4 + (frame[h.l4 + 12] >> 4) * 4
    while at + 4 <= end and frame[at] not in (0, 2):
        if frame[at] > 1 and frame[at + 1] < 2:
            return frame
        at += 1 if frame[at] == 1 else frame[at + 1]
    if at + 4 > end or frame[at] != 2 or frame[at + 1] != 4 or struct.unpack_from("!H", frame, at + 2)[0] <= most:
        return frame
    frame, start = bytearray(frame), at + 2 - (at - h.l4) % 2
    words = bytearray(frame[start : start + 4])
    struct.pack_into("!H", words, at + 2 - start, most)
    replace(frame, start, bytes(words), [h.check])
    return bytes(frame)


def link_header(side, frame):
    return MACS[side][1] + MACS[side][0] + frame[12:14]


def forwarded(d):
    """The conversation's own packet on its way: what comes out, if all is well."""
    c, step = d.conversation, d.step
    if not step.direction or step.parts:
        return None
    sent = step.frames(c.nat_port.get("xdpfwd", 0))[0]
    becomes = c.arrived(step.direction)
    sport, dport = becomes.ports(CANONICAL_PORT)
    side = "server" if step.direction == "in" else c.client_side
    frame = lower_mss(translate(sent, becomes.src, becomes.dst, sport, dport), narrower(d))
    return [(side, link_header(side, frame) + frame[ETH : Headers(frame).end])]


def forwarded_error(d):
    """The same of an ICMP error about the conversation, if nothing in it is damaged."""
    c, step = d.conversation, d.step
    if not step.about:
        return None
    before = c.packet(step.about)
    inside = step.packet.about.but(src=before.src, dst=before.dst, sport=before.sport, dport=before.dport)
    towards_client = step.about == "in"
    source = c.listen if towards_client else c.seen_client if c.hides_client else step.packet.src
    packet = step.packet.but(src=source, dst=inside.src, about=inside, ttl=step.packet.ttl - 1,
                             eth_dst=None)
    side = c.client_side if towards_client else "server"
    frame = packet.build((MACS[side][1], MACS[side][0]), CANONICAL_PORT)
    return [(side, frame[: Headers(frame).end])]


def one_hop_less(frame):
    frame, h = bytearray(frame), Headers(bytes(frame))
    if h.v6:
        frame[h.l3 + 7] = (frame[h.l3 + 7] - 1) & 255
    else:
        replace(frame, h.l3 + 8, bytes([(frame[h.l3 + 8] - 1) & 255, frame[h.l3 + 9]]), [h.l3 + 10])
    return bytes(frame)


def left_alone(d):
    """Routed by the kernel as if there were no rules."""
    side = "server" if d.step.side == "client" else "client"
    sent = [one_hop_less(frame) for frame in d.step.frames(d.conversation.nat_port.get("xdpfwd", 0))]
    sent = put_together([(side, frame[: Headers(frame).end]) for frame in sent])
    return sorted((side, link_header(side, frame) + frame[ETH:]) for _, frame in sent)


def is_error_from_router(frame):
    h = Headers(frame)
    return h.inner is not None and h.icmp_type in ((3, 11, 12) if h.proto == ICMP else (1, 2, 3, 4))
