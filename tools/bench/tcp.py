# SPDX-License-Identifier: GPL-2.0-only
"""
What a client notices of the forwarder: throughput of a connection, time of a request, requests a second. All rates are
for each second of CPU time, of both ends and the forwarder: what one core carries that has nothing else to do.
"""

import json
import os
import re
import shutil
import sys

import tcplab
from failures import Labs
from lab import BUILD, Failure
from proxies import PROXIES, missing, need
from report import spread
from tcplab import FORWARDERS

CONNECTIONS = 16
LAB_SECONDS, EXTRA_SECONDS = 2.5, 0.6  # making a lab; starting four programs

# A measurement's key, what it is, its unit, by what to divide, whether more is better.
FIGURES = (
    ("bits_per_second", "bulk", "Gbit/s", 1e9, True),
    ("p50_us", "round trip p50", "µs", 1, False),
    ("p99_us", "p99", "µs", 1, False),
    ("keepalive_per_second", "requests, kept alive", "/s", 1, True),
    ("close_per_second", "requests, one a connection", "/s", 1, True),
)


def expected_seconds(how, subjects_with):
    subjects = sum(len(names) for names in subjects_with.values())
    return subjects * (LAB_SECONDS + how.rounds * (EXTRA_SECONDS + 4 * how.seconds))


def bulk(lab, seconds):
    address, port = lab.at(tcplab.IPERF)
    begin = lab.core_seconds()
    out = lab.ask("iperf3", "-c", address, "-p", port, "-t", str(seconds), "--json", timeout=30 + seconds)
    return {"bits_per_second": 8 * json.loads(out)["end"]["sum_received"]["bytes"] / (lab.core_seconds() - begin)}


def ping(lab, seconds):
    address, port = lab.at(tcplab.PINGPONG)
    out = lab.ask(os.path.join(BUILD, "bench", "pingpong"), "ask", address, port, str(1000 * seconds), timeout=30 + seconds)
    return {key: value for key, value in json.loads(out).items() if key.endswith("_us")}


def requests(lab, seconds, *headers):
    address, port = lab.at(tcplab.HTTP)
    begin = lab.core_seconds()
    out = lab.ask("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *headers, f"http://{address}:{port}/",
                  timeout=30 + seconds)
    done = re.search(r"(\d+) requests in ", out)
    if not done or not int(done.group(1)) or "Non-2xx" in out:
        raise Failure(f"wrk: {out.strip().splitlines()[-1]}")
    return int(done.group(1)) / (lab.core_seconds() - begin)


def measure_lab(lab, seconds):
    """iperf3 and wrk know whole seconds alone."""
    whole = max(1, round(seconds))
    measured = {**bulk(lab, whole), **ping(lab, whole)}
    # socat forks for each connection and cannot be asked so much in fair comparison; wrk may be missing.
    if shutil.which("wrk") and lab.name != PROXIES["socat"].name:
        measured["keepalive_per_second"] = requests(lab, whole)
        measured["close_per_second"] = requests(lab, whole, "-H", "Connection: close")
    return measured


def figures(measurements, subject):
    its = [r[subject] for r in measurements if subject in r]
    return {key: spread([m[key] for m in its]) for key, *_ in FIGURES if its and key in its[0]}


def prepare(lab):
    lab.up()
    return lab


def measure(offloads, subjects, how, failures):
    """{"offloads", "measurements": [{subject: ...}, ...], "figures": {subject: ...}, "missing": {...}}"""
    need("iperf3", "nginx", "taskset", "ss")
    absent = {name: missing(name) for name in subjects if name in PROXIES and missing(name)}
    subjects = [name for name in subjects if name not in absent]
    what, measurements = f"TCP, offloads {offloads}", []
    labs = Labs(what, {name: tcplab.make(name, offloads, how) for name in subjects}, failures)
    try:
        labs.up(prepare)
        for number in range(how.rounds):
            print(f"{what}: round {number + 1} of {how.rounds}", file=sys.stderr)
            turn = number % len(subjects)
            measurements.append(labs.measure(subjects[turn:] + subjects[:turn], lambda lab: measure_lab(lab, how.seconds)))
        labs.confirm(measurements)
    finally:
        labs.down()
    return {"offloads": offloads, "measurements": measurements, "missing": absent,
            "figures": {name: figures(measurements, name) for name in subjects}}


def cell(its, key, divisor):
    if key not in its:
        return "–"
    digits = 2 if divisor > 1 else 1 if key.endswith("_us") else 0
    return f"{its[key]['median'] / divisor:.{digits}f}"


def table(part):
    """Lines of Markdown."""
    lines = [f"**Offloads: {part['offloads']}** ({tcplab.OFFLOADS[part['offloads']]})", "",
             "| | " + " | ".join(f"{what}, {unit}" for _, what, unit, _, _ in FIGURES) + " |",
             "|---|" + "---|" * len(FIGURES)]
    for name, its in part["figures"].items():
        lines.append(f"| {FORWARDERS[name].name} | " + " | ".join(cell(its, key, div) for key, _, _, div, _ in FIGURES) + " |")
    lines += [f"| {FORWARDERS[name].name} | {why} |" + " |" * (len(FIGURES) - 1) for name, why in part["missing"].items()]
    return lines
