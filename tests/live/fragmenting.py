"""A peer whose answer comes in IP fragments, over either family; each port has its own way.

Usage: fragmenting.py INTERFACE IPV4 IPV6

It takes one byte or more of data, and answers with 3,000 bytes and FIN. The kernel must not answer
for these ports. It writes "ready" first.
"""

import socket
import struct
import sys

import packets

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
SIZE = 3000
SEQ = 70000

interface = sys.argv[1]
own = {socket.inet_pton(socket.AF_INET, sys.argv[2]), socket.inet_pton(socket.AF_INET6, sys.argv[3])}
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind((interface, 0))
other_mac = b"\x02\0\0\0\x09\x77"
ident = 100


def ipv6(source, target, payload, following=6):
    return struct.pack("!IHBB", 6 << 28, len(payload), following, 64) + source + target + payload


class Client:
    def __init__(self, frame, source, target, ports, seq):
        self.link = frame[6:12] + frame[:6] + frame[12:14]
        self.ours, self.theirs = target, source
        self.port, self.their_port = ports
        self.ack = seq + 1
        self.tries = 0

    def segment(self, flags, seq, data=b"", options=b""):
        head = struct.pack("!HHIIBBHHH", self.port, self.their_port, SEQ + seq, self.ack & 0xFFFFFFFF,
                           (5 + len(options) // 4) << 4, flags, 5000, 0, 0)
        return packets.tcp(self.ours, self.theirs, head + options + data)

    def frame(self, packet, link=None):
        wire.send((link or self.link) + packet)

    def whole(self, segment, link=None):
        v4 = len(self.ours) == 4
        self.frame(packets.ipv4(self.ours, self.theirs, segment) if v4
                   else ipv6(self.ours, self.theirs, segment), link)

    def piece(self, segment, first, end, more=None):
        """The fragment of these bytes; `ident` tells which packet it is of."""
        part, more = segment[first:end], end < len(segment) if more is None else more
        if len(self.ours) == 4:
            field = first // 8 | (0x2000 if more else 0)
            self.frame(packets.ipv4(self.ours, self.theirs, part, ident=ident & 0xFFFF, fragment=field))
        else:
            head = struct.pack("!BBHI", 6, 0, first | more, ident)
            self.frame(ipv6(self.ours, self.theirs, head + part, 44))


def cuts(segment, size=1024):
    return [(at, min(at + size, len(segment))) for at in range(0, len(segment), size)]


def in_order(c, segment):
    for cut in cuts(segment):
        c.piece(segment, *cut)


def backwards_and_twice(c, segment):
    for cut in reversed(cuts(segment)):
        c.piece(segment, *cut)
        c.piece(segment, *cut)


def twice(c, segment):
    in_order(c, segment)
    c.piece(segment, *cuts(segment)[-1])  # what comes once more is no packet that misses something


def overlapping(c, segment):
    c.piece(segment, 0, 1024)
    c.piece(segment, 1016, 2048)
    c.piece(segment, 2048, len(segment))


def one_missing(c, segment):
    c.piece(segment, 0, 1024)
    c.piece(segment, 2048, len(segment))


def first_missing(c, segment):
    c.piece(segment, 1024, 2048)
    c.piece(segment, 2048, len(segment))


def one_missing_at_first(c, segment):
    (in_order if c.tries > 1 else one_missing)(c, segment)


def bad_checksum(c, segment):
    in_order(c, segment[:16] + b"\x12\x34" + segment[18:])


def not_cut(c, segment):
    data = segment[20:]
    for at in range(0, len(data), 1000):
        c.whole(c.segment(ACK, 1 + at, data[at:at + 1000]))


def two_macs(c, segment):
    data = segment[20:]
    for at in range(0, len(data), 1000):
        c.whole(c.segment(ACK, 1 + at, data[at:at + 1000]), c.link[:6] + other_mac + c.link[12:])


WAYS = dict(enumerate((in_order, backwards_and_twice, twice, overlapping, one_missing, first_missing,
                       one_missing_at_first, bad_checksum, not_cut, two_macs), 5000))
SYN_ACK_IN_TWO = 5010


def opening(c):
    global ident
    segment = c.segment(SYN | ACK, 0, options=b"\x02\x04\x20\0" + b"\1" * 8)
    if c.port == SYN_ACK_IN_TWO:
        ident += 1
        c.piece(segment, 0, 24)
        c.piece(segment, 24, len(segment))
    else:
        c.whole(segment)


def answer(c):
    global ident
    ident += 1
    c.tries += 1
    WAYS.get(c.port, in_order)(c, c.segment(ACK | PSH, 1, bytes(i % 251 for i in range(SIZE))))
    c.whole(c.segment(ACK | FIN, 1 + SIZE))


def take(clients, frame):
    at = {b"\x08\0": 14 + 20, b"\x86\xdd": 14 + 40}.get(frame[12:14])
    if at is None or len(frame) < at + 20:
        return
    source, target = (frame[26:30], frame[30:34]) if at == 34 else (frame[22:38], frame[38:54])
    if target not in own or frame[23 if at == 34 else 20] != 6:
        return
    theirs, port, seq, ack, offset, flags = struct.unpack("!HHIIBB", frame[at:at + 14])
    if port not in WAYS and port != SYN_ACK_IN_TWO:
        return
    length = len(frame) - at if at == 54 else struct.unpack("!H", frame[16:18])[0] - 20
    data = length - (offset >> 4) * 4
    key = (source, theirs, port)
    if flags & SYN:
        clients[key] = Client(frame, source, target, (port, theirs), seq)
        opening(clients[key])
        return
    c = clients.get(key)
    if c is None or flags & RST:
        return
    c.ack = max(c.ack, seq + data + bool(flags & FIN))
    has_all = ack - SEQ > SIZE
    if flags & FIN:
        c.whole(c.segment(ACK, 2 + SIZE))
    if data and c.tries == 0:
        answer(c)
    elif c.port == 5006 and c.tries and not has_all and c.tries < 3:
        answer(c)  # since something is missing


def main():
    clients = {}
    print("ready", flush=True)
    while True:
        frame, where = wire.recvfrom(65536)
        if where[2] != socket.PACKET_OUTGOING:
            take(clients, frame)


main()
