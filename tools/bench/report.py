# SPDX-License-Identifier: GPL-2.0-only
"""From measurements to figures, medians and spreads, and from these to Markdown."""

import datetime
import os
import platform
import subprocess
from statistics import median

from lab import ROOT, sh
from subjects import PACKETS, title as subject_title


def machine():
    """What a figure cannot be read without."""
    model = "unknown CPU"
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"kernel": platform.release(), "cpu": model, "cores": os.cpu_count()}


def circumstances():
    """And what else tells one run from another."""
    try:
        commit = sh("git", "-C", ROOT, "describe", "--always", "--dirty").strip()
    except (subprocess.SubprocessError, OSError, RuntimeError):
        commit = "unknown"
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"machine": machine(), "date": now.strftime("%Y-%m-%d %H:%M UTC"), "commit": commit,
            "load": os.getloadavg()[0]}


def spread(values):
    return {"median": median(values), "min": min(values), "max": max(values)}


def cost(measurement):
    """ns for a delivered packet; where none is to arrive, for a packet that was taken."""
    return measurement["busy_ns"] / (measurement["delivered"] or measurement["handled"])


def cost_taken(measurement):
    """ns for a packet, whether it was delivered or not."""
    return measurement["busy_ns"] / measurement["handled"]


def ratio(cell, subject, base, of=cost):
    """Its spread over the rounds, in each of which both were measured; None if they were not."""
    both = [r for r in cell["measurements"] if subject in r and base in r]
    return spread([of(r[subject]) / of(r[base]) for r in both]) if both else None


def figures(cell, subject, base):
    mine = [r[subject] for r in cell["measurements"] if subject in r]
    if not mine:
        return None
    costs = [cost(m) for m in mine]
    return {
        "ns_per_packet": spread(costs),
        "ns_per_packet_taken": spread([cost_taken(m) for m in mine]),
        "ratio": ratio(cell, subject, base),
        "packets_per_second_per_core": 1e9 / median(costs),
        "delivered_per_second": median(m["delivered"] / m["seconds"] for m in mine),
        "busy_share": median(m["busy_ns"] / m["seconds"] / 1e9 for m in mine),
        "lost": sum(m["lost"] for m in mine),
        "checked": sum(m["checked"] + m["answers_checked"] for m in mine),
    }


def summarise(cell, subjects):
    """Adds figures of the subjects; the first of them is what the others are compared with."""
    cell["base"] = subjects[0]
    cell["figures"] = {name: figures(cell, name, subjects[0]) for name in subjects}
    return cell


# ---- Markdown

EGRESS_NOTE = {
    "moderated": "the receiver behind the router looks by its own timer, as behind a card with interrupt moderation; "
                 "handing it the packet is the router's work, waking it and freeing the packet are not",
    "wake": "plain veth: the router also wakes the receiver's thread on the other core, for each packet as an skb, "
            "for a batch of XDP frames once; freeing the packet is not its work",
}


def title(cell):
    flows = f"{cell['flows']:,} flow{'s' if cell['flows'] > 1 else ''}" if cell["flows"] else "every packet a new flow"
    rules = f"{cell['rules']:,} rule{'s' if cell['rules'] > 1 else ''}"
    return f"{PACKETS[cell['kind'][:3]]} over IPv{cell['kind'][3]}, {flows}, {rules}, egress {cell['egress']}"


def with_spread(values, digits=2):
    return f"{values['median']:.{digits}f} ({values['min']:.{digits}f}–{values['max']:.{digits}f})" if values else "–"


def row(name, its):
    if its is None:
        return f"| {subject_title(name)} | – | – | – | – | – | – |"
    return (f"| {subject_title(name)} | {its['packets_per_second_per_core'] / 1e6:.2f} M "
            f"| {its['ns_per_packet']['median']:.0f} | {its['ns_per_packet_taken']['median']:.0f} "
            f"| {with_spread(its['ratio'])} | {its['delivered_per_second'] / 1e6:.2f} M | {its['busy_share']:.0%} |")


def packets_table(cell):
    head = (f"| | packets/s on one core | ns/packet | ns/packet taken | × {subject_title(cell['base'])} (min–max) "
            "| delivered/s | core busy |")
    return [f"**{title(cell)}**", "", head, "|---|---|---|---|---|---|---|",
            *(row(name, its) for name, its in cell["figures"].items())]


def machine_line(document):
    computer = document["machine"]
    return (f"{document['date']}, commit {document['commit']}, Linux {computer['kernel']}, {computer['cpu']}, "
            f"{computer['cores']} cores, load {document['load']:.1f} at the end.")


def checked_line(cells):
    every = [its for cell in cells for its in cell["figures"].values() if its]
    return (f"Checked in every address, port and checksum: {sum(f['checked'] for f in every)} packets, none wrong. "
            f"Lost: {sum(f['lost'] for f in every)}.")


def packets(document):
    """What tools/bench/run has measured, as lines of Markdown."""
    cells, how = document["packets"], document["how"]
    lines = [f"64-octet frames (IPv6: 72 with UDP, 88 with TCP) over veth, no offloads but GRO, which finds nothing to "
             f"merge; {how['rounds']} rounds of {how['seconds']:g} s, interleaved; medians."]
    for cell in cells:
        lines += ["", *packets_table(cell)]
    lines.append("")
    lines += [f"- Egress {kind}: {EGRESS_NOTE[kind]}." for kind in sorted({cell["egress"] for cell in cells})]
    return [*lines, "", checked_line(cells)]


def failed(document):
    """What could not be measured though it should have been, as lines of Markdown."""
    lines = [f"- {failure['what']}: {failure['why']}" for failure in document.get("failures", [])]
    return ["", "**Failed**, so not in the tables:", "", *lines] if lines else []
