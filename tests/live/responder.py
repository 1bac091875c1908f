#!/usr/bin/env python3
"""Answers SYNs over IPv4 as no correct host does: responder.py INTERFACE

The answer depends on the port, see ANSWERS; 910 answers everything but a RST. A firewall must keep
the host's own kernel from answering. A signal ends it.
"""

import socket
import struct
import sys
import time

import packets

FIN, SYN, RST, ACK = 1, 2, 4, 16

class Syn:
    """What came, and how to answer it."""

    def __init__(self, frame, interface):
        self.interface = interface
        self.ethernet = frame[6:12] + frame[:6] + frame[12:14]
        header = (frame[14] & 15) * 4
        self.source, self.target = frame[26:30], frame[30:34]
        tcp = frame[14 + header :]
        self.sport, self.dport, self.seq = struct.unpack("!HHI", tcp[:8])
        self.flags = tcp[13]

    def answer(self, seq=7000, ack=None, flags=SYN | ACK, options=b"", offset=None, wrong=0):
        """Header by header, by hand: some of them are not to be right."""
        ack = (self.seq + 1) % 2**32 if ack is None else ack
        offset = 5 + len(options) // 4 if offset is None else offset
        tcp = struct.pack("!HHIIBBHHH", self.dport, self.sport, seq, ack, offset << 4, flags, 1000, 0, 0)
        tcp = packets.tcp(self.target, self.source, tcp + options, wrong)
        self.interface.send(self.ethernet + packets.ipv4(self.target, self.source, tcp))


def late(syn):
    time.sleep(0.3)
    syn.answer()


held = []


def reversed_pair(syn):
    """The first one's answer is kept back until the second one was answered."""
    held.append(syn)
    if len(held) == 2:
        held.pop().answer()
        time.sleep(0.01)
        held.pop().answer()


def twice(syn):
    syn.answer()
    time.sleep(0.01)
    syn.answer()


ANSWERS = {
    900: lambda syn: syn.answer(),
    901: twice,
    902: late,
    903: reversed_pair,
    904: lambda syn: syn.answer(wrong=1),
    905: lambda syn: syn.answer(offset=3),
    906: lambda syn: syn.answer(options=b"\x02\x09\x05\xb4"),  # an MSS of nine bytes
    907: lambda syn: syn.answer(ack=(syn.seq + 1000) % 2**32),
    908: lambda syn: syn.answer(ack=(syn.seq - 5000) % 2**32, flags=ACK),
    909: lambda syn: syn.answer(flags=FIN),
    910: lambda syn: syn.answer(),
}

if __name__ == "__main__":
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)) as interface:
        interface.bind((sys.argv[1], 0))
        print("ready", flush=True)
        while True:
            frame, address = interface.recvfrom(65536)
            if address[2] == socket.PACKET_OUTGOING or len(frame) < 54 or frame[23] != 6:
                continue
            came = Syn(frame, interface)
            anything = came.dport == 910 and not came.flags & RST
            if anything or (came.dport in ANSWERS and came.flags & (SYN | ACK) == SYN):
                ANSWERS[came.dport](came)
