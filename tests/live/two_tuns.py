"""What the live tests' paths over two tun interfaces share: tun0 is in this network namespace, tun1 in that
of another process, and packets are bare IP."""

import ctypes
import fcntl
import heapq
import os
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


def tun_of(pid):
    """Makes tun1 in the namespace of that process, where this one is from then on."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(os.open(f"/proc/{pid}/ns/net", os.O_RDONLY), CLONE_NEWNET) != 0:
        sys.exit(f"setns: {os.strerror(ctypes.get_errno())}")
    return tun(b"tun1")


def forward(near, far, passed):
    """Says "ready", and from then on hands each side the packets of the other: passed(packet, from_near)
    gives the packets that go on, each with the seconds by which it is held back."""
    print("ready", flush=True)
    waiting, number = [], 0
    while True:
        left = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for fd in select.select([near, far], [], [], left)[0]:
            try:
                packet = os.read(fd, 65536)
            except OSError:
                continue
            for part, held in passed(packet, fd == near):
                number += 1
                heapq.heappush(waiting, (time.monotonic() + held, number, far if fd == near else near, part))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, target, packet = heapq.heappop(waiting)
            try:
                os.write(target, packet)
            except OSError:
                pass  # that side is down
