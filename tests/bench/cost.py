#!/usr/bin/env python3
"""Measures what commands cost, taking turns: cost.py ROUNDS COMMAND...

Each COMMAND is one word, which is split by the shell's rules. Prints one line for each, in order: the
shortest time in seconds, the least time of the processor in seconds (with the kernel's share), and the
most memory in MiB.
"""

import os
import shlex
import subprocess
import sys
import time


def run(words):
    start = time.perf_counter()
    child = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, _, usage = os.wait4(child.pid, 0)
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    rounds, commands = int(sys.argv[1]), [shlex.split(word) for word in sys.argv[2:]]
    taken = [[run(words) for words in commands] for _ in range(rounds)]
    for column in zip(*taken):
        print(" ".join(f"{min(part):.3f}" for part in zip(*column)))


main()
