#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The rules under test, once: as commands for xdpfwd, as a ruleset for nft, and as the generator needs them.

rules.py xdpfwd|nft
"""
import dataclasses
import sys

from wire import TCP, UDP, addr

PUBLIC = {4: "203.0.113.7", 6: "2001:db8:99::7"}  # addresses more, on wan0
WAN = {4: "198.51.100.1", 6: "2001:db8:1::1"}
LAN = {4: "192.0.2.1", 6: "2001:db8:2::1"}
SERVER = {4: "192.0.2.10", 6: "2001:db8:2::10"}
CLIENT = {4: "198.51.100.2", 6: "2001:db8:1::2"}  # on the router's link, and the way to the far clients
FAR = {4: "198.18.0.0", 6: "2001:db8:c::"}  # a /16 and a /48 of them
BEYOND = {4: "192.0.2.20", 6: "2001:db8:2::20"}  # a router behind the server, and a client in its network
PORTS = {TCP: "tcp", UDP: "udp"}


@dataclasses.dataclass
class Rule:
    name: str
    listen: int
    target: int
    last: int = 0  # of a range
    any_address: bool = False
    source: str = "preserve"

    def listen_ports(self):
        return range(self.listen, (self.last or self.listen) + 1)

    def target_port(self, port):
        return self.target + port - self.listen

    def listens_on(self, version):
        return addr((WAN if self.any_address else PUBLIC)[version])


RULES = [
    Rule("plain", 8000, 80),
    Rule("hidden", 8001, 81, source="masquerade"),
    Rule("range", 9000, 9100, last=9009),
    Rule("any", 7000, 7100, any_address=True, source="auto"),
    Rule("same", 443, 443),
    Rule("second", 8443, 80),  # the same target as the first
]


def bracket(version, address):
    return f"[{address}]" if version == 6 else address


def xdpfwd():
    for version in (4, 6):
        for rule in RULES:
            ports = f"{rule.listen}-{rule.last}" if rule.last else rule.listen
            listen = f":{ports}" if rule.any_address else f"{bracket(version, PUBLIC[version])}:{ports}"
            target = f"{bracket(version, SERVER[version])}:{rule.target}"
            yield f"tcp+udp {listen} {target} --name {rule.name}{version} --source {rule.source}"


def nft_rules(version):
    """One rule a port: a range with an offset is written nowhere else so plainly."""
    ip = "ip6" if version == 6 else "ip"
    for rule in RULES:
        for proto in PORTS.values():
            for port in rule.listen_ports():
                where = f"meta nfproto ipv{version} fib daddr type local" if rule.any_address else \
                    f"{ip} daddr {PUBLIC[version]}"
                mark = {"masquerade": "ct mark set 1 ", "auto": "ct mark set 2 "}.get(rule.source, "")
                target = f"{bracket(version, SERVER[version])}:{rule.target_port(port)}"
                yield f"{where} {proto} dport {port} {mark}dnat {ip} to {target}"


def nft():
    listen = ", ".join(str(port) for rule in RULES for port in rule.listen_ports())
    targets = ", ".join(sorted({str(rule.target_port(port)) for rule in RULES for port in rule.listen_ports()}))
    yield "table inet differ {"
    # What connection tracking calls invalid is not translated, and then the router itself or a
    # client gets what neither asked for. Nobody runs a router so.
    yield "  chain invalid {"
    yield "    type filter hook prerouting priority mangle"
    for version, ip in ((4, "ip"), (6, "ip6")):
        invalid = f"    ct state invalid meta l4proto {{ tcp, udp }} {ip}"
        yield f"{invalid} daddr {{ {PUBLIC[version]}, {WAN[version]} }} th dport {{ {listen} }} drop"
        yield f"{invalid} saddr {SERVER[version]} th sport {{ {targets} }} drop"
    yield "  }"
    yield "  chain translate {"
    yield "    type nat hook prerouting priority dstnat"
    for version in (4, 6):
        for line in nft_rules(version):
            yield "    " + line
    yield "  }"
    yield "  chain hide {"
    yield "    type nat hook postrouting priority srcnat"
    yield "    ct mark 1 masquerade"
    yield "    ct mark 2 iif lan0 oif lan0 masquerade"
    yield "  }"
    yield "  chain narrow {"
    yield "    type filter hook forward priority mangle"
    yield "    ct status dnat tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu"
    yield "  }"
    yield "}"


if __name__ == "__main__":
    print("\n".join({"xdpfwd": xdpfwd, "nft": nft}[sys.argv[1]]()))
