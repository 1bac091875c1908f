#!/usr/bin/env python3
"""A peer that answers each SYN in an odd way, for the live tests: odd_answers.py DEVICE

It works below its host's TCP, over IPv4 and IPv6, which a firewall has to keep silent. The port of
the SYN chooses the answer:

  6001  a RST that acknowledges a number that we never sent
  6002  a SYN-ACK with a wrong checksum
  6003  a RST without ACK
  6004  a SYN-ACK that acknowledges another SYN
  6005  an ACK of an older connection
  6006  a SYN-ACK from port 6106
"""

import socket
import struct
import sys

from packets import checksum

SYN, RST, ACK = 2, 4, 16

wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
wire.bind((sys.argv[1], 0))


def answer(port, seq):
    """Flags, SEQ, ACK, and what the checksum is off by."""
    if port == 6001:
        return RST | ACK, 0, seq + 41, 0
    if port == 6002:
        return SYN | ACK, 7000, seq + 1, 0x1111
    if port == 6004:
        return SYN | ACK, 7000, seq + 41, 0
    if port == 6005:
        return ACK, 7000, seq + 123456, 0
    if port == 6006:
        return SYN | ACK, 7000, seq + 1, 0
    return RST, 0, 0, 0


print("ready", flush=True)
while True:
    frame, where = wire.recvfrom(65536)
    if where[2] == socket.PACKET_OUTGOING:
        continue
    v6 = frame[12:14] == b"\x86\xdd"
    if v6 and frame[20] == 6:
        head, ours, theirs = 54, frame[38:54], frame[22:38]
    elif frame[12:14] == b"\x08\0" and frame[23] == 6:
        head, ours, theirs = 14 + (frame[14] & 15) * 4, frame[30:34], frame[26:30]
    else:
        continue
    sport, dport, seq = struct.unpack("!HHI", frame[head:head + 8])
    if not 6001 <= dport <= 6006 or frame[head + 13] & (SYN | ACK | RST) != SYN:
        continue
    flags, number, ack, wrong = answer(dport, seq)
    source = 6106 if dport == 6006 else dport
    segment = struct.pack("!HHIIBBHHH", source, sport, number, ack % 2**32, 5 << 4, flags, 60000, 0, 0)
    right = checksum(ours + theirs + struct.pack("!II", len(segment), 6) + segment)
    segment = segment[:16] + struct.pack("!H", right ^ wrong) + segment[18:]
    if v6:
        ip = struct.pack("!IHBB", 6 << 28, len(segment), 6, 64) + ours + theirs
    else:
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 1, 0, 64, 6, 0) + ours + theirs
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    wire.send(frame[6:12] + frame[:6] + frame[12:14] + ip + segment)
