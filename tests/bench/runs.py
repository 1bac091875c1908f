#!/usr/bin/env python3
"""Measures how long whole runs of commands take, taking turns: runs.py ROUNDS COMMAND...

Each COMMAND is one word, which is split by the shell's rules. Prints one line for each, in order:
the median in milliseconds, the minimum, and how many of the runs ended with a status other than 0
(hping3's status means nothing here: 0 and 1 are both common).
"""

import shlex
import statistics
import subprocess
import sys
import time


def run(words):
    start = time.perf_counter()
    status = subprocess.run(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30
    ).returncode
    return (time.perf_counter() - start) * 1000, status != 0


def main():
    rounds, commands = int(sys.argv[1]), [shlex.split(c) for c in sys.argv[2:]]
    taken = [[run(c) for c in commands] for _ in range(rounds)]
    for column in zip(*taken):
        times = [t for t, _ in column]
        print(f"{statistics.median(times):.1f} {min(times):.1f} {sum(bad for _, bad in column)}")


main()
