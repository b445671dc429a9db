#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes a rule believe that it has so many half-open flows, straight in the map.

half_open.py RULE-ID FLOWS    RULE-ID counts from 0, in the order of `map add`
"""
import json
import struct
import subprocess
import sys

PIN = "/sys/fs/bpf/xdpfwd/rule_states"
PENDING = 8  # where it is in struct xf_rule_state


def bpftool(*args):
    return subprocess.run(["bpftool", "-j", "map", *args], check=True, capture_output=True, text=True).stdout


def octets(data):
    return ["hex", *(f"{octet:02x}" for octet in data)]


rule, flows = map(int, sys.argv[1:])
where = ["pinned", PIN, "key", *octets(struct.pack("=I", rule))]
value = bytearray(int(octet, 16) for octet in json.loads(bpftool("lookup", *where))["value"])
struct.pack_into("=I", value, PENDING, flows)
bpftool("update", *where, "value", *octets(value))
