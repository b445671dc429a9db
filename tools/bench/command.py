# SPDX-License-Identifier: GPL-2.0-only
"""What the command lines of tools/bench have in common."""

import os
import shlex
import signal
import sys

from lab import BUILD, Failure


def listed(of):
    """Type of an option that takes a comma-separated list."""
    def parse(text):
        return [of(word) for word in text.split(",")]
    return parse


def add_how(parser, rounds, seconds):
    cores = sorted(os.sched_getaffinity(0))
    parser.add_argument("--rounds", type=int, default=rounds, metavar="N", help="default %(default)s")
    parser.add_argument("--seconds", type=float, default=seconds, metavar="S",
                        help="of each measurement; default %(default)s")
    parser.add_argument("--router-cpu", type=int, default=cores[-1], metavar="CPU", help="default: the last one")
    parser.add_argument("--load-cpu", type=int, default=cores[0], metavar="CPU",
                        help="generator and receivers; default: the first one")


def add_json(parser, name):
    parser.add_argument("--json", default=os.path.join(BUILD, "bench", name), metavar="FILE",
                        help="all figures, default %(default)s")


def check_how(parser, options):
    if options.rounds < 1 or not 0.05 <= options.seconds <= 10:
        parser.error("there is at least one round, and --seconds is between 0.05 and 10")
    if options.router_cpu == options.load_cpu:
        parser.error("the router needs a core of its own")


def check_root():
    if os.geteuid():
        raise Failure("needs root, for network namespaces and BPF")


def interrupted(number, _frame):
    # Once is enough: what was made is now taken away.
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(f"bench: stopped by signal {number}")


def end_by_signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)


def line():
    return shlex.join([os.path.join("tools/bench", os.path.basename(sys.argv[0])), *sys.argv[1:]])
