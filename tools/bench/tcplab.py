# SPDX-License-Identifier: GPL-2.0-only
"""
Client and target with real TCP stacks and real programs, around any subject. All of it on one core, proxies and
NAPI included, as veth does it by itself: what a core would wait for another one to wake up (an interrupt through the
hypervisor, in a virtual machine) is more than all that is to be compared.
"""

import os
import shutil
import subprocess
import tempfile
import time

import coretime
from lab import BUILD, Failure
from pairs import PAIRS
from proxies import PROXIES
from subjects import SUBJECTS

FORWARDERS = {**SUBJECTS, **PROXIES, **PAIRS}

IPERF, PINGPONG, HTTP = 0, 1, 2  # the rules, by number
N_RULES = 3
CLIENT, TARGET = "203.0.113.2", "192.0.2.10"
READY_SECONDS = 20
MTU = 1500

OFFLOADS = {
    "gso": "veth's defaults and GRO: segments of up to 64 KB go through in one piece, checksums are never computed",
    "none": "no TSO, no GSO, no checksum offload; the router merges nothing, the receiving end does (GRO)",
}

HTTP_CONFIG = """
daemon off; master_process off; pid {dir}/http.pid; error_log {dir}/http.log;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 100000000;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
    server {{ listen {port} backlog=4096; location / {{ return 200 "ok\\n"; }} }}
}}
"""


def on(cpu):
    """What goes before a command, so that it has the core to itself."""
    return ("taskset", "-c", str(cpu), "nice", "-n", "-20")


class TcpLab:
    """Goes before a subject's class."""

    proto = "tcp"

    def __init__(self, offloads, cpu):
        super().__init__(N_RULES, cpu, cpu)
        self.offloads = offloads
        self.running = []
        self.softirqs = coretime.softirq_thread(cpu)
        self.directory = tempfile.mkdtemp(prefix="xdpfwd-bench-")

    def bring_up(self, end, device, cpu):
        self.switch_on(end, device)

    def start(self, end, *command, stdout=subprocess.DEVNULL):
        """A program at one end."""
        with open(os.path.join(self.directory, "errors"), "ab") as errors:
            process = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{self.netns[end]}", *on(self.load_cpu), *command],
                stdin=subprocess.DEVNULL, stdout=stdout, stderr=errors)
        self.running.append(process)
        return process

    def wait_listening(self, end, port):
        deadline = time.monotonic() + READY_SECONDS
        while f":{port} " not in self.enter(end, "ss", "-ltnH"):
            for process in self.running:
                if process.poll() is not None:
                    raise Failure(f"{process.args[5]} ended: {self.last_error()}")
            if time.monotonic() > deadline:
                raise Failure(f"nobody listens on port {port}: {self.last_error()}")
            time.sleep(0.02)

    def last_error(self):
        with open(os.path.join(self.directory, "errors"), encoding="utf-8", errors="replace") as errors:
            return (errors.read().strip().splitlines() or ["it did not say why"])[-1]

    def prepare_ends(self):
        self.ip("client", "addr", "add", f"{CLIENT}/24", "dev", self.client)
        self.ip("target", "addr", "add", f"{TARGET}/24", "dev", self.target)
        self.ip("target", "route", "add", "default", "via", "192.0.2.1")
        if self.direct:
            self.ip("client", "route", "add", "192.0.2.0/24", "via", "203.0.113.10")
        if self.offloads == "none":
            for end, device in (("client", self.client), ("router", self.wan), ("router", self.lan),
                                ("target", self.target)):
                self.enter(end, "ethtool", "-K", device, "tso", "off", "gso", "off", "tx", "off")
            for device in (self.wan, self.lan):
                # GRO itself stays on, since a veth without it has no NAPI and takes no XDP frames.
                self.ip("router", "link", "set", device, "gro_max_size", str(MTU))
        self.serve()

    @property
    def direct(self):
        return "--direct" in self.drive

    def serve(self):
        config = os.path.join(self.directory, "http.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(HTTP_CONFIG.format(dir=self.directory, port=6000 + HTTP))
        for number, command in ((IPERF, ("iperf3", "-s", "-p", str(6000 + IPERF))),
                                (PINGPONG, (os.path.join(BUILD, "bench", "pingpong"), "serve", str(6000 + PINGPONG))),
                                (HTTP, ("nginx", "-c", config, "-e", os.path.join(self.directory, "http.log")))):
            self.start("target", *command)
            self.wait_listening("target", 6000 + number)

    def at(self, number):
        """Where the client finds it: address and port."""
        return (TARGET, str(6000 + number)) if self.direct else ("203.0.113.10", str(5000 + number))

    def core_seconds(self):
        return coretime.core_seconds([self.softirqs, *(process.pid for process in self.running)])

    def ask(self, *command, timeout):
        return self.enter("client", *on(self.load_cpu), *command, timeout=timeout)

    def down(self):
        for process in self.running:
            process.kill()
            process.wait()
        super().down()
        shutil.rmtree(self.directory, ignore_errors=True)


def make(name, offloads, how):
    subject = FORWARDERS[name]
    lab = type(f"Tcp{subject.__name__}", (TcpLab, subject), {})
    return lab(offloads, how.load_cpu)
