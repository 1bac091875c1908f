#!/usr/bin/env python3
"""A path that loses, copies and overtakes, for the live tests:

    rough_path.py PID DELAY_MS LOSS COPIES OVERTAKEN SEED

Creates tun0 in this network namespace and tun1 in that of process PID, says "ready", and from then on
hands each of them the packets of the other after the delay. LOSS, COPIES and OVERTAKEN are parts of a
thousand: packets that are lost, that come twice, and that come later than those behind them. The seed
decides which.
"""

import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000
CLONE_NEWNET = 0x40000000


def tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name, IFF_TUN | IFF_NO_PI))
    return fd


def main():
    pid, delay, loss, copies, overtaken, seed = (int(word) for word in sys.argv[1:7])
    chance = random.Random(seed)
    near = tun(b"tun0")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(os.open(f"/proc/{pid}/ns/net", os.O_RDONLY), CLONE_NEWNET) != 0:
        sys.exit(f"setns: {os.strerror(ctypes.get_errno())}")
    far = tun(b"tun1")
    print("ready", flush=True)
    waiting, number = [], 0
    while True:
        left = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for fd in select.select([near, far], [], [], left)[0]:
            try:
                packet = os.read(fd, 65536)
            except OSError:
                continue
            target = far if fd == near else near
            at = time.monotonic() + delay / 1000
            if chance.randrange(1000) < loss:
                continue
            if chance.randrange(1000) < overtaken:
                at += 0.004
            for _ in range(2 if chance.randrange(1000) < copies else 1):
                number += 1
                heapq.heappush(waiting, (at, number, target, packet))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, target, packet = heapq.heappop(waiting)
            try:
                os.write(target, packet)
            except OSError:
                pass


main()
