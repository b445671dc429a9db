# SPDX-License-Identifier: GPL-2.0-only
"""Packets of one kind, by so many rules, through several subjects side by side."""

import json
import os
import sys
from dataclasses import dataclass, field, replace

from failures import Labs
from lab import BUILD, Failure, sh
from subjects import SUBJECTS

KINDS = ("udp4", "udp6", "ack4", "ack6", "syn4", "syn6")

# Frames of a veth are delivered by a wake-up of the receiver's thread, or, as behind a
# network card that moderates its interrupts, when the receiver's timer makes it look.
EGRESS = {
    "moderated": {"napi_defer_hard_irqs": 100, "gro_flush_timeout": 50000},
    "wake": {"napi_defer_hard_irqs": 0, "gro_flush_timeout": 0},
}

# drive.c's start and warm-up, and about a million packets a second while flows are made, two of each and two answers.
START_SECONDS, FLOW_SECONDS = 0.6, 4e-6
LAB_SECONDS, RULE_SECONDS = 1.5, 0.02
NEW = 0  # instead of a number of flows: each packet is a new one
NEW_STEP = 1 << 20  # flows between the first ones of two measurements


@dataclass
class Scene:
    subjects: list
    kind: str = "udp4"
    rules: int = 1
    flows: list = field(default_factory=lambda: [1000])
    egress: str = "moderated"

    def seconds(self, rounds, seconds):
        """How long it takes, about."""
        labs = len(self.subjects) * (LAB_SECONDS + RULE_SECONDS * min(self.rules, 1000))
        return labs + rounds * len(self.subjects) * sum(START_SECONDS + seconds + FLOW_SECONDS * f for f in self.flows)


@dataclass
class How:
    """The same for all scenes of a run."""
    rounds: int
    seconds: float
    router_cpu: int
    load_cpu: int
    verify: bool = False


def possible(scene):
    """The scene without the subjects that cannot have so many rules; what these are, and why."""
    missing = {name: SUBJECTS[name].missing(scene.rules) for name in scene.subjects}
    missing = {name: why for name, why in missing.items() if why}
    return replace(scene, subjects=[name for name in scene.subjects if name not in missing]), missing


def make_lab(name, scene, how):
    lab = SUBJECTS[name](scene.rules, how.router_cpu, how.load_cpu, families=(int(scene.kind[3]),))
    lab.proto = "udp" if scene.kind.startswith("udp") else "tcp"
    lab.max_flows = max(scene.flows)
    return lab


def moderate(lab, egress):
    lab.device_attributes("target", lab.target, EGRESS[egress])


def drive(lab, scene, flows, number, how):
    """One measurement, as tools/bench/drive.c prints it."""
    ports = {"client": ("client", lab.client), "router-in": ("router", lab.wan),
             "router-out": ("router", lab.lan), "target": ("target", lab.target)}
    command = [os.path.join(BUILD, "bench", "drive"), *lab.drive, "--kind", scene.kind]
    for option, (end, device) in ports.items():
        command += [f"--{option}", f"{lab.netns[end]}:{device}"]
    for device in (lab.wan, lab.lan):
        command += ["--thread", str(lab.threads[device])]
    if flows == NEW:
        command += ["--new-from", str(number % 16 * NEW_STEP)]
    else:
        command += ["--flows", str(flows)]
    command += ["--verify"] if how.verify else []
    command += ["--rules", str(scene.rules), "--ms", str(int(how.seconds * 1000)), "--generator-cpu", str(how.load_cpu)]
    try:
        return json.loads(sh(*command, timeout=60 + how.seconds))
    except Failure as failure:
        raise Failure(f"{flows} flows: {str(failure).rsplit('drive: ', 1)[-1]}") from None


def prepare(lab, egress):
    lab.up()
    moderate(lab, egress)
    return lab


def measure(scene, how, failures):
    """
    [{"kind", "rules", "flows", "egress", "measurements": [{subject: measurement}, ...]}, ...], one for each number
    of flows. Every round measures everything, each time in another order.
    """
    what = f"{scene.kind}, rules {scene.rules}, {scene.egress}"
    labs = Labs(what, {name: make_lab(name, scene, how) for name in scene.subjects}, failures)
    cells = {flows: [] for flows in scene.flows}
    try:
        labs.up(lambda lab: prepare(lab, scene.egress))
        for number in range(how.rounds):
            print(f"{what}: round {number + 1} of {how.rounds}", file=sys.stderr)
            turn = number % len(scene.subjects)
            names = scene.subjects[turn:] + scene.subjects[:turn]
            for flows in scene.flows:
                fit = [name for name in names if (labs.labs[name].limit() or flows) >= flows]
                cells[flows].append(labs.measure(fit, lambda lab: drive(lab, scene, flows, number, how)))
        labs.confirm([measurements for rounds in cells.values() for measurements in rounds])
    finally:
        labs.down()
    return [{"kind": scene.kind, "rules": scene.rules, "flows": flows, "egress": scene.egress, "measurements": measured}
            for flows, measured in cells.items()]
