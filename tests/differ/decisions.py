# SPDX-License-Identifier: GPL-2.0-only
"""Every difference between the two routers that is meant to be, by name.

A test gets the difference and says whether it is just this one. `ends`: the
routers remember different things afterwards, and the conversation is over.
`fault`: it is known to be wrong, and waits for its repair.
"""
import dataclasses

import spoil
from expect import forwarded, forwarded_error, is_error_from_router, left_alone
from wire import AH, DSTOPTS, ETH, ICMP, ICMP6, ROUTING, TCP, UDP, Headers, fold, pseudo, words


@dataclasses.dataclass
class Decision:
    name: str
    test: object
    reason: str
    ends: bool = False
    fault: bool = False


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
    h = d.step.packet
    return d.ours in ([], left_alone(d)) or all(
        side == d.step.side and Headers(frame).dst == h.src and Headers(frame).src == h.dst for side, frame in d.ours)


# ---- what both send, in different form


def trailer(d):
    cut = [(side, frame[: Headers(frame).end]) for side, frame in d.ours]
    return d.ours != cut and cut == d.theirs


def check_is_right(h):
    """Is the ICMP checksum?"""
    data = h.frame[h.l4 : h.end]
    total = 0 if h.proto == ICMP else pseudo(h.src, h.dst, h.proto, len(data))
    return fold(total + words(data)) == 0xFFFF


def error_form(d):
    """Both tell the sender the same: type, code, MTU, and about which packet."""
    (side, ours), (their_side, theirs) = only(d.ours), only(d.theirs)
    if not ours or side != their_side or not is_error_from_router(ours) or d.step.about:
        return False
    a, b = Headers(ours), Headers(theirs)
    if b.inner is None or not check_is_right(a):
        return False
    quote = min(len(ours) - a.inner, len(theirs) - b.inner)
    same = ours[a.l4 : a.l4 + 2] == theirs[b.l4 : b.l4 + 2] and \
        ours[a.l4 + 4 : a.inner + quote] == theirs[b.l4 + 4 : b.inner + quote]
    return same and quote >= 28 and a.src == d.step.packet.dst and a.dst == b.dst


def short_tcp(d):
    """Of TCP inside, 18 or 19 octets: the checksum is there, the urgent pointer is not."""
    (side, ours), (their_side, theirs) = only(d.ours), only(d.theirs)
    if not ours or side != their_side or not d.step.about or not d.ours == forwarded_error(d):
        return False
    inner = Headers(ours, Headers(ours).inner)
    return inner.proto == TCP and 18 <= len(ours) - inner.l4 < 20 and len(ours) == len(theirs)


# ---- what only xdpfwd forwards


def invalid(d):
    return d.invalid and d.step.packet.proto == TCP and not d.theirs and d.ours == forwarded(d)


def options(d):
    """The kernel writes into them, refuses them, or complains."""
    return odd(d, "ip_options") and we_forward(d) and not they_forward(d)


def damage(d):
    wrong_icmp = d.step.about and odd(d, "outside: l4_damage", "outside: ip_shorter", "outside: cut")
    return (wrong_icmp or odd(d, "ip_damage")) and not d.theirs and we_forward(d)


def martian(d):
    return d.step.what.startswith("martian") and not they_forward(d) and we_forward(d)


def other_host(d):
    return d.tier == "fast" and odd(d, "link_address") and not d.theirs and we_forward(d)


# ---- what xdpfwd leaves to the kernel


def fragments(d):
    return d.step.parts is not None


def unasked(d):
    """The target speaks of a connection that neither router knows."""
    return d.invalid and d.step.side == "server" and not d.theirs and d.ours == left_alone(d)


def foreign_headers(d):
    chain = d.step.packet.headers
    left = any(number == ROUTING and body[2] for number, body in chain)
    known = all(number in (0, ROUTING, DSTOPTS) for number, _ in chain) and len(chain) <= 6
    return chain and (left or not known) and kernel_has_it(d)


def no_error(d):
    """Source quench is no error any more (RFC 6633), and ICMPv6 has no type 0."""
    kind = d.step.packet.icmp
    return d.step.about and (d.step.packet.proto, kind[0]) in ((ICMP, 4), (ICMP6, 0)) and kernel_has_it(d)


def redirect(d):
    return d.step.about and d.step.packet.icmp[0] == 5 and not d.theirs and kernel_has_it(d)


def short_quote(d):
    quoted = d.step.packet.about.ip() if d.step.about else b""
    headers = 40 if d.step.packet.v6 else 20
    return quoted and d.step.packet.quote < headers + 8 and not d.theirs and kernel_has_it(d)


# ---- what xdpfwd does its own way


def conflict(d):
    return d.step.what.startswith("second rule") and not d.ours


def target_first(d):
    """The target had spoken before: its tuple is taken in conntrack, which gives the client another port."""
    (side, ours), (their_side, theirs) = only(d.ours), only(d.theirs)
    if not theirs or side != their_side or d.ours != forwarded(d) or d.step.direction != "in":
        return False
    a, b = Headers(ours), Headers(theirs)
    return (a.src, a.dst, a.dport) == (b.src, b.dst, b.dport) and a.sport != b.sport


def may_fragment(d):
    h = Headers(only(d.ours)[1])
    return not d.step.packet.df and not h.v6 and h.icmp_type == 3 and d.theirs == forwarded(d)


TABLE = [
    Decision("trailer", trailer, "what follows the IP packet in a frame is the link's; its receiver cuts it off"),
    Decision("error-form", error_form, "our errors come from where the packet went, and quote whole words of it"),
    Decision("short-tcp", short_tcp, "a quoted TCP checksum is translated too, even if nothing follows it"),
    Decision("invalid", invalid, "segments that conntrack calls invalid are the hosts' to judge", ends=True),
    Decision("options", options, "options are passed on as they are", ends=True),
    Decision("damage", damage, "what arrives damaged leaves damaged, and its receiver drops it", ends=True),
    Decision("fragments", fragments, "fragments are the kernel's", ends=True),
    Decision("unasked", unasked, "what belongs to no flow is routed as if there were no rules", ends=True),
    Decision("foreign-headers", foreign_headers, "behind headers that we do not know, ports are not looked for", ends=True),
    Decision("no-error", no_error, "source quench is no error since RFC 6633, nor is ICMPv6 type 0"),
    Decision("redirect", redirect, "redirects are about the link, not about a connection"),
    Decision("short-quote", short_quote, "an error that quotes less than 8 octets of TCP or UDP tells nothing about a flow"),
    Decision("conflict", conflict, "a client port leads to a target by one rule at a time (flow_conflict)", ends=True),
    Decision("target-first", target_first, "only clients open flows, so what a target sent before takes no port", ends=True),
    Decision("may-fragment", may_fragment, "", fault=True),
    Decision("martian", martian, "", fault=True, ends=True),
    Decision("other-host", other_host, "", fault=True, ends=True),
]
BY_NAME = {d.name: d for d in TABLE}


def find(d):
    """The decision that this difference is, or None."""
    return next((decision for decision in TABLE if decision.test(d)), None)
