# SPDX-License-Identifier: GPL-2.0-only
"""Fragments: made of a packet, in orders that occur and in orders that only attackers send; and put together again."""
import struct

from talk import Step
from wire import ACK, FRAGMENT, Headers, checksum

ORDERS = ("in order", "reversed", "shuffled", "one twice", "one missing", "overlapping", "tiny first")


def cut_points(rng, length, order):
    size = rng.choice((64, 200, 512, 1024, 1344)) // 8 * 8
    points = list(range(0, length, size))
    if order == "tiny first" and length > 8:
        points = sorted(set(points) | {8})
    return list(zip(points, points[1:] + [length]))


def arrange(rng, pieces, order):
    if order == "reversed":
        pieces = pieces[::-1]
    elif order == "shuffled":
        rng.shuffle(pieces)
    elif order == "one twice":
        pieces = pieces + [rng.choice(pieces)]
        rng.shuffle(pieces)
    elif order == "one missing" and len(pieces) > 1:
        pieces.pop(rng.randrange(len(pieces)))
    elif order == "overlapping" and len(pieces) > 1:
        at = rng.randrange(1, len(pieces))
        pieces[at] = (pieces[at][0] - 8, pieces[at][1])
    return pieces


def piece_of_ipv4(ip, start, end, ident):
    body = ip[20:]
    more = 0x2000 if end < len(body) else 0
    fields = struct.pack("!HHH", 20 + end - start, ident & 0xFFFF, more | start // 8)
    head = ip[:2] + fields + ip[8:10] + b"\0\0" + ip[12:20]
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body[start:end]


def piece_of_ipv6(ip, start, end, ident):
    body = ip[40:]
    header = struct.pack("!BBHI", ip[6], 0, start | (end < len(body)), ident)
    return ip[:4] + struct.pack("!HB", 8 + end - start, FRAGMENT) + ip[7:40] + header + body[start:end]


def fragment_step(c, direction):
    rng = c.rng
    data = rng.randbytes(rng.choice((100, 1000, 2500, 5000)))
    packet = c.packet(direction, payload=data, flags=ACK, df=False)
    order, ident = rng.choice(ORDERS), rng.randrange(1 << 32)
    length = len(packet.ip()) - (40 if packet.v6 else 20)
    pieces = arrange(rng, cut_points(rng, length, order), order)
    make = piece_of_ipv6 if packet.v6 else piece_of_ipv4

    def parts(ip):
        return [make(ip, start, end, ident) for start, end in pieces]

    return Step(c.side(direction), f"{len(pieces)} fragments, {order}", packet, direction, parts)


def whole(frame, h, body):
    """The packet that these fragments were, as one frame without trace of having been cut."""
    if h.v6:
        ip = frame[h.l3 : h.l3 + 4] + struct.pack("!HB", len(body) & 0xFFFF, h.proto) + frame[h.l3 + 7 : h.l3 + 40]
        return frame[: h.l3] + ip + body
    ip = bytearray(frame[h.l3 : h.l4])
    struct.pack_into("!HHH", ip, 2, (len(ip) + len(body)) & 0xFFFF, 0, 0)
    struct.pack_into("!H", ip, 10, 0)
    struct.pack_into("!H", ip, 10, checksum(bytes(ip)))
    return frame[: h.l3] + bytes(ip) + body


def put_together(out):
    """Of (side, frame): complete sets of fragments become the packet that they were; the rest stays as it is."""
    sets, rest = {}, []
    for side, frame in out:
        h = Headers(frame)
        if h.fragment is None or h.l4 is None:
            rest.append((side, frame))
            continue
        if h.fragment[:2] == (0, False):  # all of it (RFC 6946)
            rest.append((side, whole(frame, h, frame[h.l4 : h.end])))
            continue
        sets.setdefault((side, h.src, h.dst, h.proto, h.fragment[2]), []).append((h.fragment, frame, h))
    for (side, *_), pieces in sets.items():
        body, last = bytearray(), False
        for (offset, more, _), frame, h in sorted(pieces, key=lambda piece: piece[0]):
            if offset > len(body):
                break
            body[offset:] = frame[h.l4 : h.end]
            last = not more
        if last and pieces:
            first = min(pieces, key=lambda piece: piece[0])
            rest.append((side, whole(first[1], first[2], bytes(body))))
        else:
            rest += [(side, frame) for _, frame, _ in pieces]
    return rest
