#!/usr/bin/env python3
"""Records an interface into a pcap file: record.py INTERFACE FILE

For tests in a user namespace, where tcpdump as root wants to become a user whom the namespace does
not know, and gives up. Each packet is written at once; ends with a signal.
"""

import socket
import struct
import sys
import time

ETH_P_ALL = 3

with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as capture:
    capture.bind((sys.argv[1], 0))
    with open(sys.argv[2], "wb", buffering=0) as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        print("recording", flush=True)
        while True:
            frame = capture.recv(262144)
            seconds, nanoseconds = divmod(time.time_ns(), 10**9)
            file.write(struct.pack("<IIII", seconds, nanoseconds, len(frame), len(frame)) + frame)
