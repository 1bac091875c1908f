#!/usr/bin/env python3
"""Drawings on the pages of the manual, held against what the program prints.

  drawings.py compare SHOWN PRINTED   status 1, and both in a comparable form, if they differ
  drawings.py exact SHOWN PRINTED     the same, to the byte: for runs on sim:
  drawings.py cut SHOWN PRINTED       what of PRINTED would stand on the page in place of SHOWN
  drawings.py replace PAGE DRAWING... puts these, in their order, in place of those on the page;
                                      in the manual they stand between .DRAWING and .DRAWN

What differs from run to run, or from host to host, is left out of the comparison: times, the ports
that the kernel chose, MSS and windows; and, of another host than this one, what depends on how long
its answer is. A drawing
that ends before the legend is a part: only as much of the output is compared.
"""

import difflib
import re
import sys

sys.dont_write_bytecode = True
import examples  # noqa: E402

LINES = str.maketrans("│┊─▶◀⋮✗", "|!-><:X")
LEGEND = re.compile(r" {14}An? (state|line|dashed line|arrow)\b")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read().rstrip("\n").split("\n")


def rows(lines):
    """The rows alone, without legend and verdict."""
    for i, line in enumerate(lines):
        if LEGEND.match(line) or not line.strip():
            return lines[:i]
    return lines


def part(shown, printed):
    """As much of the output as the page shows."""
    whole = shown == ["#all"] or rows(shown) != shown
    return printed if whole else rows(printed)


def comparable(lines):
    foreign = "192.0.2." in lines[0]
    found = []
    for line in lines:
        line = line.translate(LINES)
        line = re.sub(r"\b\d+\.\d{6}\b", "TIME", line)
        line = re.sub(r"\b[\d.,]+ (us|ms|s|m|h)\b", "TIME", line)
        line = re.sub(r":\d{5}\b", ":PORT", line)
        line = re.sub(r"\b(win|mss|wscale|MSS|window scale) \d+", r"\1 N", line)
        if foreign:
            line = re.sub(r"\b(seq|ack|len) \d+", r"\1 N", line)
            line = re.sub(r"\b[\d,]+ bytes", "N bytes", line)
        line = re.sub(r"-+>", "->", re.sub(r"<-+", "<-", line))
        line = re.sub(r"-+X", "-X", re.sub(r"X-+", "X-", line))
        line = re.sub(r" +", " ", line).strip()
        found.append(line)
    return found


def compare(shown, printed, form=comparable):
    wanted, got = form(shown), form(part(shown, printed))
    if wanted == got:
        return 0
    print("\n".join(difflib.unified_diff(wanted, got, "on the page", "printed", lineterm="", n=1)))
    return 1


def mdoc(line):
    return line.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")


def in_manual(lines, drawings):
    within = False
    for line in lines:
        if line == ".DRAWN":
            within = False
        if not within:
            yield line
        if line == ".DRAWING":
            within = True
            yield from map(mdoc, read(drawings.pop(0)))


def in_text(lines, drawings):
    left = 0
    for i, line in enumerate(lines):
        if left == 0 and examples.HEAD.match(line):
            left = len(examples.drawing(lines[i:]))
            yield from read(drawings.pop(0))
        if left == 0:
            yield line
        else:
            left -= 1


def replace(page, drawings):
    kind = in_manual if re.search(r"\.[0-9]$", page) else in_text
    lines = list(kind(read(page), drawings))
    with open(page, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if sys.argv[1] == "compare":
    sys.exit(compare(read(sys.argv[2]), read(sys.argv[3])))
elif sys.argv[1] == "exact":
    sys.exit(compare(read(sys.argv[2]), read(sys.argv[3]), lambda lines: lines))
elif sys.argv[1] == "cut":
    print("\n".join(part(read(sys.argv[2]), read(sys.argv[3]))))
else:
    replace(sys.argv[2], sys.argv[3:])
