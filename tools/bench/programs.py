# SPDX-License-Identifier: GPL-2.0-only
"""What the fast tier's program costs by itself, path by path: BPF_PROG_RUN over an empty program."""

import os
import subprocess
from statistics import median

from lab import BUILD, Failure, rules, sh
from report import spread
from subjects import FastTier, endpoint

PATHS_SECONDS, TWO_CPUS_SECONDS = 20, 30  # for each number of flows; for two CPUs; about
TWO_CPUS_ROUNDS, TWO_CPUS_FLOWS, TWO_CPUS_PATHS = 3, 1000, ("flow hit, IPv4", "stateless, IPv4")
SECOND_HALF = 1 << 20  # flows of the second CPU begin there: in a network card, a flow has one queue

# By their distance from the listen port, as in cost.c.
RULES = (["--source", "preserve"], ["--source", "masquerade"], ["--source", "preserve", "--stateless"],
         ["--source", "preserve", "--deny", "198.18.0.0/15,2001:db8::/32"])


class ProgramLab(FastTier):
    def __init__(self, router_cpu, load_cpu):
        super().__init__(len(RULES), router_cpu, load_cpu, families=(4, 6))

    def add_rules(self):
        for family in self.families:
            for options, (listen, port, target, to) in zip(RULES, rules(self.n_rules, family)):
                self.xdpfwd("map", "add", "udp", endpoint(listen, port), endpoint(target, to), *options)

    def command(self, cpu, flows, path="", base=0):
        ports = {"--wan": self.wan, "--lan": self.lan}
        where = [word for option, device in ports.items() for word in (option, f"{self.netns['router']}:{device}")]
        return [os.path.join(BUILD, "bench", "cost"), *where, "--cpu", str(cpu), "--path", path, "--base", str(base),
                *map(str, flows)]


def parse(out):
    """[{"path", "flows" (0: new ones), "median", "min", "max"}, ...], in ns."""
    rows = []
    for line in out.splitlines():
        path, *numbers = line.split("\t")
        rows.append({"path": path, **dict(zip(("flows", "median", "min", "max"), map(int, numbers)))})
    return rows


def at_once(commands):
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    outs = [process.communicate(timeout=300)[0] for process in running]
    if any(process.returncode for process in running):
        raise Failure("cost: one of two at a time failed")
    return [parse(out)[0]["median"] for out in outs]


def two_cpus(lab, path):
    """How much more two CPUs carry together than one, each with flows of its own."""
    both = [lab.command(cpu, [TWO_CPUS_FLOWS], path, base)
            for cpu, base in ((lab.router_cpu, 0), (lab.load_cpu, SECOND_HALF))]
    ratios, alone_ns, both_ns = [], [], []
    for _ in range(TWO_CPUS_ROUNDS):
        alone = [at_once([command])[0] for command in both]
        together = at_once(both)
        ratios.append(sum(1 / ns for ns in together) / (sum(1 / ns for ns in alone) / 2))
        alone_ns.append(median(alone))
        both_ns.append(median(together))
    return {"path": path, "alone_ns": spread(alone_ns), "together_ns": spread(both_ns), "ratio": spread(ratios)}


def measure(how, flows, with_two=True):
    lab = ProgramLab(how.router_cpu, how.load_cpu)
    try:
        lab.up()
        rows = parse(sh(*lab.command(how.router_cpu, flows), timeout=600))
        return {"rows": rows, "two_cpus": [two_cpus(lab, path) for path in TWO_CPUS_PATHS] if with_two else []}
    finally:
        lab.down()


def expected_seconds(numbers_of_flows, with_two):
    return numbers_of_flows * PATHS_SECONDS + with_two * TWO_CPUS_SECONDS


def table(part):
    """Lines of Markdown."""
    lines = ["| path | flows | ns/packet (min–max) |", "|---|---|---|"]
    lines += [f"| {row['path']} | {row['flows'] or 'new'} | {row['median']} ({row['min']}–{row['max']}) |"
              for row in part["rows"]]
    lines += [""] if part["two_cpus"] else []
    lines += [f"Two CPUs at once, {two['path']}: {two['together_ns']['median']:.0f} ns each beside "
              f"{two['alone_ns']['median']:.0f} alone; together they carry {two['ratio']['median']:.2f} "
              f"({two['ratio']['min']:.2f}–{two['ratio']['max']:.2f}) times what one does." for two in part["two_cpus"]]
    return lines
