# SPDX-License-Identifier: GPL-2.0-only
"""A wire on which packets overtake each other and come twice."""
import contextlib
import fcntl
import json
import os
import select
import socket
import struct
import threading

from wire import ETH_P_IP, ETH_P_IPV6, command, enter, socket_in, tcp_counter

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000


class Muddle:
    """Takes what a namespace sends to some addresses, and sends it reversed and in part twice.

    They are led into a tun device, whose other end is here, and leave by eth0 towards the
    router's device there. Whatever is waiting goes as one lot, the last first, and that twice.
    """

    LOT = 4  # packets

    def __init__(self, namespace, addresses, router):
        link = json.loads(command("ip", "-j", "-n", "router", "link", "show", router))[0]["address"]
        self.router = bytes.fromhex(link.replace(":", ""))
        enter(namespace)
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH22x", b"muddle", IFF_TUN | IFF_NO_PI))
        command("ip", "-n", namespace, "link", "set", "muddle", "up")
        for address, source in addresses:
            command("ip", "-n", namespace, "route", "add", address, "dev", "muddle", "src", source)
        self.out = socket_in(namespace, socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self.turned = False
        self.stop = os.eventfd(0)
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while self.stop not in select.select([self.fd, self.stop], [], [])[0]:
            self.carry()

    def carry(self):
        lot = []
        try:
            while len(lot) < self.LOT:
                lot.append(os.read(self.fd, 65536))
        except BlockingIOError:
            pass
        for i, data in enumerate(reversed(lot)):
            protocol = ETH_P_IPV6 if data[0] >> 4 == 6 else ETH_P_IP
            for _ in range(2 if i == 0 else 1):
                self.out.sendto(data, ("eth0", protocol, 0, 0, self.router))
        self.turned |= len(lot) > 1

    def close(self):
        """The device goes with its last descriptor, and the routes with the device."""
        os.eventfd_write(self.stop, 1)
        self.thread.join()
        os.close(self.stop)
        os.close(self.fd)
        self.out.close()


@contextlib.contextmanager
def muddled_wires(rules):
    """Both ends' packets to each other, for as long as this lasts; each end must have noticed."""
    own = {rule.family: rule.seen for rule in rules if rule.name.startswith("kept")}
    early = {end: tcp_counter(end, "TCPOFOQueue") for end in ("client", "server")}
    wires = (
        Muddle("client", [(rule.listen[0], own[rule.family]) for rule in rules], "wan0"),
        Muddle("server", [(rule.seen, rule.target[0]) for rule in rules], "lan0"),
    )
    try:
        yield
    finally:
        for wire in wires:
            wire.close()
    for end, before in early.items():
        if tcp_counter(end, "TCPOFOQueue") == before:
            raise AssertionError(f"{end}: nothing arrived too early")
    if not all(wire.turned for wire in wires):
        raise AssertionError("nothing was turned round")
