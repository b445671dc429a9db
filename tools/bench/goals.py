# SPDX-License-Identifier: GPL-2.0-only
"""What the project wants to reach, and whether a run of tools/bench/all shows it."""

from dataclasses import dataclass

from pairs import PAIRS
from plan import MANY
from report import cost, cost_taken, ratio, spread, title
from scene import NEW
from subjects import title as subject_title
from tcplab import FORWARDERS

OURS = ("stateless", "fast", "masq", "full", "full-masq", "full-stateless")
OTHERS = ("route", "nft", "nft-masq", "iptables", "haproxy", "nginx", "socat")


@dataclass
class Goal:
    what: str
    limit: float  # None: told, without a limit
    found: dict	  # a spread, or None if it was not measured
    least: bool = False  # the limit is a lower one

    def verdict(self):
        if self.found is None:
            return "not measured"
        if self.limit is None:
            return "–"
        value = self.found["median"]
        return "reached" if (value >= self.limit if self.least else value <= self.limit) else "**missed**"


def find(document, kind, flows, rules=1, egress="moderated", having=()):
    for cell in document.get("packets", []):
        if ((cell["kind"], cell["flows"], cell["rules"], cell["egress"]) == (kind, flows, rules, egress)
                and all(cell["figures"].get(name) for name in having)):
            return cell
    return None


def against(document, subject, base, where, of=cost):
    cell = find(document, *where, having=(subject, base))
    return ratio(cell, subject, base, of) if cell else None


def program(document, path, flows):
    for row in document.get("programs", {}).get("rows", []):
        if (row["path"], row["flows"]) == (path, flows):
            return row
    return None


def two_cpus(document, path):
    return next((two["ratio"] for two in document.get("programs", {}).get("two_cpus", []) if two["path"] == path), None)


def tcp(document, offloads, key, pair):
    for part in document.get("tcp", []):
        both = [r for r in part["measurements"] if all(key in r.get(name, {}) for name in pair)]
        if part["offloads"] == offloads and both:
            return spread([r[pair[0]][key] / r[pair[1]][key] for r in both])
    return None


def of_programs(document):
    yield Goal("the program alone, stateless, 1,000 flows, ns", 60, program(document, "stateless, IPv4", 1000))
    yield Goal("the program alone, tracked, 1,000 flows, ns", 85, program(document, "flow hit, IPv4", 1000))
    yield Goal("the program alone, tracked, 100,000 flows, ns", 210, program(document, "flow hit, IPv4", 100000))
    yield Goal("two CPUs carry of what one does, tracked", 1.9, two_cpus(document, "flow hit, IPv4"), True)
    yield Goal("two CPUs carry of what one does, stateless", 1.9, two_cpus(document, "stateless, IPv4"), True)


def of_fast_tier(document):
    for flows in (1, 1000, 100000, 1000000):
        yield Goal(f"stateless, {flows:,} flow{'s' if flows > 1 else ''}, × bare", 1.25, against(document, "stateless", "bare", ("udp4", flows)))
    for flows, limit in ((1000, 1.45), (100000, 2.5), (1000000, 3.2)):
        yield Goal(f"tracked, {flows:,} flows, × bare", limit, against(document, "fast", "bare", ("udp4", flows)))
    yield Goal("masquerade, 1,000 flows, × bare", 1.45, against(document, "masq", "bare", ("udp4", 1000)))
    for flows, limit in ((100000, 2.5), (1000000, 3.2)):
        yield Goal(f"masquerade, {flows:,} TCP flows, × bare", limit,
                   against(document, "masq", "bare", ("ack4", flows, MANY)))
    for subject in ("stateless", "fast"):
        for flows in (1000, 100000):
            for rules in (10000, 100000):
                yield Goal(f"{named(subject)}, {flows:,} flows, {rules:,} rules, × 1 rule", 1.1,
                           against(document, f"{subject}@{rules}", subject, ("udp4", flows)))
        yield Goal(f"{named(subject)}, IPv6 × IPv4", 1.15, against(document, f"{subject}/udp6", subject, ("udp4", 1000)))


