# SPDX-License-Identifier: GPL-2.0-only
"""CPU time of all that works in a lab: what others do on the machine meanwhile is not in it."""

import glob
import os
import resource
import time

CHILDREN_AT = 15  # in /proc/PID/stat: user and system time of children that have ended, in ticks


def process_seconds(pid):
    """Of all its threads, also those that have ended. The clock is what clock_getcpuclockid(3) makes of a PID."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        children = stat.read().rpartition(")")[2].split()[CHILDREN_AT - 2:][:2]
    return time.clock_gettime((~pid << 3) | 2) + sum(map(int, children)) / os.sysconf("SC_CLK_TCK")


def softirq_thread(cpu):
    """The kernel's thread for what packets cause there and nobody's process has time for."""
    for path in glob.glob("/proc/[0-9]*/comm"):
        try:
            with open(path, encoding="ascii", errors="replace") as comm:
                if comm.read().strip() == f"ksoftirqd/{cpu}":
                    return int(path.split("/")[2])
        except OSError:
            pass  # it ended meanwhile
    return None


def core_seconds(pids):
    """Of these, and of the commands that this process has waited for."""
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + sum(process_seconds(pid) for pid in pids if pid)
