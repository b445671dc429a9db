#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tcp_details.py TOPIC RULE,LISTEN,PORT,TARGET,PORT,SEEN...

What TCP does besides carrying data, seen from both ends at once. Each of the
rules is given as its name, where it listens, what its target is, and the
address under which that target must see the client; the TOPIC is tried with all
of them side by side, each with a client in the namespace "client" and the target
in the namespace "server". Packets are lost and marked by what the caller told
nftables.
"""
import contextlib
import select
import socket
import sys
import threading
import traceback

import tcp_middle
from muddle import muddled_wires
from tcp_ends import OPT_SYN_DATA, TCP, Rule
from tcp_ends import abort, both_say, end, fails, options, pump, said, same, true, vanish, whole
from wire import TIMEOUT, Wire

TCP_FASTOPEN = 23
MSG_FASTOPEN = 0x20000000


def half_close(rule):
    """Who has said his last word still hears the other's."""
    with rule.listener() as listener:
        for turned in (False, True):
            connection = rule.call(listener)
            first, other = reversed(connection) if turned else connection
            both_say(first, other)
            first.shutdown(socket.SHUT_WR)
            same("end", other.recv(1), b"")
            pump(other, first, until_end=True)
            end(first)


def simultaneous_open(rule):
    """The target calls the client's port while the client's SYN is on its way (the caller loses the first)."""
    with Wire("server", rule.target) as wire, rule.client() as client, rule.at_target() as target:
        client.setblocking(False)
        client.connect_ex(rule.listen)
        syn = wire.until("SYN", lambda p: not p.outgoing and p.is_syn())
        same("whom the target sees", syn.source[0], rule.seen)
        target.connect(syn.source)
        true("the client connects", select.select([], [client], [], TIMEOUT)[1])
        same("the client's error", client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0)
        client.settimeout(TIMEOUT)
        both_say(client, target)
        true("the target sent no SYN", any(p.outgoing and p.is_syn() for p in wire.so_far()))
        true("the client sent no SYN-ACK", any(not p.outgoing and p.is_syn_ack() for p in wire.seen))


def resets(rule):
    listener = rule.listener()
    client, target = rule.call(listener)
    both_say(client, target)
    abort(client)
    fails(ConnectionResetError, target.recv, 1)
    end(target)
    client, target = rule.call(listener)
    both_say(client, target)
    abort(target)
    fails(ConnectionResetError, client.recv, 1)
    end(client)
    # A socket with unread data is closed: the kernel resets.
    for turned in (False, True):
        connection = rule.call(listener)
        speaker, deaf = reversed(connection) if turned else connection
        said(speaker, deaf)
        speaker.sendall(b"unheard")
        true("data arrives", select.select([deaf], [], [], TIMEOUT)[0])
        deaf.close()
        fails(ConnectionResetError, speaker.recv, 1)
        end(speaker)
    end(listener)
    with rule.client() as client:
        fails(ConnectionRefusedError, client.connect, rule.listen)


def lost_syn(rule):
    """The caller loses the first of each connection at the target; it is the same flow's when it comes again."""
    flows = rule.flows()
    with rule.listener() as listener, Wire("server", rule.target) as wire:
        connection = rule.call(listener)
        both_say(*connection)
        end(*connection)
        syns = [p for p in wire.so_far() if p.is_syn()]
        true("no SYN was repeated", len(syns) > 1)
        same("sources of the SYNs", {p.source for p in syns}, {syns[0].source})
        same("flows", rule.flows() - flows, 1)


def lost_syn_ack(rule):
    """The caller loses the first of each connection at the client."""
    flows = rule.flows()
    with rule.listener() as listener, Wire("client", rule.listen) as wire:
        connection = rule.call(listener)
        both_say(*connection)
        end(*connection)
        true("no SYN-ACK was repeated", sum(p.is_syn_ack() for p in wire.so_far()) > 1)
        same("flows", rule.flows() - flows, 1)