def of_strangers(document):
    yield Goal("every packet a new flow, × bare", 6, against(document, "fast", "bare", ("udp4", NEW)))
    yield Goal("every packet a new flow, masquerade, × bare", 8, against(document, "masq", "bare", ("syn4", NEW, MANY)))
    yield Goal("the same when ports run out, each packet taken, × bare", None,
               against(document, "masq", "bare", ("udp4", NEW), cost_taken))
    yield Goal("refused by policy, × bare drop", 1.15, against(document, "refused", "bare-drop", ("udp4", 1000)))
    yield Goal("nobody's, × bare pass", 1.15, against(document, "nobody", "bare-pass", ("udp4", 1000)))


def of_full_tier(document):
    yield Goal("full tier, × bare TC redirect", 1.2, against(document, "full", "bare-tc", ("udp4", 1000)))
    yield Goal("full tier, packets/s on one core, × nftables", 1.5, against(document, "nft", "full", ("udp4", 1000)), True)
    yield Goal("full tier, TCP bulk with GSO, × nftables", 1, tcp(document, "gso", "bits_per_second", ("full", "nft")), True)
    yield Goal("full tier, TCP bulk with GSO, × bare TC both ways", None,
               tcp(document, "gso", "bits_per_second", ("full", "pair-tc")))
    yield Goal("fast tier, TCP bulk without offloads, × bare XDP both ways", None,
               tcp(document, "none", "bits_per_second", ("fast", "pair")))


def of_latency(document):
    for key, what in (("p50_us", "p50"), ("p99_us", "p99")):
        yield Goal(f"fast tier, round trip {what}, × bare XDP both ways", None, tcp(document, "none", key, ("fast", "pair")))
        for other, limit in (("nft", 0.92), ("haproxy", 0.5)):
            yield Goal(f"fast tier, round trip {what}, × {named(other)}", limit, tcp(document, "none", key, ("fast", other)))
    yield Goal("fast tier, connections/s, × bare XDP both ways", None,
               tcp(document, "none", "close_per_second", ("fast", "pair")))
    for other in ("nft", "haproxy"):
        yield Goal(f"fast tier, connections/s, × {named(other)}", 1,
                   tcp(document, "none", "close_per_second", ("fast", other)), True)


def goals(document):
    return [goal for part in (of_programs, of_fast_tier, of_strangers, of_full_tier, of_latency) for goal in part(document)]


def named(word):
    return FORWARDERS[word].name if word in FORWARDERS else subject_title(word)


def short(value):
    """Three digits: two would make a goal that is just missed look reached."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(document):
    """Lines of Markdown."""
    lines = ["| goal | limit | measured (min–max) | |", "|---|---|---|---|"]
    for goal in goals(document):
        limit = "–" if goal.limit is None else f"{'≥' if goal.least else '≤'} {goal.limit:g}"
        found = "–" if goal.found is None else (f"{short(goal.found['median'])} ({short(goal.found['min'])}–"
                                                f"{short(goal.found['max'])})")
        lines.append(f"| {goal.what} | {limit} | {found} | {goal.verdict()} |")
    return lines


# ---- where something else is faster

def slower_packets(cell):
    costs = {name: its["ns_per_packet"]["median"] for name, its in cell["figures"].items() if its}
    for ours in OURS:
        for other in OTHERS:
            if ours in costs and other in costs and costs[ours] > costs[other]:
                yield f"{title(cell)}: {named(ours)} {costs[ours]:.0f} ns, {named(other)} {costs[other]:.0f} ns"


def limits(its, unit):
    """What bare programs reach there: no program of that kind is faster."""
    return "".join(f"; {named(bare)} {short(its[bare])} {unit}" for bare in PAIRS if bare in its)


def slower_tcp(part, figures):
    for key, what, unit, divisor, more in figures:
        its = {name: each[key]["median"] / divisor for name, each in part["figures"].items() if key in each}
        for ours in OURS:
            for other in OTHERS:
                if ours in its and other in its and (its[ours] < its[other]) == more and its[ours] != its[other]:
                    yield (f"TCP, offloads {part['offloads']}, {what}: {named(ours)} {short(its[ours])} {unit}, "
                           f"{named(other)} {short(its[other])} {unit}{limits(its, unit)}")


def slower(document, figures):
    """Lines of Markdown, one for each pair."""
    found = [line for cell in document.get("packets", []) for line in slower_packets(cell)]
    found += [line for part in document.get("tcp", []) for line in slower_tcp(part, figures)]
    return [f"- {line}" for line in found] or ["- Nowhere in this run."]
