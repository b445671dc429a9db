#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Puts a rule under SYN protection, straight in the maps.

protect.py RULE-ID THRESHOLD HALF-OPEN    RULE-ID counts from 0, in the order of `map add`
"""
import json
import struct
import subprocess
import sys

PINS = "/sys/fs/bpf/xdpfwd/"
FLAGS, POLICY = 4, 1 << 4  # struct xf_rule: where its flags are; XF_RULE_POLICY
THRESHOLD = 64  # struct xf_policy: where syn_threshold is
PENDING = 8  # struct xf_rule_state


def bpftool(*args):
    return subprocess.run(["bpftool", "-j", "map", *args], check=True, capture_output=True, text=True).stdout


def octets(data):
    return ["hex", *(f"{octet:02x}" for octet in data)]


def patch(name, key, offset, change):
    """Replaces the 32-bit word at an offset of an element."""
    where = ["pinned", PINS + name, "key", *octets(struct.pack("=I", key))]
    value = bytearray(int(octet, 16) for octet in json.loads(bpftool("lookup", *where))["value"])
    struct.pack_into("=I", value, offset, change(struct.unpack_from("=I", value, offset)[0]))
    bpftool("update", *where, "value", *octets(value))


rule, threshold, half_open = map(int, sys.argv[1:])
patch("policies", rule, THRESHOLD, lambda _: threshold)
patch("rule_states", rule, PENDING, lambda _: half_open)
patch("rules", rule, FLAGS, lambda flags: flags | POLICY)
