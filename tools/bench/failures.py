# SPDX-License-Identifier: GPL-2.0-only
"""What a run could not measure: told at once, and kept beside what it could."""

import subprocess
import sys

from lab import Failure

KNOWN = (Failure, subprocess.SubprocessError, OSError, ValueError)


class Failures:
    def __init__(self):
        self.all = []  # [{"what", "why"}, ...]

    def attempt(self, what, function, *arguments):
        """The function's result, or None if it failed."""
        try:
            return function(*arguments)
        except KNOWN as failure:
            why = " ".join(str(failure).split())
            print(f"bench: {what}: {why}", file=sys.stderr)
            self.all.append({"what": what, "why": why})
            return None


class Labs:
    """Labs of one scene, by subject. One that fails is left out from then on; the others are measured."""

    def __init__(self, what, labs, failures):
        self.what, self.labs, self.failures = what, labs, failures
        self.well = set()

    def up(self, prepare):
        for name, lab in self.labs.items():
            if self.attempt(name, prepare, lab):
                self.well.add(name)

    def attempt(self, name, function, *arguments):
        result = self.failures.attempt(f"{self.what}, {self.labs[name].name}", function, *arguments)
        if result is None:
            self.well.discard(name)
        return result

    def measure(self, names, measure):
        """One round: {subject: measurement}, of those that are well."""
        taken = {name: self.attempt(name, measure, self.labs[name]) for name in names if name in self.well}
        return {name: measurement for name, measurement in taken.items() if measurement is not None}

    def confirm(self, rounds):
        """What was measured of a subject that did not forward as it should have is taken out again."""
        measured = {name for measurements in rounds for name in measurements}
        for name in measured:
            if self.attempt(name, confirmed, self.labs[name]) is None:
                for measurements in rounds:
                    measurements.pop(name, None)

    def down(self):
        for lab in self.labs.values():
            lab.down()


def confirmed(lab):
    lab.confirm()
    return True
