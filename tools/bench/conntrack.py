# SPDX-License-Identifier: GPL-2.0-only
"""
Room for connections in the kernel's table. It is the machine's, in which the namespaces share: so it is made larger
for as long as a scene needs it, and put back.
"""

import contextlib

MAX = "/proc/sys/net/netfilter/nf_conntrack_max"
BUCKETS = "/sys/module/nf_conntrack/parameters/hashsize"
SPARE = 1.25


def read(path):
    with open(path, encoding="ascii") as file:
        return int(file.read())


def write(path, value):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(value))


def limit():
    """How many connections fit, with some to spare for those that are not the benchmark's."""
    return int(read(MAX) * 0.9)


@contextlib.contextmanager
def room(flows):
    """As far as it is allowed: then limit() tells how far."""
    wanted, before = int(flows * SPARE), []
    try:
        for path in (BUCKETS, MAX):
            with contextlib.suppress(OSError):  # nobody tracks connections yet, or this is a container
                value = read(path)
                if value < wanted:
                    write(path, wanted)
                    before.append((path, value))
        yield
    finally:
        for path, value in before:
            write(path, value)
