# SPDX-License-Identifier: GPL-2.0-only
"""A client, a router and a target in namespaces of their own."""

import glob
import ipaddress
import itertools
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))

# As in frame.h.
RULES_PER_ADDRESS = 40000
LISTEN_PORT, TARGET_PORT = 5000, 6000


class Failure(RuntimeError):
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


def rules(n, family=4):
    """Listen and target endpoints of n rules."""
    for rule in range(n):
        host, port = 10 + rule // RULES_PER_ADDRESS, rule % RULES_PER_ADDRESS
        listen, target = (twin(address) if family == 6 else address
                          for address in (f"203.0.113.{host}", f"192.0.2.{host}"))
        yield listen, LISTEN_PORT + port, target, TARGET_PORT + port


def twin(address):
    """The IPv6 address that stands for an IPv4 address."""
    return str(ipaddress.IPv6Address(f"2001:db8::{address}"))


class Lab:
    """client --- wan [router] lan --- target; subclasses say what forwards in the router."""

    name = ""
    numbers = itertools.count()

    def __init__(self, n_rules, router_cpu, load_cpu, families=(4,)):
        # Threads of the kernel carry the device's name, and it lives on for a while after "ip netns del": so no name
        # is used twice, or the threads that are found might be those of a lab before.
        tag = f"{os.getpid()}x{next(self.numbers)}"
        self.netns = {end: f"xb{tag}-{end}" for end in ("client", "router", "target")}
        self.client, self.wan, self.lan, self.target = (f"{end}{tag}" for end in ("cli", "wan", "lan", "tgt"))
        self.n_rules, self.families = n_rules, families
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
        if 6 in self.families:
            self.route6()
        self.prepare_ends()
        self.set_up()

    def prepare_ends(self):
        """Last in line at the router's threads, the receivers would let their rings run full."""
        for device in (self.client, self.target):
            os.sched_setscheduler(self.threads[device], os.SCHED_FIFO, os.sched_param(2))

    def switch_on(self, end, device):
        """
        With GRO a veth has NAPI, whether an XDP program is attached or not.
        Up first: GRO turned on before does not tell the other end that it can send XDP frames now.
        """
        self.ip(end, "link", "set", device, "up")
        self.enter(end, "ethtool", "-K", device, "gro", "on")

    def bring_up(self, end, device, cpu):
        """Its NAPI gets a thread, on that core."""
        self.switch_on(end, device)
        self.device_attributes(end, device, {"threaded": 1})
        self.threads[device] = thread = napi_thread(device)
        os.sched_setaffinity(thread, {cpu})
        os.setpriority(os.PRIO_PROCESS, thread, -20)

    def hosts(self):
        return range(10, 11 + (self.n_rules - 1) // RULES_PER_ADDRESS)

    def route(self):
        for host in self.hosts():
            self.ip("router", "addr", "add", f"203.0.113.{host}/24", "dev", self.wan)
        self.ip("router", "addr", "add", "192.0.2.1/24", "dev", self.lan)
        self.ip("router", "route", "add", "198.18.0.0/15", "via", "203.0.113.2")
        self.neighbour("203.0.113.2", self.wan, "client", self.client)
        for host in self.hosts():
            self.neighbour(f"192.0.2.{host}", self.lan, "target", self.target)

    def route6(self):
        """Every address once more, behind 2001:db8::."""
        for device in (self.wan, self.lan):
            self.enter("router", "sysctl", "-qw", f"net.ipv6.conf.{device}.addr_gen_mode=1",
                       f"net.ipv6.conf.{device}.disable_ipv6=0", f"net.ipv6.conf.{device}.accept_dad=0")
        self.enter("router", "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
        for host in self.hosts():
            self.ip("router", "addr", "add", f"{twin(f'203.0.113.{host}')}/120", "dev", self.wan, "nodad")
            self.neighbour(twin(f"192.0.2.{host}"), self.lan, "target", self.target)
        self.ip("router", "addr", "add", f"{twin('192.0.2.1')}/120", "dev", self.lan, "nodad")
        self.ip("router", "route", "add", f"{twin('198.18.0.0')}/111", "via", twin("203.0.113.2"), "dev", self.wan)
        self.neighbour(twin("203.0.113.2"), self.wan, "client", self.client)

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


def napi_thread(device):
    for path in glob.glob("/proc/[0-9]*/comm"):
        try:
            with open(path, encoding="ascii", errors="replace") as comm:
                if comm.read().startswith(f"napi/{device}-"):
                    return int(path.split("/")[2])
        except OSError:
            pass  # it ended meanwhile
    raise Failure(f"{device} has no NAPI thread: this needs a kernel from 5.17 on")
