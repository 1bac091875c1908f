#!/usr/bin/env python3
"""Prints the TCP segments that cross an interface, one a line, for the tests of presets:

    preset_dump.py INTERFACE

    0.001234 near.9201 > far.43210 [S.] seq 0 ack 1 win 65535 len 0 mss 1460 sackok wscale 7 ts 12:34

The flags are tcpdump's letters. Sequence numbers count from each side's SYN, and the window is the
field of the header. "bad checksum" ends the line where it is, "urp N" and "ecn N" (of the IP header)
stand there where they are not 0. tcpdump cannot be used: see record.py.
"""

import socket
import struct
import sys
import time

HOSTS = {
    socket.inet_pton(socket.AF_INET, "10.9.0.1"): "near",
    socket.inet_pton(socket.AF_INET, "10.9.0.2"): "far",
    socket.inet_pton(socket.AF_INET6, "fd09::1"): "near",
    socket.inet_pton(socket.AF_INET6, "fd09::2"): "far",
}
LETTERS = list(zip("SFRP.UEW", (2, 1, 4, 8, 16, 32, 64, 128)))
first = {}  # of each direction: the ISN


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def options(data, there):
    words = []
    while data and data[0]:
        if data[0] == 1:
            data = data[1:]
            continue
        if len(data) < 2 or data[1] < 2 or data[1] > len(data):
            return words + ["bad options"]
        kind, body, data = data[0], data[2 : data[1]], data[data[1] :]
        if kind == 2:
            words.append("mss %d" % struct.unpack("!H", body))
        elif kind == 3:
            words.append("wscale %d" % body[0])
        elif kind == 4:
            words.append("sackok")
        elif kind == 5:
            edges = struct.unpack(f"!{len(body) // 4}I", body)
            words.append("sack")
            edges = [relative(there, edge) for edge in edges]
            words += [f"{left}-{right}" for left, right in zip(edges[::2], edges[1::2])]
        elif kind == 8:
            words.append("ts %d:%d" % struct.unpack("!II", body))
    return words


def relative(key, number):
    return (number - first.get(key, number)) & 0xFFFFFFFF


def segment(source, target, ecn, data):
    sport, dport, seq, ack, size, bits, win, given, urp = struct.unpack("!HHIIBBHHH", data[:20])
    here, there = (source, sport, target, dport), (target, dport, source, sport)
    header = (size >> 4) * 4
    length = len(data) - header
    if bits & 2:
        first[here] = seq
    flags = "".join(letter for letter, bit in LETTERS if bits & bit) or "none"
    words = [f"[{flags}] seq {relative(here, seq)}"]
    if bits & 16:
        words.append(f"ack {relative(there, ack)}")
    words += [f"win {win} len {length}"] + options(data[20:header], there)
    if urp:
        words.append(f"urp {urp}")
    if ecn:
        words.append(f"ecn {ecn}")
    pseudo = source + target + struct.pack("!II", len(data), 6)
    if checksum(pseudo + data) != 0xFFFF and not length_is_partial(pseudo, given):
        words.append("bad checksum")
    return f"{HOSTS.get(source, '?')}.{sport} > {HOSTS.get(target, '?')}.{dport} " + " ".join(words)


def length_is_partial(pseudo, given):
    """The kernel fills in only the pseudo header's part of its own segments on a veth."""
    return checksum(pseudo) == given


def packet(frame):
    kind, ip = frame[12:14], frame[14:]
    if kind == b"\x08\x00" and ip[9] == 6:
        total = struct.unpack("!H", ip[2:4])[0]
        return segment(ip[12:16], ip[16:20], ip[1] & 3, ip[(ip[0] & 15) * 4 : total])
    if kind == b"\x86\xdd" and ip[6] == 6:
        total = struct.unpack("!H", ip[4:6])[0]
        return segment(ip[8:24], ip[24:40], ip[1] >> 4 & 3, ip[40 : 40 + total])
    return None


with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as capture:
    capture.bind((sys.argv[1], 0))
    print("recording", flush=True)
    began = time.monotonic()
    while True:
        text = packet(capture.recv(262144))
        if text:
            print(f"{time.monotonic() - began:.6f} {text}", flush=True)
