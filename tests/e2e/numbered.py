#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A steady stream of datagrams, each of which must come back, for the end-to-end tests.

numbered.py serve ADDR PORT         answers each datagram with its sender's port and the datagram
numbered.py send ADDR PORT RATE     sends RATE numbered datagrams a second and says "flowing" once the first answers are
                                  there; at SIGTERM it waits for those that are under way, and says
                                  "sent N lost N ports N": how often the server saw the source port change, too
"""
import selectors
import signal
import socket
import struct
import sys
import time

BUFFER = 8 << 20  # the ends must lose nothing themselves, however busy the machine is
UNDER_WAY = 1000  # at most; who is that late waits
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33  # asm-generic/socket.h; the socket module does not have them
PATIENCE = 5  # seconds without an answer: what is not there is lost


def udp_socket(addr):
    sock = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET, socket.SOCK_DGRAM)
    for option in (SO_SNDBUFFORCE, SO_RCVBUFFORCE):
        sock.setsockopt(socket.SOL_SOCKET, option, BUFFER)
    return sock


def serve(addr, port):
    sock = udp_socket(addr)
    sock.bind((addr, port))
    print("ready", flush=True)
    while True:
        data, sender = sock.recvfrom(2048)
        sock.sendto(struct.pack("!H", sender[1]) + data, sender)


class Stream:
    def __init__(self, addr, port):
        self.sock = udp_socket(addr)
        self.sock.connect((addr, port))
        self.sock.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.sock, selectors.EVENT_READ)
        self.sent = 0
        self.missing = set()
        self.ports = []

    def send(self):
        self.missing.add(self.sent)
        self.sock.send(struct.pack("!Q", self.sent) + bytes(self.sent % 200))
        self.sent += 1

    def receive(self, seconds):
        """Whatever comes in that time; false: nothing did."""
        if not self.selector.select(max(seconds, 0)):
            return False
        while True:
            try:
                data = self.sock.recv(2048)
            except BlockingIOError:
                return True
            port, number = struct.unpack("!HQ", data[:10])
            self.missing.discard(number)
            if not self.ports or self.ports[-1] != port:
                self.ports.append(port)


def send(addr, port, rate):
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    stream = Stream(addr, port)
    due = time.monotonic()
    said = False
    while not stopped:
        stream.receive(due - time.monotonic())
        if time.monotonic() >= due and len(stream.missing) < UNDER_WAY:
            stream.send()
            due = max(due + 1 / rate, time.monotonic() - 0.1)
        if not said and stream.ports:
            print("flowing", flush=True)
            said = True
    while stream.missing and stream.receive(PATIENCE):
        pass
    print(f"sent {stream.sent} lost {len(stream.missing)} ports {len(stream.ports)}", flush=True)


def main(argv):
    if argv[1:2] == ["serve"]:
        serve(argv[2], int(argv[3]))
    elif argv[1:2] == ["send"]:
        send(argv[2], int(argv[3]), int(argv[4]))
    else:
        sys.exit(__doc__)


main(sys.argv)
