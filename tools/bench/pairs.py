# SPDX-License-Identifier: GPL-2.0-only
"""The limit for a TCP connection: programs that rewrite both directions by constants and redirect."""

import os
import subprocess

from lab import BUILD, Failure
from subjects import Subject


class Pair(Subject):
    name = "bare XDP redirect, both ways"
    hook = "xdp"

    def set_up(self):
        ports = (("router", self.wan), ("router", self.lan), ("client", self.client), ("target", self.target))
        pair = self.start("router", os.path.join(BUILD, "bench", "pair"), self.hook,
                          *(f"{self.netns[end]}:{device}" for end, device in ports), stdout=subprocess.PIPE)
        if not pair.stdout.readline():
            raise Failure(self.last_error())


class PairTc(Pair):
    name = "bare TC redirect, both ways"
    hook = "tc"


PAIRS = {"pair": Pair, "pair-tc": PairTc}
