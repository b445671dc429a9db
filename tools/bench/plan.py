# SPDX-License-Identifier: GPL-2.0-only
"""What tools/bench/all measures: all of it, and what four minutes are enough for."""

from scene import NEW, Scene

MANY = 200  # rules: so many targets have a port each for a million masqueraded TCP connections, and some to spare

FORWARDERS = ["bare", "bare-tc", "route", "nft", "nft-masq", "iptables", "stateless", "fast", "masq", "full",
              "full-masq", "full-stateless"]
FAMILY = ["bare", "bare-tc", "nft", "stateless", "fast", "masq", "full"]

FAMILIES = ["bare", "bare/udp6", "stateless", "stateless/udp6", "fast", "fast/udp6"]


def alike(subject):
    """It shall make no difference how many rules there are."""
    return [subject, f"{subject}@10000", f"{subject}@100000"]


FULL = [
    Scene(FORWARDERS, "udp4", 1, [1, 1000]),
    Scene(["bare", "bare-tc", "nft", "stateless", "fast", "full"], "udp4", 1, [100000]),
    Scene(["bare", "nft", "stateless", "fast"], "udp4", 1, [1000000]),
    Scene(["bare", "fast", "masq", "nft-masq"], "ack4", MANY, [100000, 1000000]),
    Scene(["bare", "nft", "nft@10000", *alike("stateless"), *alike("fast"), *alike("full")], "udp4", 1, [1000, 100000]),
    Scene(["bare", "iptables", "iptables@10000"], "udp4", 1, [1000]),
    Scene(FAMILIES, "udp4", 1, [1000]),
    *(Scene(FAMILY, kind, 1, [1000]) for kind in ("udp6", "ack4", "ack6", "syn4")),
    Scene(["bare", "nft", "iptables", "stateless", "fast", "full"], "udp4", 1, [NEW]),
    Scene(["bare", "nft", "nft-masq", "fast", "masq"], "syn4", MANY, [NEW]),
    Scene(["bare", "nft-masq", "masq"], "udp4", 1, [NEW]),
    Scene(["bare-drop", "refused"], "udp4", 1, [1000]),
    Scene(["bare-pass", "nobody", "route"], "udp4", 1, [1000]),
    Scene(["bare", "bare-tc", "route", "nft", "stateless", "fast", "full"], "udp4", 1, [1000], "wake"),
]
FULL_TCP = {
    "gso": ["pair-tc", "route", "nft", "full", "haproxy", "nginx", "socat"],
    "none": ["pair", "pair-tc", "route", "nft", "fast", "masq", "stateless", "full", "haproxy", "nginx"],
}

QUICK = [
    Scene(["bare", "bare-tc", "nft", "stateless", "fast", "masq", "full"], "udp4", 1, [1000]),
    Scene(["bare", "nft", "fast"], "udp4", 1, [NEW]),
    Scene(["bare-drop", "refused"], "udp4", 1, [1000]),
    Scene(["bare-pass", "nobody"], "udp4", 1, [1000]),
    Scene([*alike("stateless"), *alike("fast")], "udp4", 1, [1000]),
    Scene(["stateless", "stateless/udp6", "fast", "fast/udp6"], "udp4", 1, [1000]),
]
QUICK_TCP = {"gso": ["pair-tc", "nft", "full"], "none": ["pair", "nft", "fast", "haproxy"]}
