# SPDX-License-Identifier: GPL-2.0-only
"""What forwards in the router: the lab of each, and how the packets must fare there."""

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass

import conntrack
from lab import BUILD, Failure, Lab, rules

ROUTER_ADDRESS = "0xc0000201"  # 192.0.2.1, and the last word of its IPv6 twin
DEFAULT_MAX_FLOWS = 262144
MANY_RULES = 200  # more are not made one by one
PACKETS = {"udp": "UDP", "ack": "TCP ACK", "syn": "TCP SYN"}


class Subject(Lab):
    drive = ["--answer"]  # options of build/bench/drive
    proto = "udp"
    kind = ""  # of packets
    max_flows = 0  # how many there will be

    def limit(self):
        """How many flows fit, or None."""

    @classmethod
    def missing(cls, n_rules):
        """Why so many rules cannot be measured, or None."""

    def forward(self):
        self.enter("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        if 6 in self.families:
            self.enter("router", "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")

    def confirm(self):
        """After all measurements: it was indeed this that forwarded."""


class Bare(Subject):
    """drive attaches bare.bpf.c by itself."""

    name = "bare XDP redirect"
    drive = ["--bare", "redirect"]


class BareTc(Subject):
    name = "bare TC redirect"
    drive = ["--bare", "tc"]


class BareDrop(Subject):
    name = "bare XDP drop after parsing"
    drive = ["--bare", "drop", "--dropped"]


class BarePass(Subject):
    name = "bare XDP pass after parsing, then kernel routing"
    drive = ["--bare", "pass", "--direct"]

    def set_up(self):
        self.forward()


class Routing(Subject):
    name = "kernel routing"
    drive = ["--answer", "--direct"]

    def set_up(self):
        self.forward()


class Netfilter(Subject):
    masquerade = False

    def set_up(self):
        self.forward()
        # The checksum of each packet: a network card would have checked it.
        self.enter("router", "sysctl", "-qw", "net.netfilter.nf_conntrack_checksum=0")
        if self.masquerade:
            self.drive = [*self.drive, "--masquerade", ROUTER_ADDRESS]

    def limit(self):
        return conntrack.limit()


class Nftables(Netfilter):
    name = "nftables DNAT"

    def set_up(self):
        super().set_up()
        for family in self.families:
            self.enter("router", "nft", "-f", "-", stdin=self.table(family))

    def table(self, family):
        ip, address = ("ip", "ipv4_addr") if family == 4 else ("ip6", "ipv6_addr")
        elements = ", ".join(f"{listen} . {port} : {target} . {to}"
                             for listen, port, target, to in rules(self.n_rules, family))
        masquerade = f"""
                chain postrouting {{
                    type nat hook postrouting priority srcnat; policy accept;
                    oifname "{self.lan}" masquerade
                }}""" if self.masquerade else ""
        return f"""
            table {ip} bench {{
                map forwards {{
                    type {address} . inet_service : {address} . inet_service
                    elements = {{ {elements} }}
                }}
                chain prerouting {{
                    type nat hook prerouting priority dstnat; policy accept;
                    dnat {ip} to {ip} daddr . {self.proto} dport map @forwards
                }}{masquerade}
            }}
        """


class NftablesMasquerade(Nftables):
    name = "nftables DNAT + masquerade"
    masquerade = True


class Iptables(Netfilter):
    name = "iptables DNAT"

    def set_up(self):
        super().set_up()
        lines = [f"-A PREROUTING -d {listen} -p {self.proto} --dport {port} -j DNAT --to-destination {target}:{to}"
                 for listen, port, target, to in rules(self.n_rules)]
        if self.masquerade:
            lines.append(f"-A POSTROUTING -o {self.lan} -j MASQUERADE")
        self.enter("router", "iptables-restore", stdin="\n".join(["*nat", *lines, "COMMIT", ""]))


class Xdpfwd(Subject):
    mode = "native"
    rule = ["--source", "preserve"]  # its options
    fast = 1.0  # share of its packets that the fast tier must have finished

    @classmethod
    def missing(cls, n_rules):
        tool = os.path.join(BUILD, "xdpfwd")
        if n_rules > MANY_RULES and subprocess.run([tool, "apply", "--help"], capture_output=True, check=False).returncode:
            return "this version has no apply, and so many rules take too long one by one"
        return None

    def xdpfwd(self, *command, **kwargs):
        state = f"/sys/fs/bpf/{self.netns['router']}"
        return self.enter("router", os.path.join(BUILD, "xdpfwd"), "--state", state, *command, **kwargs)

    def set_up(self):
        self.forward()
        if "masquerade" in self.rule:
            self.drive = [*self.drive, "--masquerade", ROUTER_ADDRESS]
        self.xdpfwd("load", self.wan, self.lan, "--mode", self.mode, "--max-rules", str(max(1024, 4 * self.n_rules)),
                    "--max-flows", str(max(DEFAULT_MAX_FLOWS, 2 * self.max_flows)))
        self.add_rules()

    def apply(self, n):
        """n rules in one step."""
        options = self.rule_options()
        made = [f"  - {{name: r{number}, protocol: {self.proto}, listen: \"{endpoint(listen, port)}\", "
                f"target: \"{endpoint(target, to)}\"{options}}}"
                for number, (listen, port, target, to) in enumerate(rules(n, self.families[0]))]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("\n".join([f"interfaces: [{self.wan}, {self.lan}]", "rules:", *made, ""]))
            file.flush()
            self.xdpfwd("apply", file.name, timeout=300)

    def rule_options(self):
        """The same options as a config has them."""
        words = [word.removeprefix("--") for word in self.rule]
        return "".join(f", {key}: {'true' if key == 'stateless' else words[at + 1]}"
                       for at, key in enumerate(words) if key in ("source", "stateless"))

    def add_rules(self):
        if self.n_rules > MANY_RULES:
            self.apply(self.n_rules)
            return
        for family in self.families:
            for listen, port, target, to in rules(self.n_rules, family):
                self.xdpfwd("map", "add", self.proto, endpoint(listen, port), endpoint(target, to), *self.rule)

    def confirm(self):
        counters = [rule["counters"] for rule in json.loads(self.xdpfwd("map", "list", "--json"))]
        packets = sum(c["packets_in"] + c["packets_out"] for c in counters)
        fast = sum(c["fast_packets"] for c in counters) / packets if packets else None
        if fast is None or abs(fast - self.fast) > 0.001:
            raise Failure(f"the fast tier finished {fast} of the packets and not {self.fast}")

    def tear_down(self):
        try:
            self.xdpfwd("unload", "--all")
        except Failure:
            pass  # never loaded, or the namespace was never made


def endpoint(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


class FastTier(Xdpfwd):
    name = "xdpfwd, fast tier"


class FastMasquerade(Xdpfwd):
    name = "xdpfwd, fast tier, masquerade"
    rule = ["--source", "masquerade"]


class FastStateless(Xdpfwd):
    name = "xdpfwd, fast tier, stateless"
    rule = ["--source", "preserve", "--stateless"]


class FastRefused(Xdpfwd):
    name = "xdpfwd, fast tier, refused by --deny"
    drive = ["--dropped"]
    rule = ["--source", "preserve", "--deny", "198.18.0.0/15"]

    def confirm(self):
        counters = json.loads(self.xdpfwd("map", "list", "--json"))[0]["counters"]
        if counters["packets_in"] or not counters["drops"].get("denied"):
            raise Failure(f"its rule counted {counters}")


class FastNobodys(Xdpfwd):
    name = "xdpfwd, fast tier, nobody's packets, then kernel routing"
    drive = ["--answer", "--direct"]

    def confirm(self):
        counters = json.loads(self.xdpfwd("map", "list", "--json"))[0]["counters"]
        if counters["packets_in"]:
            raise Failure(f"its rule counted {counters}")


class FullTier(Xdpfwd):
    name = "xdpfwd, full tier"
    mode = "tc"
    fast = 0.0


class FullMasquerade(FullTier):
    name = "xdpfwd, full tier, masquerade"
    rule = ["--source", "masquerade"]


class FullStateless(FullTier):
    name = "xdpfwd, full tier, stateless"
    rule = ["--source", "preserve", "--stateless"]


@dataclass(frozen=True)
class Variant:
    """NAME[@RULES][/KIND]: a subject, perhaps with another number of rules or kind of packets than its scene has."""

    name: str
    rules: int
    kind: str

    @classmethod
    def of(cls, word, rules=0, kind=""):
        word, _, other_kind = word.partition("/")
        name, _, other_rules = word.partition("@")
        return cls(name, int(other_rules or rules), other_kind or kind)


def title(word):
    """What a table calls a subject, or a variant of it."""
    its = Variant.of(word)
    words = [SUBJECTS[its.name].name]
    if its.rules:
        words.append(f"{its.rules:,} rules")
    if its.kind:
        words.append(f"{PACKETS[its.kind[:3]]} over IPv{its.kind[3]}")
    return ", ".join(words)


SUBJECTS = {
    "bare": Bare, "bare-tc": BareTc, "bare-drop": BareDrop, "bare-pass": BarePass, "route": Routing,
    "nft": Nftables, "nft-masq": NftablesMasquerade, "iptables": Iptables,
    "stateless": FastStateless, "fast": FastTier, "masq": FastMasquerade, "refused": FastRefused,
    "nobody": FastNobodys, "full": FullTier, "full-masq": FullMasquerade, "full-stateless": FullStateless,
}
