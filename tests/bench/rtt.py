#!/usr/bin/env python3
"""Compares the handshake's RTT by tcpwave with that of a separate capture: rtt.py CAPTURE JSON...

CAPTURE is a pcap file with nanoseconds, of Ethernet and IPv4. Each JSON is the output of one run of
tcpwave connect --json. Prints the median and the largest difference, in microseconds, and the
number of handshakes.
"""

import json
import statistics
import struct
import sys

SYN, ACK = 0x02, 0x10


def packets(name):
    data = open(name, "rb").read()
    if data[:4] != struct.pack("<I", 0xA1B23C4D):
        sys.exit(f"rtt.py: {name} has no nanoseconds")
    at = 24
    while at + 16 <= len(data):
        seconds, nanoseconds, there, _ = struct.unpack_from("<IIII", data, at)
        yield seconds * 10**9 + nanoseconds, data[at + 16 : at + 16 + there]
        at += 16 + there


def handshakes(name):
    """RTT in nanoseconds by local port."""
    syn, rtt = {}, {}
    for stamp, frame in packets(name):
        if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[23] != 6:
            continue
        tcp = 14 + (frame[14] & 15) * 4
        source, destination = struct.unpack_from(">HH", frame, tcp)
        flags = frame[tcp + 13]
        if flags & (SYN | ACK) == SYN:
            syn[source] = stamp
        elif flags & (SYN | ACK) == SYN | ACK and destination in syn:
            rtt.setdefault(destination, stamp - syn[destination])
    return rtt


def main():
    recorded = handshakes(sys.argv[1])
    off = []
    for name in sys.argv[2:]:
        verdict = json.loads(open(name).read().splitlines()[-1])
        port = verdict["local"]["port"]
        if port in recorded:
            off.append(abs(verdict["handshake"]["rtt"] * 1e6 - recorded[port] / 1e3))
    if not off:
        sys.exit("rtt.py: the capture has none of these handshakes")
    print(f"{statistics.median(off):.2f} {max(off):.2f} {len(off)}")


main()
