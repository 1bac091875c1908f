#!/usr/bin/env python3
"""A peer that behaves like another TCP stack, or like a host whose segments are lost, for foreign.sh:

  foreign.py INTERFACE ADDRESS PORT HABIT [ARGUMENT...]

Speaks TCP over IPv4 on a packet socket, below its host's own TCP, which must be kept silent. It
serves one connection after the other, each as the function with the name of the habit does it. The
habits in CALLS instead connect to ETHERNET HOST PORT, once.
"""

import socket
import struct
import sys
import time

import packets

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MSS = b"\x02\x04\x05\xb4"
STAMPS = MSS + b"\x01\x01\x08\x0a"  # a value and an echo are to follow


class Gone(Exception):
    """Nothing came for too long."""


class Segment:
    def __init__(self, frame):
        tcp = frame[34:14 + struct.unpack(">H", frame[16:18])[0]]
        self.port, _, self.seq, self.ack, offset, self.flags = struct.unpack(">HHIIBB", tcp[:14])
        self.data = tcp[(offset >> 4) * 4:]
        self.length = len(self.data) + bool(self.flags & SYN) + bool(self.flags & FIN)
        self.end = self.seq + self.length
        self.ethernet, self.host = frame[6:12], frame[26:30]


class Peer:
    """SND.NXT is `seq`, RCV.NXT is `ack`."""

    def __init__(self, interface, address, port):
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        self.wire.bind((interface, 0))
        self.own = self.wire.getsockname()[4]
        self.address, self.port = socket.inet_aton(address), port
        self.start()

    def start(self):
        self.seq, self.ack, self.first = 1000, 0, None

    def get(self, patience=10.0, wanted=0):
        """The next segment to our port, one that has these flags."""
        until = time.monotonic() + patience
        while (left := until - time.monotonic()) > 0:
            self.wire.settimeout(left)
            try:
                frame, where = self.wire.recvfrom(70000)
            except TimeoutError:
                break
            if where[2] == socket.PACKET_OUTGOING or len(frame) < 54 or frame[23] != 6:
                continue
            if frame[30:34] != self.address or struct.unpack(">H", frame[36:38])[0] != self.port:
                continue
            s = Segment(frame)
            self.ethernet, self.host, self.theirs = s.ethernet, s.host, s.port
            if s.flags & wanted == wanted:
                return s
        raise Gone

    def send(self, flags, data=b"", seq=None, ack=None, options=b""):
        number = self.seq if seq is None else seq
        if flags & ACK:
            ack = self.ack if ack is None else ack
        options += b"\x01" * (-len(options) % 4)
        segment = struct.pack(">HHIIBBHHH", self.port, self.theirs, number & 0xFFFFFFFF, (ack or 0) & 0xFFFFFFFF,
                              5 + len(options) // 4 << 4, flags, 60000, 0, 0) + options + data
        segment = packets.tcp(self.address, self.host, segment)
        packet = packets.ipv4(self.address, self.host, segment, ident=7, fragment=0x4000)
        self.wire.send(self.ethernet + self.own + b"\x08\0" + packet)
        if seq is None:
            self.seq += len(data) + bool(flags & SYN) + bool(flags & FIN)

    def accept(self, options=MSS):
        """A whole handshake; the segment with the third ACK is given back where it carries more."""
        self.start()
        self.ack = self.get(3600, SYN).end
        self.send(SYN | ACK, options=options)
        s = self.get(wanted=ACK)
        return s if s.length else None

    def call(self, ethernet, host, port):
        self.start()
        self.ethernet, self.host = bytes.fromhex(ethernet.replace(":", "")), socket.inet_aton(host)
        self.theirs = int(port)

    def answer_fin(self):
        """Reads to the FIN and answers it with our own."""
        s = self.get(wanted=FIN)
        self.ack = s.end
        self.send(FIN | ACK)


def bare_reset(p):
    """passt: a RST without ACK, and with a number of its own."""
    while True:
        p.get(3600)
        p.send(RST, seq=12345)


def bsd_reset(p):
    """4.4BSD: a RST that acknowledges SEQ and not what the segment occupies."""
    while True:
        s = p.get(3600)
        p.send(RST | ACK, seq=0, ack=s.seq + len(s.data))


def strange_reset(p):
    """A RST of what was never sent."""
    while True:
        s = p.get(3600)
        p.send(RST | ACK, seq=0, ack=s.seq + 100000)


def repeats(p, *pauses):
    """The SYN-ACK comes again after each pause."""
    p.start()
    p.ack = p.get(3600, SYN).end
    p.send(SYN | ACK, options=MSS)
    for pause in pauses:
        time.sleep(float(pause))
        p.send(SYN | ACK, seq=1000, options=MSS)


def fin_never_taken(p):
    """Its FIN crosses ours, and ours never comes to be acknowledged; all else is."""
    s = p.accept() or p.get(wanted=FIN)
    p.ack = s.end - 1
    p.send(FIN | ACK)
    while not p.get().flags & RST:
        p.send(ACK)


def fin_crosses(p, pause="0"):
    """Its FIN crosses ours, which it then acknowledges, after a pause."""
    s = p.accept() or p.get(wanted=FIN)
    p.ack = s.end - 1
    p.send(FIN | ACK)
    p.get()
    time.sleep(float(pause))
    p.ack = s.end
    p.send(ACK)


def fin_crosses_data(p):
    """Its FIN crosses our data and FIN, which it acknowledges a good while later."""
    s = p.accept() or p.get(wanted=FIN)
    p.ack = s.seq
    p.send(FIN | ACK)
    p.get()
    time.sleep(1.2)
    p.ack = s.end
    p.send(ACK)


def falls_silent(p):
    """Not a word after the handshake."""
    p.accept()
    while not p.get(3600).flags & RST:
        pass


def forgets(p):
    """The first segment after the handshake is answered with RST: a probe, as a rule."""
    s = p.accept() or p.get(3600)
    p.send(RST, seq=s.ack)


def repeats_a_byte(p):
    """Sends one byte, and the same again as if its acknowledgement had been lost."""
    p.accept()
    for number in 1001, 1001, None:
        p.send(ACK | PSH, b"x", seq=number)
        p.get()
        time.sleep(0.1)
    p.answer_fin()


def wants_a_byte_again(p):
    """One byte of ours is acknowledged with a timestamp that goes backwards, which PAWS does not take, so
    that we have to send it again; what comes again is acknowledged as it should be."""
    stamp = STAMPS[4:]
    p.accept(STAMPS + struct.pack(">II", 1000, 0))
    p.ack = p.get(wanted=PSH).end
    p.send(ACK, options=stamp + struct.pack(">II", 500, 0))
    p.get(wanted=PSH)
    p.send(ACK, options=stamp + struct.pack(">II", 2000, 0))
    p.ack = p.get(wanted=FIN).end
    p.send(FIN | ACK, options=stamp + struct.pack(">II", 2001, 0))


def calls_twice(p, *where):
    """Our SYN-ACK does not arrive at first, and the SYN comes again."""
    p.call(*where)
    p.send(SYN, options=MSS, seq=1000)
    p.get(wanted=SYN | ACK)
    time.sleep(0.1)
    p.send(SYN, options=MSS)
    p.ack = p.get(wanted=SYN | ACK).end
    p.send(ACK)
    p.send(FIN | ACK)
    p.ack = p.get(wanted=FIN).end
    p.send(ACK)


def calls_and_repeats(p, *where):
    """One byte of ours, and the same again as if its acknowledgement had been lost."""
    p.call(*where)
    p.send(SYN, options=MSS)
    p.ack = p.get(wanted=SYN | ACK).end
    p.send(ACK)
    for _ in range(2):
        p.send(ACK | PSH, b"x", seq=1001)
        p.get()
    p.seq += 1
    p.send(FIN | ACK)
    p.ack = p.get(wanted=FIN).end
    p.send(ACK)


CALLS = (calls_twice, calls_and_repeats)


def main():
    interface, address, port, habit, *rest = sys.argv[1:]
    p, habit = Peer(interface, address, int(port)), globals()[habit]
    print("ready", flush=True)
    while True:
        try:
            habit(p, *rest)
        except Gone:
            pass
        if habit in CALLS:
            break


main()
