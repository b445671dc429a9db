#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Sends random packets through both routers and compares what comes out.

Exit code 0: the same, but for differences that are decisions; 1: one that is
not. The report is on standard output, in lines of plain text.
"""
import argparse
import collections
import os
import random
import sys

import decisions
import normal
from link import Router
from scenes import scene
from talk import Conversation

AT_ONCE = 6  # conversations under way
SHOWN = 12  # unexplained differences that are shown in full


class Run:
    def __init__(self, options):
        self.options = options
        self.rng = random.Random(options.seed)
        self.routers = {"xdpfwd": Router(""), "nft": Router("-nft")}
        self.packets = self.alike = self.started = 0
        self.kinds = collections.Counter()
        self.explained = collections.Counter()
        self.unexplained = []

    def begin(self):
        self.started += 1
        c = Conversation(self.options.seed, self.started)
        return c, scene(c)

    def exchange(self, c, step):
        """What each router makes of the step, in the form in which the two are compared."""
        nft = self.routers["nft"]
        before, forms = nft.invalid(), []
        for name, router in self.routers.items():
            got = router.exchange(step.side, step.frames(c.nat_port.get(name, 0)))
            forms.append(normal.form(c, step, name, got))
        (ours, our_trailers), (theirs, their_trailers) = forms
        return normal.Difference(c, step, ours, theirs, (our_trailers, their_trailers), nft.invalid() - before,
                                 self.options)

    def run_step(self, c, step):
        """False: the conversation cannot go on, since the routers remember different things of it."""
        d = self.exchange(c, step)
        c.history.append(f"{step.side} {step.what} {step.spoiled}".strip())
        self.packets += 1
        self.kinds[step.what.split(",")[0].split(" about")[0]] += 1
        if d.ours == d.theirs and d.trailers[0] == d.trailers[1]:
            self.alike += 1
            return not decisions.leaves_traces(step)
        decision = decisions.find(d)
        if decision is None:
            self.unexplained.append((self.packets, d))
            return False
        self.explained[decision.name] += 1
        return not decision.ends

    def run(self):
        talks = [self.begin() for _ in range(AT_ONCE)]
        while self.packets < self.options.packets:
            i = self.rng.randrange(AT_ONCE)
            c, steps = talks[i]
            step = next(steps, None)
            if step is None or not self.run_step(c, step):
                talks[i] = self.begin()

    def report(self):
        print(f"seed {self.options.seed}, {self.options.tier}: {self.packets} packets of {self.started} conversations, "
              f"{self.alike} alike, {sum(self.explained.values())} by decision, {len(self.unexplained)} unexplained")
        for name, count in sorted(self.explained.items()):
            print(f"{count:6} {name}: {decisions.BY_NAME[name].reason}")
        for number, d in self.unexplained[:SHOWN]:
            print(f"packet {number}: {d}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tier", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--packets", type=int, required=True)
    parser.add_argument("--mtu-wan", type=int, required=True)
    parser.add_argument("--mtu-lan", type=int, required=True)
    options = parser.parse_args()
    # One CPU: every packet is through before the marker behind it is.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    run = Run(options)
    run.run()
    run.report()
    return 1 if run.unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
