# SPDX-License-Identifier: GPL-2.0-only
"""A client, a router and a target in namespaces of their own, and what forwards in the router."""

import glob
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))

# As in frame.h.
RULES_PER_ADDRESS = 40000
LISTEN_PORT, TARGET_PORT = 5000, 6000

# Frames of a veth are delivered by a wake-up of the receiver's thread, or, as behind a
# network card that moderates its interrupts, when the receiver's timer makes it look.
EGRESS = {
    "moderated": {"napi_defer_hard_irqs": 100, "gro_flush_timeout": 50000},
    "wake": {"napi_defer_hard_irqs": 0, "gro_flush_timeout": 0},
}


class Failure(Exception):
    """A command that did not work; its message says which and why."""


def sh(*command, stdin=None, timeout=60):
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout)
    if done.returncode:
        raise Failure(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def build():
    """The tool and what runs here, through the Makefile."""
    make = ["make", "-s", "-C", ROOT, "-f", "Makefile", "-f", "tools/bench/bench.mk",
            f"BUILD={os.environ.get('BUILD', 'build')}", "all", "bench-tools"]
    if subprocess.run(make, stdout=sys.stderr, check=False).returncode:
        raise Failure("cannot build")


def rules(n):
    """Listen and target endpoints of n rules."""
    for rule in range(n):
        host, port = 10 + rule // RULES_PER_ADDRESS, rule % RULES_PER_ADDRESS
        yield f"203.0.113.{host}", LISTEN_PORT + port, f"192.0.2.{host}", TARGET_PORT + port


class Lab:
    """client --- wan [router] lan --- target; subclasses say what forwards in the router."""

    name = ""
    drive = ["--answer"]

    def __init__(self, letter, n_rules, router_cpu, load_cpu):
        # Threads of the kernel carry the device's name, so names must not repeat on the machine.
        tag = f"{os.getpid()}{letter}"
        self.netns = {end: f"xb{tag}-{end}" for end in ("client", "router", "target")}
        self.client, self.wan, self.lan, self.target = (f"{end}{tag}" for end in ("cli", "wan", "lan", "tgt"))
        self.n_rules = n_rules
        self.router_cpu, self.load_cpu = router_cpu, load_cpu
        self.threads = {}
        self.egress = None

    # ---- making it

    def ip(self, end, *command):
        return sh("ip", "-n", self.netns[end], *command)

    def enter(self, end, *command, **kwargs):
        return sh("nsenter", f"--net=/run/netns/{self.netns[end]}", *command, **kwargs)

    def device_attributes(self, end, device, values):
        """Sysfs shows the devices of the namespace in which it was mounted."""
        writes = "".join(f" && echo {value} > /sys/class/net/{device}/{name}" for name, value in values.items())
        self.enter(end, "unshare", "--mount", "sh", "-c", "mount -t sysfs sysfs /sys" + writes)

    def up(self):
        for end, netns in self.netns.items():
            sh("ip", "netns", "add", netns)
            # No IPv6, so that nothing but the benchmark's packets is on the wire.
            self.enter(end, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        for end, device, peer_end, peer in (("client", self.client, "router", self.wan),
                                            ("router", self.lan, "target", self.target)):
            self.ip(end, "link", "add", device, "type", "veth", "peer", "name", peer, "netns", self.netns[peer_end])
        for end, device, cpu in (("client", self.client, self.load_cpu), ("router", self.wan, self.router_cpu),
                                 ("router", self.lan, self.router_cpu), ("target", self.target, self.load_cpu)):
            self.bring_up(end, device, cpu)
        self.route()
        # Last in line at the router's threads, the receivers would let their rings run full.
        for device in (self.client, self.target):
            os.sched_setscheduler(self.threads[device], os.SCHED_FIFO, os.sched_param(2))
        self.set_up()

    def bring_up(self, end, device, cpu):
        """
        With GRO a veth has NAPI, whether an XDP program is attached or not; and its NAPI gets a thread.
        Up first: GRO turned on before does not tell the other end that it can send XDP frames now.
        """
        self.ip(end, "link", "set", device, "up")
        self.enter(end, "ethtool", "-K", device, "gro", "on")
        self.device_attributes(end, device, {"threaded": 1})
        self.threads[device] = thread = napi_thread(device)
        os.sched_setaffinity(thread, {cpu})
        os.setpriority(os.PRIO_PROCESS, thread, -20)

    def route(self):
        addresses = range(10, 11 + (self.n_rules - 1) // RULES_PER_ADDRESS)
        for host in addresses:
            self.ip("router", "addr", "add", f"203.0.113.{host}/24", "dev", self.wan)
        self.ip("router", "addr", "add", "192.0.2.1/24", "dev", self.lan)
        self.ip("router", "route", "add", "198.18.0.0/15", "via", "203.0.113.2")
        self.neighbour("203.0.113.2", self.wan, "client", self.client)
        for host in addresses:
            self.neighbour(f"192.0.2.{host}", self.lan, "target", self.target)

    def neighbour(self, address, device, end, peer):
        mac = json.loads(self.ip(end, "-json", "link", "show", peer))[0]["address"]
        self.ip("router", "neigh", "add", address, "lladdr", mac, "dev", device, "nud", "permanent")

    def set_up(self):
        """What forwards."""

    def confirm(self):
        """After all measurements: it was indeed this that forwarded."""

    def tear_down(self):
        """Its traces outside the namespaces."""

    def down(self):
        self.tear_down()
        for netns in self.netns.values():
            subprocess.run(["ip", "netns", "del", netns], capture_output=True, check=False)

    # ---- using it

    def measure(self, flows, egress, seconds):
        """One measurement, as tools/bench/drive.c prints it."""
        if egress != self.egress:
            self.device_attributes("target", self.target, EGRESS[egress])
            self.egress = egress
        ports = {"client": ("client", self.client), "router-in": ("router", self.wan),
                 "router-out": ("router", self.lan), "target": ("target", self.target)}
        command = [os.path.join(BUILD, "bench", "drive"), *self.drive]
        for option, (end, device) in ports.items():
            command += [f"--{option}", f"{self.netns[end]}:{device}"]
        for device in (self.wan, self.lan):
            command += ["--thread", str(self.threads[device])]
        command += ["--flows", str(flows), "--rules", str(self.n_rules), "--ms", str(int(seconds * 1000)),
                    "--generator-cpu", str(self.load_cpu)]
        try:
            return json.loads(sh(*command, timeout=60 + seconds))
        except Failure as failure:
            raise Failure(f"{self.name}, {flows} flows: {str(failure).rsplit('drive: ', 1)[-1]}") from None


def napi_thread(device):
    for path in glob.glob("/proc/[0-9]*/comm"):
        try:
            with open(path, encoding="ascii", errors="replace") as comm:
                if comm.read().startswith(f"napi/{device}-"):
                    return int(path.split("/")[2])
        except OSError:
            pass  # it ended meanwhile
    raise Failure(f"{device} has no NAPI thread: this needs a kernel from 5.17 on")


class Bare(Lab):
    """drive attaches bare.bpf.c by itself."""

    name = "bare XDP redirect"
    drive = ["--bare", "redirect"]


class Nftables(Lab):
    name = "nftables DNAT"

    def set_up(self):
        # The checksum of each packet: a network card would have checked it.
        self.enter("router", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.netfilter.nf_conntrack_checksum=0")
        elements = ", ".join(f"{listen} . {port} : {target} . {to}" for listen, port, target, to in rules(self.n_rules))
        self.enter("router", "nft", "-f", "-", stdin=f"""
            table ip bench {{
                map forwards {{
                    type ipv4_addr . inet_service : ipv4_addr . inet_service
                    elements = {{ {elements} }}
                }}
                chain prerouting {{
                    type nat hook prerouting priority dstnat; policy accept;
                    dnat ip to ip daddr . udp dport map @forwards
                }}
            }}
        """)


class Xdpfwd(Lab):
    mode = ""
    fast = 0.0  # share of the packets that the fast tier must have finished

    def xdpfwd(self, *command):
        state = f"/sys/fs/bpf/{self.netns['router']}"
        return self.enter("router", os.path.join(BUILD, "xdpfwd"), "--state", state, *command)

    def set_up(self):
        self.enter("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.xdpfwd("load", self.wan, self.lan, "--mode", self.mode)
        for listen, port, target, to in rules(self.n_rules):
            self.xdpfwd("map", "add", "udp", f"{listen}:{port}", f"{target}:{to}", "--source", "preserve")

    def confirm(self):
        counters = [rule["counters"] for rule in json.loads(self.xdpfwd("map", "list", "--json"))]
        packets = sum(c["packets_in"] + c["packets_out"] for c in counters)
        fast = sum(c["fast_packets"] for c in counters) / packets if packets else None
        if fast is None or abs(fast - self.fast) > 0.001:
            raise Failure(f"{self.name}: the fast tier finished {fast} of the packets and not {self.fast}")

    def tear_down(self):
        try:
            self.xdpfwd("unload", "--all")
        except Failure:
            pass  # never loaded, or the namespace was never made


class FastTier(Xdpfwd):
    name = "xdpfwd, fast tier"
    mode = "native"
    fast = 1.0


class FullTier(Xdpfwd):
    name = "xdpfwd, full tier"
    mode = "tc"


SUBJECTS = {"bare": Bare, "nft": Nftables, "fast": FastTier, "full": FullTier}
