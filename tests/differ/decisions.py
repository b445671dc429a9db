# SPDX-License-Identifier: GPL-2.0-only
"""Every difference between the two routers that is meant to be, by name.

A test gets the difference and says whether it is just this one. `ends`: the
routers remember different things afterwards, and the conversation is over.
"""
import dataclasses

import rules
from expect import forwarded, forwarded_error, is_error_from_router, left_alone
from wire import DSTOPTS, ETH, FRAGMENT, HOPOPTS, ICMP, ICMP6, ROUTING, RST, SYN, TCP, Headers, addr, fold, pseudo, words


@dataclasses.dataclass
class Decision:
    name: str
    test: object
    reason: str
    ends: bool = False


FRAGMENTS_MAX = 64  # bpf/frag_table.h: of one datagram, that wait for its first


def only(out):
    return out[0] if len(out) == 1 else (None, b"")


def odd(d, *names):
    return any(name in d.step.spoiled for name in names)


def we_forward(d):
    """xdpfwd sent what it should, had the packet been ordinary."""
    return d.ours and d.ours in (forwarded(d), forwarded_error(d))


def they_forward(d):
    return d.theirs and d.theirs in (forwarded(d), forwarded_error(d))


def kernel_has_it(d):
    """xdpfwd left it alone: the kernel routed it on, or answered or dropped what was for the router itself."""
    sent, got = d.step.packet, [(side, Headers(frame)) for side, frame in d.ours]
    answered = all(side == d.step.side and h.dst == sent.src and (h.src == sent.dst or h.inner) for side, h in got)
    # On its way it may write into the options.
    routed = all(side != d.step.side and (h.src, h.dst) == (sent.src, sent.dst) for side, h in got)
    return answered or d.ours == left_alone(d) or (odd(d, "ip_options") and routed)


# ---- what both send, in different form


def trailer(d):
    """With it, a frame may also be more than the way out carries."""
    length = len(d.step.packet.ip()) + len(d.step.packet.trailer)
    too_long = d.step.packet.trailer and length > min(d.options.mtu_wan, d.options.mtu_lan)
    return d.ours == d.theirs or (too_long and not d.ours and d.theirs == forwarded(d))


def check_is_right(h):
    """Is the ICMP checksum?"""
    data = h.frame[h.l4 : h.end]
    total = 0 if h.proto == ICMP else pseudo(h.src, h.dst, h.proto, len(data))
    return fold(total + words(data)) == 0xFFFF


def told_sender(d):
    """xdpfwd drops the packet and says why, in terms of the sender's connection."""
    side, frame = only(d.ours)
    h = Headers(frame)
    return (side == d.step.side and is_error_from_router(frame) and not d.step.about and check_is_right(h)
            and (h.src, h.dst) == (d.step.packet.dst, d.step.packet.src))


def error_form(d):
    """Both tell the sender the same: type, code, MTU, and about which packet."""
    (side, ours), (their_side, theirs) = only(d.ours), only(d.theirs)
    a, b = Headers(ours), Headers(theirs)
    if not told_sender(d) or side != their_side or b.inner is None or a.dst != b.dst:
        return False
    if ours[a.l4 : a.l4 + 2] + ours[a.l4 + 4 : a.inner] != theirs[b.l4 : b.l4 + 2] + theirs[b.l4 + 4 : b.inner]:
        return False
    if odd(d, "ip_options"):  # the kernel may have written into them
        return True
    quote = min(len(ours) - a.inner, len(theirs) - b.inner)
    return quote >= 28 and ours[a.inner : a.inner + quote] == theirs[b.inner : b.inner + quote]


def short_tcp(d):
    """Of TCP inside, 18 or 19 octets: the checksum is there, the urgent pointer is not."""
    (side, ours), (their_side, theirs) = only(d.ours), only(d.theirs)
    if not ours or side != their_side or not d.step.about or not d.ours == forwarded_error(d):
        return False
    inner = Headers(ours, Headers(ours).inner)
    return inner.proto == TCP and 18 <= len(ours) - inner.l4 < 20 and len(ours) == len(theirs)


