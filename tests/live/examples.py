#!/usr/bin/env python3
"""Extracts the examples of manual pages: examples.py DIRECTORY PAGE...

Reads pages as mandoc renders them, which is what a person copies from, and other files, such as
README, as they are. An example is what stands behind a prompt in an indented line, and goes on where
a line ends in a backslash. For each one DIRECTORY/NNN.cmd is written with its command, NNN.out with
the output that the page shows after it, if any, and NNN.drawing with the drawing that follows; and a
line is printed: number, page, command.

Times of minutes and hours that a command is to wait are replaced by 50 ms and 3 s. All times of one
kind get the same replacement, so that they keep the order that they have on the page. On sim: they
take no time, and stay as they are.
"""

import re
import subprocess
import sys

PROMPT = re.compile(r"^( +)([$#]) (\S.*)")
HEAD = re.compile(r"   #  seconds us |     network  simulated|#(rows|all)$")
VERDICT = re.compile(r"[a-z]+: {2,}")
LONG = re.compile(r"(--(?:idle|interval|for|hold|from|to|at-least|keepalive)[ =])(\d+)(m|h)\b")


def rendered(page):
    if not re.search(r"\.[0-9]$", page):
        with open(page, encoding="utf-8") as file:
            return file.read().splitlines()
    text = subprocess.run(
        ["mandoc", "-Tutf8", "-Owidth=1000", page], check=True, capture_output=True, text=True
    ).stdout
    return re.sub(".\b", "", text).splitlines()


def shorten(match):
    return f"{match[1]}{int(match[2]) * (50 if match[3] == 'm' else 3000)}ms"


def simulated(command):
    return " sim:" in command


def drawing(lines):
    """Up to an empty line; and the verdict, if that is what follows it."""
    found = []
    for i, line in enumerate(lines):
        if not line.strip() and not (i + 1 < len(lines) and VERDICT.match(lines[i + 1])):
            break
        found.append(line)
    return found


def examples(page):
    """Triples: a command, the lines of output behind it, the lines of the drawing."""
    found, indent, goes_on = [], None, False
    lines = rendered(page)
    for i, line in enumerate(lines):
        prompt = PROMPT.match(line)
        if goes_on:
            found[-1][0] = found[-1][0][:-1].rstrip() + " " + line.strip()
            goes_on = line.endswith("\\")
        elif prompt:
            indent = len(prompt[1])
            found.append([prompt[3], [], []])
            goes_on = line.endswith("\\")
        elif HEAD.match(line):
            found[-1][2] = found[-1][2] or drawing(lines[i:])
        elif indent is None or not line.strip():
            indent = None
        else:
            found[-1][1].append(line[indent:])
    return found


def write(path, lines):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)


def main():
    directory, number = sys.argv[1], 0
    for page in sys.argv[2:]:
        for command, output, drawn in examples(page):
            number += 1
            timed = command if simulated(command) else LONG.sub(shorten, command)
            write(f"{directory}/{number:03}.cmd", [timed])
            write(f"{directory}/{number:03}.out", output)
            if drawn:
                write(f"{directory}/{number:03}.drawing", drawn)
            print(f"{number:03} {page.rsplit('/', 1)[-1]} {command}")


if __name__ == "__main__":
    main()
