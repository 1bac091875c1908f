#!/usr/bin/env python3
"""Processor time of commands on a simulated network, for sim.sh: sim.py TCPWAVE ENGINE STACK."""

import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile

TRIES = 5
MEGABYTES = 200
CONNECTIONS = 200000
TCPWAVE, ENGINE, STACK = sys.argv[1:]


def processor_time(words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def segments(words):
    """How many crossed the network: sent by us, and by the peer."""
    words = [word for word in words if word != "-q"] + ["--json"]
    lines = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    verdict = json.loads(lines.splitlines()[-1])
    sent, captured = verdict["outgoing"]["segments"], verdict["capture"]["received"]
    return captured if words[1] == "connect" else sent + captured


def rate(words):
    return segments(words) / statistics.median(processor_time(words) for _ in range(TRIES)) / 1e6


def first_number(words, pattern):
    text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return float(re.search(pattern, text)[1])


def main():
    with tempfile.NamedTemporaryFile() as file:
        file.write(os.urandom(1 << 20) * MEGABYTES)
        file.flush()
        bulk = [TCPWAVE, "connect", "-q", "-f", file.name, "--sim", "peer=discard", "sim:9"]
        engine = first_number([ENGINE, "500"], r"([\d.]+) directly")
        reached = rate(bulk)
        print(f"sim, bulk: {reached:.2f} million segments a second, "
              f"{reached / engine:.2f} of two engines alone ({engine:.2f})")
    load = [TCPWAVE, "load", "-q", "--connections", str(CONNECTIONS), "--concurrency", "1000",
            "sim:9"]
    cycle = first_number([STACK, "cycles", "1000", str(CONNECTIONS)], r"(\d+) ns a cycle")
    reached = rate(load)
    each = statistics.median(processor_time(load) for _ in range(TRIES)) / CONNECTIONS * 1e9
    print(f"sim, load: {reached:.2f} million segments a second, {1e6 / each:.0f} thousand "
          f"connections, {cycle / each:.2f} of two engines alone")


main()
