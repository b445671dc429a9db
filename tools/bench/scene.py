# SPDX-License-Identifier: GPL-2.0-only
"""Packets of one kind, by so many rules, through several subjects side by side."""

import json
import os
import sys
from dataclasses import dataclass, field, replace

import conntrack
from failures import Labs
from lab import BUILD, Failure, sh
from subjects import MANY_RULES, SUBJECTS, Netfilter, Variant

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

    def variants(self):
        return {word: Variant.of(word, self.rules, self.kind) for word in self.subjects}

    def seconds(self, rounds, seconds):
        """How long it takes, about."""
        labs = sum(LAB_SECONDS + RULE_SECONDS * min(its.rules, MANY_RULES) for its in self.variants().values())
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
    missing = {word: SUBJECTS[its.name].missing(its.rules) for word, its in scene.variants().items()}
    missing = {name: why for name, why in missing.items() if why}
    return replace(scene, subjects=[name for name in scene.subjects if name not in missing]), missing


def make_lab(word, scene, how):
    its = scene.variants()[word]
    lab = SUBJECTS[its.name](its.rules, how.router_cpu, how.load_cpu, families=(int(its.kind[3]),))
    lab.proto = "udp" if its.kind.startswith("udp") else "tcp"
    lab.kind = its.kind
    lab.max_flows = max(scene.flows)
    return lab


def moderate(lab, egress):
    lab.device_attributes("target", lab.target, EGRESS[egress])


def drive(lab, scene, flows, number, how):
    """One measurement, as tools/bench/drive.c prints it."""
    ports = {"client": ("client", lab.client), "router-in": ("router", lab.wan),
             "router-out": ("router", lab.lan), "target": ("target", lab.target)}
    command = [os.path.join(BUILD, "bench", "drive"), *lab.drive, "--kind", lab.kind]
    for option, (end, device) in ports.items():
        command += [f"--{option}", f"{lab.netns[end]}:{device}"]
    for device in (lab.wan, lab.lan):
        command += ["--thread", str(lab.threads[device])]
    if flows == NEW:
        command += ["--new-from", str(number % 16 * NEW_STEP)]
    else:
        command += ["--flows", str(flows)]
    command += ["--verify"] if how.verify else []
    command += ["--rules", str(lab.n_rules), "--ms", str(int(how.seconds * 1000)), "--generator-cpu", str(how.load_cpu)]
    try:
        return json.loads(sh(*command, timeout=60 + how.seconds))
    except Failure as failure:
        raise Failure(f"{flows} flows: {str(failure).rsplit('drive: ', 1)[-1]}") from None


def prepare(lab, egress):
    lab.up()
    moderate(lab, egress)
    return lab


def without_room(labs, flows):
    """Of the labs, those that have no room for so many flows: {subject: why}."""
    return {name: f"room for {lab.limit():,} connections (nf_conntrack_max)" for name, lab in labs.items()
            if (lab.limit() or flows) < flows}


def one_round(scene, labs, number, how):
    """[({subject: measurement}, {subject: why there is none}), ...], one for each number of flows."""
    turn = number % len(scene.subjects)
    names = scene.subjects[turn:] + scene.subjects[:turn]
    for flows in scene.flows:
        missing = without_room({name: labs.labs[name] for name in labs.well}, flows)
        fit = [name for name in names if name not in missing]
        yield labs.measure(fit, lambda lab, flows=flows: drive(lab, scene, flows, number, how)), missing


def measure(scene, how, failures):
    """
    [{"kind", "rules", "flows", "egress", "missing", "measurements": [{subject: measurement}, ...]}, ...], one for each
    number of flows. Every round measures everything, each time in another order.
    """
    what = f"{scene.kind}, rules {scene.rules}, {scene.egress}"
    labs = Labs(what, {word: make_lab(word, scene, how) for word in scene.subjects}, failures)
    cells = [{"kind": scene.kind, "rules": scene.rules, "flows": flows, "egress": scene.egress, "missing": {},
              "measurements": []} for flows in scene.flows]
    try:
        labs.up(lambda lab: prepare(lab, scene.egress))
        with conntrack.room(max(scene.flows) if any(isinstance(lab, Netfilter) for lab in labs.labs.values()) else 0):
            for number in range(how.rounds):
                print(f"{what}: round {number + 1} of {how.rounds}", file=sys.stderr)
                for cell, (measurements, missing) in zip(cells, one_round(scene, labs, number, how)):
                    cell["measurements"].append(measurements)
                    cell["missing"] |= missing
        labs.confirm([measurements for cell in cells for measurements in cell["measurements"]])
    finally:
        labs.down()
    return cells
