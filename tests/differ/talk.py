# SPDX-License-Identifier: GPL-2.0-only
"""A conversation between a client and a rule's target, as each of them sees it."""
import dataclasses
import random

import rules
from link import MACS
from wire import ICMP, ICMP6, NAT_PORT, TCP, UDP, Packet, addr


@dataclasses.dataclass
class Step:
    """What is sent at once from one side: mostly one packet."""

    side: str
    what: str  # for people
    packet: Packet = None
    direction: str = None  # "in": client to target, "out": target to client; None: not the conversation's own
    parts: list = None  # of IP: what is sent instead of the whole packet
    spoiled: str = ""
    about: str = ""  # of an ICMP error: whose packet is inside, "in" or "out"

    def frames(self, nat_port):
        if self.parts is None:
            return [self.packet.build(MACS[self.side], nat_port)]
        kind = b"\x86\xdd" if self.packet.v6 else b"\x08\x00"
        head = MACS[self.side][0] + MACS[self.side][1] + kind
        return [head + part for part in self.parts(self.packet.ip(nat_port))]


class Conversation:
    def __init__(self, seed, number):
        self.rng = rng = random.Random(f"{seed}:{number}")
        self.number = number
        self.version = rng.choice((4, 6))
        self.proto = rng.choice((TCP, UDP))
        self.use(rng.choice(rules.RULES))
        self.far = rng.random() < 0.7
        self.client = self.far_address() if self.far else addr(rules.CLIENT[self.version])
        # A port for each conversation, so that none inherits another's state.
        self.client_port = 1024 + number
        self.client_side = "client"
        self.nat_port = {}
        self.history = []  # for people

    def use(self, rule):
        self.rule = rule
        self.listen_port = self.rng.choice(list(rule.listen_ports()))
        self.listen = rule.listens_on(self.version)
        self.target = addr(rules.SERVER[self.version])
        self.target_port = rule.target_port(self.listen_port)

    def far_address(self):
        net = addr(rules.FAR[self.version])
        host = self.rng.randbytes(2 if self.version == 4 else 10)
        return net[: len(net) - len(host)] + host

    def become_hairpin(self):
        """The client is in the target's own network."""
        self.use(next(rule for rule in rules.RULES if rule.source == "auto"))
        self.far, self.client, self.client_side = False, addr(rules.BEYOND[self.version]), "server"

    @property
    def hides_client(self):
        return self.rule.source == "masquerade" or self.client_side == "server"

    @property
    def seen_client(self):
        """Whom the target sees."""
        return addr(rules.LAN[self.version]) if self.hides_client else self.client

    @property
    def seen_port(self):
        return NAT_PORT if self.hides_client else self.client_port

    def packet(self, direction, **fields):
        """A packet as its sender sends it."""
        if direction == "in":
            ends = self.client, self.listen, self.client_port, self.listen_port
        else:
            ends = self.target, self.seen_client, self.target_port, self.seen_port
        return Packet(ends[0], ends[1], self.proto, ends[2], ends[3], **fields)

    def arrived(self, direction, **fields):
        """The same as its receiver gets it."""
        if direction == "in":
            ends = self.seen_client, self.target, self.seen_port, self.target_port
        else:
            ends = self.listen, self.client, self.listen_port, self.client_port
        return Packet(ends[0], ends[1], self.proto, ends[2], ends[3], **fields)

    def side(self, direction):
        return self.client_side if direction == "in" else "server"

    def step(self, direction, what, **fields):
        return Step(self.side(direction), what, self.packet(direction, **fields), direction)

    def can_answer(self):
        """Does each router say which port the target is to answer to? Unless the client is not hidden."""
        return not self.hides_client or len(self.nat_port) == 2

    def icmp(self, src, dst, message, **fields):
        return Packet(src, dst, ICMP6 if self.version == 6 else ICMP, icmp=message, **fields)
