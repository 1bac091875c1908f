#!/usr/bin/env python3
"""Two tun interfaces connected by this program, for the live tests: tun.py PID [TYPE]

Creates tun0 in this network namespace and tun1 in that of process PID, says "ready", and from then
on hands each of them the packets of the other. There is no link layer between them: packets are
bare IP. With TYPE, a number of the ARPHRD_ kind, the kernel is made to believe that this is tun0's
link layer; packets are bare IP all the same.
"""

import fcntl
import os
import select
import sys

import two_tuns

TUNSETLINK = 0x400454CD


def hand_over(source, target):
    try:
        while True:
            os.write(target, os.read(source, 65536))
    except OSError:  # nothing waits, or the other one is down and loses it
        pass


def main():
    near = two_tuns.tun(b"tun0")
    if len(sys.argv) > 2:
        fcntl.ioctl(near, TUNSETLINK, int(sys.argv[2]))
    far = two_tuns.tun_of(sys.argv[1])
    print("ready", flush=True)
    while True:
        for fd in select.select([near, far], [], [])[0]:
            hand_over(fd, far if fd == near else near)


main()