def fast_open(rule):
    """Data in the SYN, and the answer before the handshake is over (RFC 7413)."""
    with rule.listener() as listener, Wire("server", rule.target) as wire:
        listener.setsockopt(TCP, TCP_FASTOPEN, 16)
        for data in (b"for a cookie", b"with the cookie"):
            client = rule.client()
            try:
                client.sendto(data, MSG_FASTOPEN, rule.listen)
                target = rule.answer(listener)
            except BlockingIOError:  # without a cookie, data must wait for the handshake
                target = rule.answer(listener)
                client.sendall(data)
            same("received", whole(target, len(data)), data)
            said(target, client)
            both_say(client, target)
            taken = options(client)[0] & OPT_SYN_DATA
            end(client, target)
        true("the target did not take the SYN's data", taken)
        syns = [p.payload for p in wire.so_far() if p.is_syn()]
        same("data in the last SYN", syns[-1], data)


def half_open(rule):
    """One side has forgotten the connection and says so when it is spoken to."""
    with rule.listener() as listener:
        client, target = rule.call(listener)
        both_say(client, target)
        vanish(client)
        target.sendall(b"are you there?")
        fails(ConnectionResetError, target.recv, 1)
        end(target)
        client, target = rule.call(listener)
        both_say(client, target)
        vanish(target)
        client.sendall(b"are you there?")
        fails(ConnectionResetError, client.recv, 1)
        end(client)
        # The client calls again from its port: the target's doubtful ACK, the client's RST, the SYN again.
        client, target = rule.call(listener)
        both_say(client, target)
        port = client.getsockname()[1]
        vanish(client)
        client, again = rule.call(listener, rule.client(port))
        fails(ConnectionResetError, target.recv, 1)
        both_say(client, again)
        end(client, again, target)


def port_again(rule):
    """The same client port, connection after connection, whoever ended the last one and how."""

    def target_first(client, target):
        target.close()
        same("end", client.recv(1), b"")
        client.close()

    def client_first(client, target):
        client.close()
        same("end", target.recv(1), b"")
        target.close()

    def client_aborts(client, target):
        abort(client)
        fails(ConnectionResetError, target.recv, 1)
        target.close()

    def target_aborts(client, target):
        abort(target)
        fails(ConnectionResetError, client.recv, 1)
        client.close()

    ends = (target_first, target_first, client_aborts, client_aborts, target_aborts, target_first, client_first)
    with rule.client() as client:
        port = client.getsockname()[1]
    with rule.listener() as listener, Wire("server", rule.target) as wire:
        for close in ends + (client_first,):
            client, target = call_from(rule, listener, port)
            both_say(client, target)
            close(client, target)
        starts = {p.seq for p in wire.so_far() if p.is_syn()}
        true(f"connections began with the same number: {starts}", len(starts) > len(ends))


def call_from(rule, listener, port):
    """The client's TIME-WAIT lets the port go a moment later, when its clock has moved on."""
    for _ in range(200):
        client = rule.client(port)
        try:
            return rule.call(listener, client)
        except OSError as error:
            if error.errno != 99:  # EADDRNOTAVAIL
                raise
            client.close()
            select.select([], [], [], 0.02)
    raise AssertionError(f"port {port} stays in TIME-WAIT")


# ---- the command

TOPICS = {
    topic.__name__: topic
    for topic in (
        half_close,
        simultaneous_open,
        resets,
        lost_syn,
        lost_syn_ack,
        fast_open,
        half_open,
        port_again,
        tcp_middle.keepalive,
        tcp_middle.patience,
        tcp_middle.single_octets,
        tcp_middle.urgent,
        tcp_middle.window,
        tcp_middle.unchanged,
        tcp_middle.udp_sums,
        tcp_middle.muddled,
    )
}


def main(argv):
    if len(argv) < 3 or argv[1] not in TOPICS:
        sys.exit(__doc__ + "\nTOPIC: " + " ".join(TOPICS))
    rules = []
    for arg in argv[2:]:
        name, listen, listen_port, target, target_port, seen = arg.split(",")
        rules.append(Rule(name, (listen, int(listen_port)), (target, int(target_port)), seen))
    failed = []

    def attempt(rule):
        try:
            TOPICS[argv[1]](rule)
        except Exception:
            failed.append(rule.name)
            print(f"{argv[1]}, {rule.name}:\n{traceback.format_exc()}", file=sys.stderr)

    with muddled_wires(rules) if argv[1] == "muddled" else contextlib.nullcontext():
        threads = [threading.Thread(target=attempt, args=(rule,)) for rule in rules]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    sys.exit(f"tcp_details.py: {argv[1]} failed for {' '.join(sorted(failed))}" if failed else 0)


main(sys.argv)
