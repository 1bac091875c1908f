#!/usr/bin/env python3
"""Connections that choose their sequence numbers: isn_client.py SOURCE TARGET PORT SOURCE_PORT ISN...

Makes a connection for each ISN, one after the other, from the same port to read_peer.py's server, has
each reset by the server, and says how many were. IPv4 or IPv6, by raw sockets: the kernel here must
send no RST of its own.
"""

import select
import socket
import struct
import sys
import time

SYN, RST, PSH, ACK = 2, 4, 8, 16


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


class Wire:
    def __init__(self, source, target, port, source_port):
        self.family = socket.AF_INET6 if ":" in target else socket.AF_INET
        self.raw = socket.socket(self.family, socket.SOCK_RAW, socket.IPPROTO_TCP)
        self.ports = source_port, port
        self.target = target
        ends = [socket.inet_pton(self.family, address) for address in (source, target)]
        self.pseudo = ends[0] + ends[1]

    def send(self, flags, seq, ack, data=b""):
        head = struct.pack("!HHIIBBHHH", *self.ports, seq, ack, 5 << 4, flags, 65535, 0, 0)
        body = head + data + b"\0" * (len(data) % 2)
        whole = self.pseudo + struct.pack("!HH", len(head + data), socket.IPPROTO_TCP) + body
        segment = head[:16] + struct.pack("!H", checksum(whole)) + head[18:] + data
        self.raw.sendto(segment, (self.target, 0))

    def receive(self, flags):
        """The SEQ of the next segment that has such flags; None where none comes."""
        end = time.monotonic() + 3
        while select.select([self.raw], [], [], max(0, end - time.monotonic()))[0]:
            packet = self.raw.recv(65536)
            if self.family == socket.AF_INET:
                packet = packet[(packet[0] & 15) * 4 :]
            source, target, seq = struct.unpack("!HHI", packet[:8])
            if (target, source) == self.ports and packet[13] & flags == flags:
                return seq
        return None


def main():
    source, target, *numbers = sys.argv[1:]
    port, source_port, *isns = (int(word) for word in numbers)
    wire, done = Wire(source, target, port, source_port), 0
    for isn in isns:
        wire.send(SYN, isn, 0)
        server = wire.receive(SYN | ACK)
        if server is None:
            break
        wire.send(ACK, isn + 1, server + 1 & 0xFFFFFFFF)
        wire.send(ACK | PSH, isn + 1, server + 1 & 0xFFFFFFFF, b"r")
        done += wire.receive(RST) is not None
    print(done)


main()
