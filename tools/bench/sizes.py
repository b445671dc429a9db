# SPDX-License-Identifier: GPL-2.0-only
"""What a rule and a flow take of memory, and how long it takes to make rules."""

import json
import os
import time

from lab import rules, sh
from subjects import FastTier, endpoint

STATE_ROOT = "/sys/fs/bpf"
RULES, FLOWS, ADDED = 10000, 100000, 50
SECONDS = 30  # all of it, about
APPLIED = [1, 100, 1000, 10000, 100000]


class SizeLab(FastTier):
    """Loaded by the measurement itself, as often as it wants."""

    def set_up(self):
        self.forward()

    def load(self, max_rules, max_flows):
        self.xdpfwd("load", self.wan, self.lan, "--max-rules", str(max_rules), "--max-flows", str(max_flows))

    def memory(self):
        """Octets of all maps of the instance, as the kernel counts them."""
        state = os.path.join(STATE_ROOT, self.netns["router"])
        total = 0
        for directory, _, names in os.walk(state):
            for name in names:
                path = os.path.join(directory, name)
                try:
                    total += json.loads(sh("bpftool", "-j", "map", "show", "pinned", path)).get("bytes_memlock", 0)
                except RuntimeError:
                    pass  # a program, or a link
        return total

    def memory_with(self, max_rules, max_flows):
        self.load(max_rules, max_flows)
        octets = self.memory()
        self.xdpfwd("unload", "--all")
        return octets


def memory(lab):
    """Of what is set aside for each, and what a rule takes beyond that."""
    base = lab.memory_with(RULES, FLOWS)
    a_rule = (lab.memory_with(2 * RULES, FLOWS) - base) / RULES
    a_flow = (lab.memory_with(RULES, 2 * FLOWS) - base) / FLOWS
    lab.load(RULES, FLOWS)
    empty, begin = lab.memory(), time.monotonic()
    for listen, port, target, to in rules(ADDED):
        lab.xdpfwd("map", "add", "udp", endpoint(listen, port), endpoint(target, to))
    seconds = time.monotonic() - begin
    made = (lab.memory() - empty) / ADDED
    lab.xdpfwd("unload", "--all")
    return {"rule_octets": a_rule, "rule_octets_made": made, "flow_octets": a_flow, "map_add_ms": 1000 * seconds / ADDED}


def apply_times(lab):
    """[{"rules", "seconds", "again_seconds"}, ...]: to make them, and to find that nothing is to be done."""
    if lab.missing(max(APPLIED)):
        return []
    times = []
    for n in APPLIED:
        lab.load(2 * n + 1000, FLOWS)
        taken = []
        for _ in range(2):
            begin = time.monotonic()
            lab.apply(n)
            taken.append(time.monotonic() - begin)
        times.append({"rules": n, "seconds": taken[0], "again_seconds": taken[1]})
        lab.xdpfwd("unload", "--all")
    return times


def measure(how):
    lab = SizeLab(1, how.router_cpu, how.load_cpu)
    try:
        lab.up()
        return {**memory(lab), "apply": apply_times(lab)}
    finally:
        lab.down()


def table(part):
    """Lines of Markdown."""
    lines = ["| | |", "|---|---|",
             f"| memory set aside for a flow (`--max-flows`) | {part['flow_octets']:.0f} octets |",
             f"| memory set aside for a rule (`--max-rules`) | {part['rule_octets']:.0f} octets |",
             f"| and taken when it is made | {part['rule_octets_made']:.0f} octets |",
             f"| `map add`, each | {part['map_add_ms']:.1f} ms |"]
    lines += [f"| `apply` of {row['rules']:,} rules; again, without a difference | {row['seconds']:.2f} s; "
              f"{row['again_seconds']:.2f} s |" for row in part["apply"]]
    return lines
