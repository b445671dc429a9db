#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""some_config.py SEED COUNT: a config of so many rules, whatever they may be."""
import random
import sys


def some_source(rng):
    return rng.choice(["auto", "preserve", "masquerade", "masquerade=192.0.2.1", "masquerade=192.0.2.1-192.0.2.4"])


def some_conditions(rng):
    choices = {
        "allow": lambda: ["198.51.100.0/24", f"10.{rng.randrange(256)}.0.0/16"][: rng.randrange(1, 3)],
        "deny": lambda: [f"203.0.113.{rng.randrange(256)}"],
        "rate": lambda: f"{rng.randrange(1, 99)}/{rng.choice(['s', 'min', 'h', 'd'])}",
        "rate-per-source": lambda: f"{rng.randrange(1, 9)}/min,burst={rng.randrange(9, 99)}",
        "max-flows": lambda: rng.randrange(1, 9999),
        "max-flows-per-source": lambda: rng.randrange(1, 99),
        "expires": lambda: f"20{rng.randrange(30, 99)}-0{rng.randrange(1, 10)}-1{rng.randrange(10)}T1{rng.randrange(10)}:00Z",
        "comment": lambda: rng.choice(["ä ö ü", "yes", "12", "- x: [y]", "#", "it's \"so\""]),
        "disabled": lambda: True,
    }
    return {key: value() for key, value in choices.items() if rng.random() < 0.2}


def yaml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(yaml(item) for item in value) + "]"
    if isinstance(value, int):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main(argv):
    rng = random.Random(int(argv[1]))
    print("rules:")
    for i in range(int(argv[2])):
        port = 1024 + 32 * i
        listen = rng.choice(["", "wan0", "198.51.100.1", "203.0.113.7"])
        wide = rng.random() < 0.2
        rule = {
            "name": f"{rng.choice('abc')}{rng.randrange(10**9)}.{i}",
            "protocol": rng.choice(["tcp", "udp", "tcp+udp"]),
            "listen": f"{listen}:{port}" + (f"-{port + rng.randrange(1, 31)}" if wide else ""),
            "target": f"192.0.2.{rng.randrange(10, 250)}" + rng.choice(["", f":{rng.randrange(1, 60000)}"]),
            "source": some_source(rng),
        }
        rule |= some_conditions(rng)
        print("  - {" + ", ".join(f"{key}: {yaml(value)}" for key, value in rule.items()) + "}")


main(sys.argv)
