#!/usr/bin/env python3
"""A peer that answers with many segments at a time, for capture.sh: burst.py INTERFACE ADDRESS ETHERNET

Speaks TCP over IPv4 on a packet socket, for an address that no host has. It waits for the first
data of a connection and half a second more. Then it sends as many segments of 1,460 bytes as the
port number says (4400: 400; 12000: 8,000), back to back, and ignores the window. After 6,000
segments it prints "paused" and pauses for three seconds. It retransmits what is not acknowledged,
1,000 segments at a time, and then closes. A signal ends it.
"""

import select
import socket
import struct
import sys
import time

import packets

FIN, SYN, RST, ACK = 1, 2, 4, 16
SIZE, AT_ONCE = 1460, 1000
PAUSE_AFTER = 6000
ISN = 1000
interface, address = sys.argv[1], socket.inet_aton(sys.argv[2])
ethernet = bytes.fromhex(sys.argv[3].replace(":", ""))
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
wire.bind((interface, 0))
wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)


class Segment:
    def __init__(self, frame):
        length = struct.unpack("!H", frame[16:18])[0]
        tcp = frame[34 : 14 + length]
        self.ethernet, self.host = frame[6:12], frame[26:30]
        self.sport, self.dport, self.seq, self.ack, offset, self.flags = struct.unpack("!HHIIBB", tcp[:14])
        self.data = tcp[(offset >> 4) * 4 :]


def receive(seconds):
    """The next segment to us, or None."""
    end = time.monotonic() + seconds
    while select.select([wire], [], [], max(0, end - time.monotonic()))[0]:
        frame, origin = wire.recvfrom(70000)
        if origin[2] != socket.PACKET_OUTGOING and frame[23] == 6 and frame[30:34] == address:
            return Segment(frame)
    return None


def frame(syn, seq, flags, data=b"", options=b""):
    tcp = struct.pack("!HHIIBBHHH", syn.dport, syn.sport, seq, syn.next, (5 + len(options) // 4) << 4, flags, 65535, 0, 0)
    tcp = packets.tcp(address, syn.host, tcp + options + data)
    return syn.ethernet + ethernet + b"\x08\x00" + packets.ipv4(address, syn.host, tcp, fragment=0x4000)


def send(one):
    """As Linux's own TCP does, this waits where the other side's queue is full."""
    while True:
        try:
            return wire.send(one)
        except OSError:
            time.sleep(0.001)


def burst(syn, count):
    segments = [frame(syn, ISN + 1 + i * SIZE, ACK, b"x" * SIZE) for i in range(count)]
    time.sleep(0.5)
    for i, one in enumerate(segments):
        if i == PAUSE_AFTER:
            print("paused", flush=True)
            time.sleep(3)
        send(one)
    acked = 0
    while acked < count:
        s = receive(0.3)
        if not s:
            for one in segments[acked : acked + AT_ONCE]:
                send(one)
        elif s.sport == syn.sport and s.flags & ACK:
            acked = max(acked, (s.ack - ISN - 1) // SIZE)


def serve():
    syn = receive(3600)
    if not syn or not syn.flags & SYN:
        return
    syn.next = syn.seq + 1
    send(frame(syn, ISN, SYN | ACK, options=b"\x02\x04\x05\xb4\x01\x03\x03\x07"))
    while True:
        s = receive(5)
        if not s or s.flags & RST:
            return
        if s.data:
            break
    count = syn.dport - 4000
    syn.next += len(s.data)
    send(frame(syn, ISN + 1, ACK))
    burst(syn, count)
    end = ISN + 1 + count * SIZE
    send(frame(syn, end, FIN | ACK))
    while s := receive(2):
        if s.sport == syn.sport and s.flags & FIN:
            syn.next = s.seq + len(s.data) + 1
            send(frame(syn, end + 1, ACK))
            return


def main():
    print("ready", flush=True)
    while True:
        serve()


main()
