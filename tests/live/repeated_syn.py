#!/usr/bin/env python3
"""A host that never stops sending: repeated_syn.py INTERFACE ADDRESS PORT

Sends a SYN to that port every 20 ms, below its host's own TCP, for at most a minute.
"""

import socket
import struct
import sys
import time

import packets

interface, address, port = sys.argv[1], socket.inet_aton(sys.argv[2]), int(sys.argv[3])
wire = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
wire.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
    asked.connect((sys.argv[2], port))
    own = socket.inet_aton(asked.getsockname()[0])


for number in range(3000):
    segment = struct.pack(">HHIIBBHHH", 9, port, number, 0, 5 << 4, 2, 1000, 0, 0)
    wire.sendto(packets.tcp(own, address, segment), (sys.argv[2], 0))
    time.sleep(0.02)
