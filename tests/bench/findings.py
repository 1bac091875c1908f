#!/usr/bin/env python3
"""Measures what findings and rules cost: findings.py TCPWAVE NO_FINDINGS

The second program is the first one without findings (no_findings.c). Each transfer over the simulated
network is run with two sizes, under callgrind; the difference of both is free of what a whole run costs,
and divided by the difference in segments. The same seed sends the same segments.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

SIZES = 400_000, 1_600_000
TRANSFERS = ("sent", "peer=discard"), ("sent and received", "peer=echo")
LOOKS = ("-q",), ("--json",)
RULE = "--impair", "out:S#9 drop"  # no segment is as it says


def words(program, spec, size, options, place):
    path = os.path.join(place, "zeros")
    with open(path, "wb") as out:
        out.truncate(size)
    where = ["-f", path, "-o", "/dev/null", "--sim", f"{spec},rtt=1ms", "sim:7"]
    return [program, "connect", "--no-sandbox", *options, *where]


def segments(program, spec, size, options, place):
    """Counts the segments of a run, which are the same with and without the drawing."""
    kept = [o for o in options if o not in ("-q", "--json")]
    out = subprocess.run(words(program, spec, size, ["--json", *kept], place), stdout=subprocess.PIPE, check=True)
    return sum(json.loads(line)["event"] == "segment" for line in out.stdout.splitlines())


def counted(program, spec, size, options, place):
    """Returns the instructions of a run, and those of the functions for rules among them."""
    path = os.path.join(place, "counts")
    tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={path}"]
    subprocess.run(
        tool + words(program, spec, size, options, place),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    total, rules, function, skip, names = 0, 0, "", False, {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if found := re.match(r"fn=(\(\d+\))(?: (.*))?", line):
                function = names.setdefault(found[1], found[2] or "")
            elif found := re.match(r"c?fn=(\(\d+\)) (.*)", line):
                names.setdefault(found[1], found[2])
            elif line.startswith("calls="):
                skip = True  # the next line has what the called function cost
            elif line.startswith(("summary:", "totals:")):
                total = int(line.split()[1])
            elif re.match(r"[+\-*\d]", line):
                if not skip and "impair" in function:
                    rules += int(line.split()[1])
                skip = False
    return total, rules


def each(program, spec, options, place):
    """Returns what a segment costs: all its instructions, and those for rules."""
    runs = [counted(program, spec, size, options, place) for size in SIZES]
    more = segments(program, spec, SIZES[1], options, place) - segments(program, spec, SIZES[0], options, place)
    return [(large - small) / more for small, large in zip(*runs)]


def main():
    program, without = sys.argv[1:3]
    print("instructions for each segment of a simulated bulk transfer, both ends and the network, by callgrind:")
    with tempfile.TemporaryDirectory() as place:
        for name, spec in TRANSFERS:
            for look in LOOKS:
                all_of, rules = each(program, spec, look, place)
                bare, _ = each(without, spec, look, place)
                print(
                    f"    {name}, {look[0]}: {all_of:.0f}, for findings {all_of - bare:.1f} of them "
                    f"({100 * (all_of - bare) / all_of:.1f} %)"
                )
                ruled, for_rules = each(program, spec, look + RULE, place)
                print(
                    f"        for rules {rules:.1f} without --impair; {for_rules:.0f} with one that never "
                    f"matches, and {ruled - all_of:.0f} more in all"
                )


main()
