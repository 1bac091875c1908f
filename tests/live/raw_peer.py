#!/usr/bin/env python3
"""A peer that breaks one rule of TCP, for the live tests: raw_peer.py INTERFACE IPV4 IPV6 GO

It works below its host's TCP, over IPv4 and IPv6, which a firewall has to keep silent for ports 8000
to 8099. The port selects what it does to a connection: see HABITS. Each such habit has a twin that
looks alike and breaks no rule. Apart from that it is a simple peer, which waits for one byte of data or
for the FIN, acknowledges what is in order, and answers a FIN with its own. It writes "ready" first. A burst
begins once the file GO is there.
"""

import os
import queue
import socket
import struct
import sys
import threading
import time

import packets

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ISN = 70000
SIZE = 1000

own = {socket.inet_pton(socket.AF_INET, sys.argv[2]), socket.inet_pton(socket.AF_INET6, sys.argv[3])}
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind((sys.argv[1], 0))
wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)


class Over(Exception):
    """The other side has reset the connection, or both sides have closed it."""


class Segment:
    def __init__(self, frame, at):
        self.sport, self.dport, self.seq, self.ack, offset, self.flags, self.window = struct.unpack(
            "!HHIIBBH", frame[at:at + 16])
        end = 54 + struct.unpack("!H", frame[18:20])[0] if at == 54 else 14 + struct.unpack("!H", frame[16:18])[0]
        self.data = frame[at + (offset >> 4) * 4:end]


