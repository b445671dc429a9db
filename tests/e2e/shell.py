#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""shell.py SHELL SETUP LINE...: types lines into an interactive shell.

SHELL runs on a terminal of its own, and gets SETUP first. Of each LINE, "^I"
is typed as the tab key. What comes of it is for the commands in there to note.
Once they all ran, the shell is told to exit.
"""
import os
import pty
import select
import sys
import time

SECONDS = 60  # only what hangs gets there
READY = "shell-is-"  # never echoed in one piece with what follows
COMMANDS = {
    "bash": ["bash", "--norc", "--noprofile"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config"],
}


def wait_for(fd, text):
    """Reads until text comes; a line feed in place of a shell's prompt is all that is sure."""
    seen, end = b"", time.monotonic() + SECONDS
    while text.encode() not in seen:
        if not select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            sys.exit(f"no '{text}' in {SECONDS} s:\n{seen.decode(errors='replace')}")
        try:
            seen += os.read(fd, 65536)
        except OSError:
            sys.exit(f"the shell ended before '{text}':\n{seen.decode(errors='replace')}")
    sys.stderr.write(seen.decode(errors="replace"))


def type_line(fd, line, number):
    """The line, and one more that tells that it is done."""
    os.write(fd, line.replace("^I", "\t").encode() + b"\r")
    os.write(fd, f"echo {READY}''{number}\r".encode())
    wait_for(fd, f"{READY}{number}")


def main():
    shell, setup, *lines = sys.argv[1:]
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "dumb" if shell != "fish" else "xterm"
        os.environ["PS1"] = "$ "
        os.execvp(COMMANDS[shell][0], COMMANDS[shell])
    for number, line in enumerate([setup, *lines]):
        type_line(fd, line, number)
    os.write(fd, b"exit\r")
    os.waitpid(pid, 0)


main()