def mss(d):
    """nft looks for it behind the end of the options, and gets the checksum wrong at odd offsets."""
    (side, ours), (their_side, theirs) = only(d.ours), only(d.theirs)
    if d.ours != forwarded(d) or side != their_side or not d.step.packet.flags & SYN or not d.step.packet.tcp_options:
        return False
    check, end = Headers(ours).check, Headers(ours).l4 + 20
    return ours[:check] == theirs[:check] and ours[end - 2 : end] == theirs[end - 2 : end] and len(ours) == len(theirs)


# ---- what only xdpfwd forwards


def without_check(out):
    checks = [Headers(frame).check for _, frame in out]
    return [(side, frame[:at] + frame[at + 2 :]) for (side, frame), at in zip(out, checks) if at]


def invalid(d):
    return d.invalid and d.step.packet.proto == TCP and not d.theirs and (d.ours == forwarded(d) or told_sender(d))


def options(d):
    """The kernel writes into them, refuses them, or complains."""
    return odd(d, "ip_options") and (we_forward(d) or told_sender(d)) and not they_forward(d)


def split_damaged(d):
    """In pieces, each of which is damaged as the packet was; here they have been put together."""
    check = slice(ETH + 10, ETH + 12)
    meant = forwarded(d) if odd(d, "ip_damage") and not d.step.packet.df else None
    if not meant or len(d.ours) != 1:
        return False
    (side, ours), (meant_side, frame) = d.ours[0], meant[0]
    return (side, ours[: check.start], ours[check.stop :]) == (meant_side, frame[: check.start], frame[check.stop :])


def damage(d):
    if d.theirs:
        return False
    if split_damaged(d):
        return True
    if d.step.about and odd(d, "outside: ip_shorter"):  # what the checksum covers is not all there
        return without_check(d.ours) == without_check(forwarded_error(d))
    return odd(d, "outside: l4_damage", "ip_damage") and (we_forward(d) or told_sender(d))


def overheard(d):
    standing = len(d.conversation.history) > 1
    return (d.options.tier == "fast" and odd(d, "link_address") and standing and not d.theirs
            and (we_forward(d) or told_sender(d)))


# ---- what xdpfwd leaves to the kernel


def order(d):
    return d.step.what.split(" fragments, ")[1] if d.step.parts else None


def incomplete(d):
    """conntrack puts datagrams together before it looks at them; here each fragment goes on as it came."""
    there = "server" if d.step.direction == "in" else d.conversation.client_side
    pieces = all(side == there and Headers(frame).fragment for side, frame in d.ours)
    return order(d) in ("one missing", "overlapping") and not d.theirs and pieces


def tiny_first(d):
    """Of TCP, the first fragment has the ports, but not the flags (RFC 1858)."""
    return order(d) == "tiny first" and d.step.packet.proto == TCP and kernel_has_it(d)


def too_many(d):
    return order(d) in ("reversed", "shuffled", "one twice", "one missing") and int(d.step.what.split()[0]) > FRAGMENTS_MAX


def unasked(d):
    """The target speaks of a connection that neither router knows."""
    return d.invalid and d.step.side == "server" and not d.theirs and kernel_has_it(d)


def unknown_headers(packet):
    chain = packet.headers
    left = any(number == ROUTING and body[2] for number, body in chain)
    known = all(number in (HOPOPTS, ROUTING, DSTOPTS) for number, _ in chain) and len(chain) <= 6
    return chain and (left or not known)


def foreign_headers(d):
    packets = [d.step.packet] + ([d.step.packet.about] if d.step.about else [])
    return any(unknown_headers(packet) for packet in packets) and kernel_has_it(d)


def no_error(d):
    """Source quench is no error any more (RFC 6633), and ICMPv6 has no type 0."""
    kind = d.step.packet.icmp
    return d.step.about and (d.step.packet.proto, kind[0]) in ((ICMP, 4), (ICMP6, 0)) and kernel_has_it(d)


def nonsense_inside(d):
    return d.step.about and odd(d, "inside: first_octet") and kernel_has_it(d)


def redirect(d):
    return d.step.about and d.step.packet.icmp[0] == 5 and not d.theirs and kernel_has_it(d)


def short_quote(d):
    if not d.step.about or d.theirs or not kernel_has_it(d):
        return False
    inside = Headers(d.step.packet.about.ip(), 0)
    quoted = min(d.step.packet.quote, len(inside.frame)) + d.step.packet.ip_len
    return inside.l4 is None or quoted < inside.l4 + 8


