#!/usr/bin/env python3
"""A path that loses, copies and overtakes, for the live tests:

    rough_path.py PID DELAY_MS LOSS COPIES OVERTAKEN SEED

Creates tun0 in this network namespace and tun1 in that of process PID, says "ready", and from then on
hands each of them the packets of the other after the delay. LOSS, COPIES and OVERTAKEN are parts of a
thousand: packets that are lost, that come twice, and that come later than those behind them. The seed
decides which.
"""

import random
import sys

import two_tuns


def main():
    pid, delay, loss, copies, overtaken, seed = (int(word) for word in sys.argv[1:7])
    chance = random.Random(seed)

    def passed(packet, _from_near):
        held = delay / 1000
        if chance.randrange(1000) < loss:
            return []
        if chance.randrange(1000) < overtaken:
            held += 0.004
        return [(packet, held)] * (2 if chance.randrange(1000) < copies else 1)

    near = two_tuns.tun(b"tun0")
    two_tuns.forward(near, two_tuns.tun_of(pid), passed)


main()
