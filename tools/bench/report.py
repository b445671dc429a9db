# SPDX-License-Identifier: GPL-2.0-only
"""From measurements to figures: medians and spreads, a Markdown table, a JSON document."""

import os
import platform
from statistics import median


def machine():
    """What a figure cannot be read without."""
    model = "unknown CPU"
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"kernel": platform.release(), "cpu": model, "cores": os.cpu_count()}


def spread(values):
    return {"median": median(values), "min": min(values), "max": max(values)}


def summarise(rounds, subject, base):
    """rounds: one {subject: measurement} each. Ratios are taken round by round, then their median."""
    cost = [r[subject]["busy_ns"] / r[subject]["delivered"] for r in rounds]
    base_cost = [r[base]["busy_ns"] / r[base]["delivered"] for r in rounds] if base else cost
    return {
        "ns_per_packet": spread(cost),
        "ratio": spread([own / other for own, other in zip(cost, base_cost)]) if base else None,
        "packets_per_second_per_core": 1e9 / median(cost),
        "delivered_per_second": median(r[subject]["delivered"] / r[subject]["seconds"] for r in rounds),
        "busy_share": median(r[subject]["busy_ns"] / r[subject]["seconds"] / 1e9 for r in rounds),
        "lost": sum(r[subject]["lost"] for r in rounds),
        "checked": sum(r[subject]["checked"] + r[subject]["answers_checked"] for r in rounds),
    }


HEAD = """\
| | packets/s on one core | ns/packet | × bare (min–max) | delivered/s | core busy |
|---|---|---|---|---|---|"""


def row(name, figures):
    ratio = figures["ratio"]
    against = f"{ratio['median']:.2f} ({ratio['min']:.2f}–{ratio['max']:.2f})" if ratio else "–"
    return (f"| {name} | {figures['packets_per_second_per_core'] / 1e6:.2f} M | {figures['ns_per_packet']['median']:.0f} "
            f"| {against} | {figures['delivered_per_second'] / 1e6:.2f} M | {figures['busy_share']:.0%} |")


EGRESS_NOTE = {
    "moderated": "the receiver behind the router looks by its own timer, as behind a card with interrupt moderation; "
                 "handing it the packet is the router's work, waking it and freeing the packet are not",
    "wake": "plain veth: the router also wakes the receiver's thread on the other core, for each packet as an skb, "
            "for a batch of XDP frames once; freeing the packet is not its work",
}


def markdown(document):
    computer = document["machine"]
    lines = [f"Linux {computer['kernel']}, {computer['cpu']}, {computer['cores']} cores. 64-octet UDP frames over veth, "
             f"rules: {document['rules']}, rounds: {document['rounds']} of {document['seconds']:g} s, interleaved; medians."]
    for series in document["series"]:
        lines += ["", f"**{series['flows']} flow{'s' if series['flows'] > 1 else ''}, egress {series['egress']}**", "", HEAD]
        lines += [row(name, figures) for name, figures in series["subjects"].items()]
    checked = sum(f["checked"] for s in document["series"] for f in s["subjects"].values())
    lost = sum(f["lost"] for s in document["series"] for f in s["subjects"].values())
    lines.append("")
    lines += [f"- Egress {kind}: {EGRESS_NOTE[kind]}." for kind in sorted({s["egress"] for s in document["series"]})]
    lines += ["", f"Checked in every address, port and checksum: {checked} packets, none wrong. Lost: {lost}."]
    return "\n".join(lines)
