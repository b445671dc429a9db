# SPDX-License-Identifier: GPL-2.0-only
"""What forwards in user space: each accepts connections in the router and opens others to the target."""

import os
import shutil

from lab import Failure, rules
from subjects import Subject

NGINX_STREAM = ("/usr/lib/nginx/modules/ngx_stream_module.so", "/usr/lib64/nginx/modules/ngx_stream_module.so")


class Proxy(Subject):
    program = ""

    def set_up(self):
        for listen, port, target, to in rules(self.n_rules):
            self.start_proxy(listen, port, target, to)
        for _, port, _, _ in rules(self.n_rules):
            self.wait_listening("router", port)

    def start_proxy(self, listen, port, target, to):
        config = os.path.join(self.directory, f"{self.program}-{port}.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(self.config(f"{listen}:{port}", f"{target}:{to}", config))
        self.start("router", *self.command(config))

    def config(self, listen, target, path):
        raise NotImplementedError

    def command(self, config):
        raise NotImplementedError


class HAProxy(Proxy):
    name = "HAProxy, TCP mode"
    program = "haproxy"

    def config(self, listen, target, path):
        return (f"global\n  maxconn 4096\n  nbthread 1\ndefaults\n  mode tcp\n  timeout connect 5s\n"
                f"  timeout client 60s\n  timeout server 60s\nlisten bench\n  bind {listen}\n  server target {target}\n")

    def command(self, config):
        return ("haproxy", "-db", "-f", config)


class NginxStream(Proxy):
    name = "nginx stream"
    program = "nginx"

    def config(self, listen, target, path):
        module = next(path for path in NGINX_STREAM if os.path.exists(path))
        return (f"load_module {module};\ndaemon off;\nmaster_process off;\npid {path}.pid;\nerror_log {path}.log;\n"
                f"events {{ worker_connections 4096; }}\n"
                f"stream {{ server {{ listen {listen}; proxy_pass {target}; tcp_nodelay on; }} }}\n")

    def command(self, config):
        return ("nginx", "-c", config, "-e", f"{config}.log")


class Socat(Proxy):
    name = "socat"
    program = "socat"

    def start_proxy(self, listen, port, target, to):
        self.start("router", "socat", f"TCP4-LISTEN:{port},bind={listen},fork,reuseaddr,backlog=128,nodelay",
                   f"TCP4:{target}:{to},nodelay")


PROXIES = {"haproxy": HAProxy, "nginx": NginxStream, "socat": Socat}


def missing(name):
    """Why this proxy cannot be measured here, or None."""
    program = PROXIES[name].program
    if not shutil.which(program):
        return f"{program} is not installed"
    if name == "nginx" and not any(map(os.path.exists, NGINX_STREAM)):
        return "nginx has no stream module (Debian: libnginx-mod-stream)"
    return None


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Failure(f"{program} is not installed")
