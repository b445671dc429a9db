#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""steady.py ADDR PORT[,PORT...] RATE FIFO

Sends so many datagrams a second, taking the ports in turn, each as part of a
long flow but every twentieth from a socket of its own, until somebody writes
into FIFO. A server answers each of them. Never more than 64 are without an
answer, so that no buffer on the way runs over; one that gets none in 20 seconds
is lost. Prints "ready" when the first was answered, and in the end "sent N lost N".
"""
import os
import selectors
import socket
import sys
import time

WINDOW = 64
PATIENCE = 20
NEW_EVERY = 20


class Stream:
    def __init__(self, addr, ports):
        self.family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        self.addr = addr
        self.ports = ports
        self.selector = selectors.DefaultSelector()
        self.long = [self.open(port) for port in ports]
        self.short = {}
        self.waiting = {}
        self.sent = self.lost = 0

    def open(self, port):
        sock = socket.socket(self.family, socket.SOCK_DGRAM)
        sock.connect((self.addr, port))
        self.selector.register(sock, selectors.EVENT_READ)
        return sock

    def send(self):
        which = self.sent % len(self.ports)
        sock = self.long[which]
        if self.sent % NEW_EVERY == 0:
            sock = self.open(self.ports[which])
            self.short[self.sent] = sock
        self.waiting[self.sent] = time.monotonic()
        try:
            sock.send(b"%d" % self.sent)
        except ConnectionRefusedError:
            pass  # of an earlier one, which nobody has answered: it is counted
        self.sent += 1

    def close(self, number):
        sock = self.short.pop(number, None)
        if sock:
            self.selector.unregister(sock)
            sock.close()

    def receive(self, seconds):
        for key, _ in self.selector.select(seconds):
            try:
                number = int(key.fileobj.recv(2048).rsplit(b" ", 1)[1])
            except ConnectionRefusedError:
                continue
            self.waiting.pop(number, None)
            self.close(number)

    def give_up(self):
        late = time.monotonic() - PATIENCE
        for number in [number for number, when in self.waiting.items() if when < late]:
            del self.waiting[number]
            self.close(number)
            self.lost += 1


def main(argv):
    if len(argv) != 5:
        sys.exit(__doc__)
    stream = Stream(argv[1], [int(port) for port in argv[2].split(",")])
    pause = 1 / int(argv[3])
    end = os.open(argv[4], os.O_RDONLY | os.O_NONBLOCK)
    due = time.monotonic()
    ready = False
    while not os.read(end, 1) if ready else True:
        if len(stream.waiting) < WINDOW and time.monotonic() >= due:
            stream.send()
            due = max(due + pause, time.monotonic() - 0.05)
        stream.receive(max(0, min(due - time.monotonic(), 0.01)))
        stream.give_up()
        if not ready and stream.sent > len(stream.waiting):
            ready = True
            print("ready", flush=True)
    while stream.waiting:
        stream.receive(0.1)
        stream.give_up()
    print(f"sent {stream.sent} lost {stream.lost}", flush=True)


main(sys.argv)
