#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What sshd does, and under its name, for the end-to-end tests.

session.py ADDR PORT COMMAND...   waits for one connection and runs the command while it lasts, the listener closed
"""
import socket
import subprocess
import sys

with open("/proc/self/comm", "w", encoding="ascii") as comm:
    comm.write("sshd")
with socket.create_server((sys.argv[1], int(sys.argv[2]))) as listener:
    print("ready", flush=True)
    connection, _ = listener.accept()
with connection:
    print("exit code", subprocess.run(sys.argv[3:], check=False).returncode, flush=True)
