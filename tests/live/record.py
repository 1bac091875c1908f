#!/usr/bin/env python3
"""Records an interface into a pcap file: record.py INTERFACE FILE

This is for tests in a user namespace. There tcpdump, started as root, tries to become a user that
does not exist in the namespace, and fails. The times are the kernel's own. Each packet is written
immediately. It says "recording" on standard error once it does; a signal ends it.
"""

import socket
import struct
import sys

ETH_P_ALL = 3
SO_TIMESTAMPNS = 35

with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as capture:
    capture.bind((sys.argv[1], 0))
    capture.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    with open(sys.argv[2], "wb", buffering=0) as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        print("recording", file=sys.stderr, flush=True)
        while True:
            frame, told, _, _ = capture.recvmsg(262144, 64)
            seconds, nanoseconds = struct.unpack("qq", told[0][2])
            file.write(struct.pack("<IIII", seconds, nanoseconds, len(frame), len(frame)) + frame)
