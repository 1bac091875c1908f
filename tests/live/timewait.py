#!/usr/bin/env python3
"""A server that keeps TIME_WAIT strictly, for load.sh: timewait.py INTERFACE ADDRESS

Speaks TCP over IPv4 from a packet socket, for an address that its own kernel does not have. To every
SYN from a port whose connection it has in TIME_WAIT it answers RST, for ever: accepting such a SYN
is only a MAY (RFC 9293, 3.6.1). The rest of its behaviour depends on the port:

  601   closes first, and so keeps TIME_WAIT
  602   the same, but keeps TIME_WAIT only where the other side's port is a multiple of four
  603   lets the other side close first; after 20 connections it falls silent for good
  604   answers everything with RST
  605   lets the other side close first
  606   never answers

For each SYN it prints its own port and the other side's.
"""

import socket
import struct
import sys

import packets

FIN, SYN, RST, ACK = 1, 2, 4, 16
MSS = b"\x02\x04\x05\xb4"
interface, address = sys.argv[1], socket.inet_aton(sys.argv[2])
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
wire.bind((interface, 0))
wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
time_wait = set()
opened = set()  # connections that the other side has acknowledged the handshake of
closed_first = set()
finished = 0  # of port 603


class Segment:
    def __init__(self, frame):
        self.ethernet = frame[6:12] + frame[:6] + frame[12:14]
        ip = frame[14:]
        length, = struct.unpack(">H", ip[2:4])
        self.ours = ip[16:20] == address and ip[9] == 6
        self.host = ip[12:16]
        tcp = ip[(ip[0] & 15) * 4:length]
        self.sport, self.dport, self.seq, self.ack, offset, self.flags = struct.unpack(">HHIIBB", tcp[:14])
        data = len(tcp) - (offset >> 4) * 4
        self.next = (self.seq + data + bool(self.flags & SYN) + bool(self.flags & FIN)) & 0xFFFFFFFF
        self.flow = self.dport, self.host, self.sport

    def answer(self, flags, seq, options=b""):
        tcp = struct.pack(">HHIIBBHHH", self.dport, self.sport, seq, self.next, (5 + len(options) // 4) << 4,
                          flags, 60000, 0, 0) + options
        tcp = packets.tcp(address, self.host, tcp)
        wire.send(self.ethernet + packets.ipv4(address, self.host, tcp))


def syn(s):
    print(s.dport, s.sport, flush=True)
    opened.discard(s.flow)
    closed_first.discard(s.flow)
    if s.dport == 604 or s.flow in time_wait:
        s.answer(RST | ACK, 0)
    else:
        s.answer(SYN | ACK, 1000, MSS)


def fin(s):
    global finished
    if s.flow in closed_first:
        s.answer(ACK, 1002)
        if s.dport == 601 or s.sport % 4 == 0:
            time_wait.add(s.flow)
    elif s.ack == 1001:
        s.answer(FIN | ACK, 1001)
        finished += s.dport == 603


def take(s):
    if s.dport == 606 or (s.dport == 603 and finished >= 20):
        return
    if s.flags & SYN:
        syn(s)
    elif s.flags & FIN:
        fin(s)
    elif s.flow not in opened:
        opened.add(s.flow)
        if s.dport in (601, 602):
            closed_first.add(s.flow)
            s.answer(FIN | ACK, 1001)


while True:
    frame, where = wire.recvfrom(65535)
    if where[2] == socket.PACKET_OUTGOING or len(frame) < 54:
        continue
    segment = Segment(frame)
    if segment.ours and not segment.flags & RST:
        take(segment)
