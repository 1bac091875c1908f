#!/usr/bin/env python3
"""Extracts the examples of manual pages: examples.py DIRECTORY PAGE...

Reads manual pages as mandoc renders them, because that is the text that a user copies, and other
files, such as README, as they are. An example is the text after a prompt in an indented line. For
each example it writes DIRECTORY/NNN.cmd with the command, and DIRECTORY/NNN.out with the output
that the page shows after it, if any, and prints a line: number, page, command.

Times of minutes and hours that a command is to wait are replaced by 50 ms and 3 s. All times of one
kind get the same replacement, so that they keep the order that they have on the page.
"""

import re
import subprocess
import sys

PROMPT = re.compile(r"^( +)([$#]) (\S.*)")
LONG = re.compile(r"(--(?:idle|interval|for|hold)[ =])(\d+)(m|h)\b")


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


def examples(page):
    """Pairs of a command and the lines of output behind it."""
    found, indent = [], None
    for line in rendered(page):
        prompt = PROMPT.match(line)
        if found and found[-1][0].endswith("\\") and indent is not None:
            found[-1][0] = found[-1][0][:-1] + line.strip()
        elif prompt:
            indent = len(prompt[1])
            found.append([prompt[3], []])
        elif indent is None or not line.strip():
            indent = None
        else:
            found[-1][1].append(line[indent:])
    return found


def main():
    directory, number = sys.argv[1], 0
    for page in sys.argv[2:]:
        for command, output in examples(page):
            number += 1
            with open(f"{directory}/{number:03}.cmd", "w", encoding="utf-8") as file:
                file.write(LONG.sub(shorten, command) + "\n")
            with open(f"{directory}/{number:03}.out", "w", encoding="utf-8") as file:
                file.writelines(line + "\n" for line in output)
            print(f"{number:03} {page.rsplit('/', 1)[-1]} {command}")


main()