def malformed(d):
    """Its ports are a rule's, and its length fields contradict it: a named drop."""
    return odd(d, "ip_shorter") and not d.ours and d.theirs == left_alone(d)


# ---- what xdpfwd does its own way


def reserved(d):
    """240.0.0.0/4: Linux routes it."""
    side, frame = only(d.theirs)
    routed = side == "server" and Headers(frame).src == d.conversation.seen_client
    return d.step.what.startswith("martian") and d.step.packet.src[0] >> 4 == 15 and not d.ours and routed


def conflict(d):
    return d.step.what.startswith("second rule") and not d.ours


def target_first(d):
    """The target had spoken before: its tuple is taken in conntrack, which gives the client another port."""
    (side, ours), (their_side, theirs) = only(d.ours), only(d.theirs)
    if not theirs or side != their_side or d.ours != forwarded(d) or d.step.direction != "in":
        return False
    a, b = Headers(ours), Headers(theirs)
    return (a.src, a.dst, a.dport) == (b.src, b.dst, b.dport) and a.sport != b.sport


def target_opens(d):
    """To conntrack the connection has ended, and what the target still says begins another."""
    side, frame = only(d.theirs)
    refused = side == d.step.side and Headers(frame).proto == TCP and frame[Headers(frame).l4 + 13] & RST
    still = d.step.direction == "out" and d.step.packet.proto == TCP and d.ours == forwarded(d)
    return still and not d.invalid and (refused or d.theirs == left_alone(d))


def leaves_traces(step):
    """Conntrack may remember a packet of which both routers made the same."""
    return unknown_headers(step.packet)


TABLE = [
    Decision("trailer", trailer, "what follows the IP packet in a frame is the link's; its receiver cuts it off"),
    Decision("error-form", error_form, "our errors come from where the packet went, and quote whole words of it"),
    Decision("short-tcp", short_tcp, "a quoted TCP checksum is translated too, even if nothing follows it"),
    Decision("mss", mss, "options end where they say so, and the checksum is right wherever the MSS stands"),
    Decision("invalid", invalid, "segments that conntrack calls invalid are the hosts' to judge", ends=True),
    Decision("options", options, "options are passed on as they are", ends=True),
    Decision("damage", damage, "what arrives damaged leaves damaged, and its receiver drops it", ends=True),
    Decision("overheard", overheard, "of a flow that stands, the fast tier takes what it hears"),
    Decision("incomplete", incomplete, "each fragment goes on as it came, though its datagram never gets whole", ends=True),
    Decision("tiny-first", tiny_first, "a first fragment with less than a TCP header is left alone, and so are the others",
             ends=True),
    Decision("too-many", too_many, "of more fragments than can wait, the kernel gets some, and the datagram is lost", ends=True),
    Decision("unasked", unasked, "what belongs to no flow is routed as if there were no rules", ends=True),
    Decision("foreign-headers", foreign_headers,
             "ports are not looked for behind headers that we do not know", ends=True),
    Decision("no-error", no_error, "source quench is no error since RFC 6633, nor is ICMPv6 type 0"),
    Decision("nonsense-inside", nonsense_inside, "of what has no IP header, ports are not looked for"),
    Decision("redirect", redirect, "redirects are about the link, not about a connection"),
    Decision("short-quote", short_quote,
             "an error that quotes less than 8 octets of TCP or UDP tells nothing about a flow"),
    Decision("malformed", malformed, "a packet for a rule that contradicts its own length is dropped by that name"),
    Decision("reserved", reserved, "reserved addresses are no sources (RFC 1812, 5.3.7)", ends=True),
    Decision("conflict", conflict, "a client port leads to a target by one rule at a time (flow_conflict)", ends=True),
    Decision("target-first", target_first,
             "only clients open flows, so what a target sent before takes no port", ends=True),
    Decision("target-opens", target_opens, "a flow that closes still carries what its target says", ends=True),
]
BY_NAME = {d.name: d for d in TABLE}


def find(d):
    """The decision that this difference is, or None."""
    return next((decision for decision in TABLE if decision.test(d)), None)