class Peer:
    def __init__(self, frame, source, target, syn):
        self.link = frame[6:12] + frame[:6] + frame[12:14]
        self.ours, self.theirs, self.ports = target, source, (syn.dport, syn.sport)
        self.seq, self.ack, self.acked, self.edge = ISN, syn.seq + 1, ISN, 0
        self.came = queue.Queue()
        self.fin = False  # theirs has come
        self.fins = 0  # so often
        self.takes_fin = True
        self.options = b"\x02\x04\x05\xb4"
        self.ident = 0

    def send(self, flags, data=b"", seq=None):
        options = self.options if flags & SYN else b""
        head = struct.pack("!HHIIBBHHH", *self.ports, (self.seq if seq is None else seq) & 0xFFFFFFFF,
                           self.ack & 0xFFFFFFFF, (5 + len(options) // 4) << 4, flags, 60000, 0, 0)
        tcp = packets.tcp(self.ours, self.theirs, head + options + data)
        self.ident += 1
        if len(self.ours) == 4:
            packet = packets.ipv4(self.ours, self.theirs, tcp, ident=self.ident & 0xFFFF)
        else:
            packet = struct.pack("!IHBB", 6 << 28, len(tcp), 6, 64) + self.ours + self.theirs + tcp
        try:
            wire.send(self.link + packet)
        except OSError:
            time.sleep(0.001)  # the queue is full: this segment is lost

    def say(self, data):
        self.send(ACK | PSH, data)
        self.seq += len(data)

    def hear(self, seconds):
        """The next segment, after it was acknowledged, or None."""
        try:
            s = self.came.get(timeout=max(0, seconds))
        except queue.Empty:
            return None
        if s.flags & RST:
            raise Over
        if s.flags & ACK:
            self.acked, self.edge = max(self.acked, s.ack), s.ack + s.window
        new = s.seq == self.ack & 0xFFFFFFFF
        self.fins += bool(s.flags & FIN)
        if new:
            self.ack += len(s.data)
        if s.flags & FIN and self.takes_fin and s.seq + len(s.data) == self.ack & 0xFFFFFFFF:
            self.ack += 1
            self.fin = True
        if s.data or s.flags & FIN:
            self.send(ACK)
        return s

    def listen(self, seconds):
        """All that comes meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.hear(end - time.monotonic())

    def open(self):
        """The handshake, and the first segment with data or FIN."""
        self.send(SYN | ACK)
        self.seq += 1
        while s := self.hear(20):
            if s.data or s.flags & FIN:
                return
        raise Over

    def close(self):
        while not self.fin:
            if not self.hear(20):
                raise Over
        self.send(FIN | ACK)
        self.seq += 1
        self.listen(1)
        raise Over


def plain(c):
    c.open()
    c.say(b"answer")


def repeats_syn_ack(c, times):
    """It takes the third segment of the handshake only after it has sent its SYN-ACK that often."""
    for _ in range(times):
        c.send(SYN | ACK)
        end = time.monotonic() + 0.6
        while (left := end - time.monotonic()) > 0:
            try:
                s = c.came.get(timeout=left)
            except queue.Empty:
                break
            if s.flags & RST:
                raise Over
            if s.data:
                c.seq += 1
                c.came.put(s)
                return
    c.seq += 1


def defers(c):
    repeats_syn_ack(c, 8)


def misses_one_ack(c):
    """The third segment was lost: what follows the SYN-ACK that is sent once more is taken."""
    repeats_syn_ack(c, 1)
    c.send(SYN | ACK, seq=ISN)


def ignores_fin(c):
    c.takes_fin = False
    c.open()
    c.say(b"answer")
    c.listen(20)


def fin_late(c):
    """Its host was too busy for two FINs of ours."""
    c.takes_fin = False
    c.open()
    c.say(b"answer")
    while c.fins < 2 and c.hear(20):
        pass
    c.takes_fin = True


def leaves_out(c, again):
    """One segment is missing, and what is behind it comes; it is sent after so many seconds."""
    c.open()
    c.say(b"a" * SIZE)
    missing = c.seq
    c.seq += SIZE
    for i in range(24):
        c.say(b"b" * SIZE)
        c.listen(0.25)
        if again and i == again * 4:
            c.send(ACK | PSH, b"m" * SIZE, missing)


def never_repeats(c):
    leaves_out(c, 0)


def repeats_late(c):
    leaves_out(c, 2)


def repeats_needlessly(c, times=5):
    """What was acknowledged long ago."""
    c.open()
    first = c.seq
    c.say(b"a" * SIZE)
    c.listen(0.5)
    for _ in range(times):
        c.send(ACK | PSH, b"a" * SIZE, first)
        c.listen(0.4)


def repeats_once(c):
    repeats_needlessly(c, 1)


def fill(c, beyond):
    """The last segment that the window has room for comes first, and ends as many bytes beyond it."""
    c.open()
    end = c.edge + beyond
    c.send(ACK | PSH, b"o" * SIZE, end - SIZE)
    while c.seq < end - SIZE:
        c.say(b"o" * min(SIZE, end - SIZE - c.seq))
    c.say(b"o" * SIZE)


def overruns(c):
    fill(c, 500)


def fills(c):
    fill(c, 0)


def forgets(c, times=1000):
    """A NAT that has lost the connection: a RST with a number of its own for what comes."""
    c.open()
    for _ in range(times):
        c.send(RST, seq=c.seq + 100)
        try:
            s = c.came.get(timeout=20)
        except queue.Empty:
            return
        if s.flags & RST:
            raise Over


def two_resets(c):
    """Two late RSTs of an earlier connection."""
    forgets(c, 2)


def burst(c, count=9000):
    """More than a capture holds that is not read: what is not acknowledged comes again."""
    c.options += b"\x01\x03\x03\x0a"
    c.open()
    while not os.path.exists(sys.argv[4]):
        time.sleep(0.05)
    first = c.seq
    for i in range(count):
        c.send(ACK, b"x" * SIZE, first + i * SIZE)
    print("sent", flush=True)
    c.seq += count * SIZE
    while c.acked < c.seq:
        if not c.hear(0.2):
            for at in range(c.acked, min(c.seq, c.acked + 1000 * SIZE), SIZE):
                c.send(ACK, b"x" * SIZE, at)


def small_burst(c):
    burst(c, 200)


HABITS = dict(enumerate((plain, defers, misses_one_ack, ignores_fin, fin_late, never_repeats, repeats_late,
                         repeats_needlessly, repeats_once, overruns, fills, forgets, two_resets, burst,
                         small_burst), 8000))


def serve(c):
    try:
        HABITS[c.ports[0]](c)
        c.close()
    except Over:
        pass


def take(peers, frame):
    at = {b"\x08\0": 34, b"\x86\xdd": 54}.get(frame[12:14])
    if at is None or len(frame) < at + 20 or frame[23 if at == 34 else 20] != 6:
        return
    source, target = (frame[26:30], frame[30:34]) if at == 34 else (frame[22:38], frame[38:54])
    s = Segment(frame, at)
    if target not in own or s.dport not in HABITS:
        return
    key = source, s.sport, s.dport
    if s.flags & SYN:
        if key not in peers:
            peers[key] = Peer(frame, source, target, s)
            threading.Thread(target=serve, args=(peers[key],), daemon=True).start()
    elif key in peers:
        peers[key].came.put(s)


def main():
    peers = {}
    print("ready", flush=True)
    while True:
        frame, where = wire.recvfrom(65536)
        if where[2] != socket.PACKET_OUTGOING:
            take(peers, frame)


main()
