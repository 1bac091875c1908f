#!/usr/bin/env python3
"""Rows of send_map.tsv, run and compared: send_map.py run|judge TABLE DIRECTORY NEAR4 NEAR6 FAR4 FAR6

`run` runs the tool of each row and tcpwave, each towards its own port. `judge` reads
DIRECTORY/far.pcap, and prints a line for each row: "ok NAME", "skip NAME: WHY" or "bad NAME: WHY".
"""

import os
import shlex
import shutil
import subprocess
import sys

FIRST_PORT = 30000


def rows(table):
    for line in open(table, encoding="ascii"):
        if not line.startswith("#") and line.strip():
            yield line.rstrip("\n").split("\t")


def command(tool, options, port, far4, far6, v6):
    target = far6 if v6 else far4
    if tool == "hping3":
        if not any(word in ("-c", "--count") for word in options):
            options = ["-c", "1", *options]
        return ["hping3", "-q", "-p", str(port), *options, target]
    if tool == "nping":
        if "-c" not in options:
            options = ["-c", "1", *options]
        return ["nping", "--tcp", "-q", "-p", str(port), *options, target]
    brackets = f"[{target}]:{port}" if v6 else f"{target}:{port}"
    return [os.environ["TCPWAVE"], "send", "-q", "--wait", "1us", *options, brackets]


def run(table, directory, near4, near6, far4, far6):
    files = {"data": "x" * 20, "data60": "y" * 60}
    names = {"near4": near4, "near6": near6,
             "mac1": "02:00:00:00:09:01", "mac2": "02:00:00:00:09:02"}
    for name, text in files.items():
        names[name] = os.path.join(directory, name)
        with open(names[name], "w", encoding="ascii") as file:
            file.write(text)
    theirs = []
    for i, (tool, their_options, our_options, _) in enumerate(rows(table)):
        split = lambda text: [] if text == "(none)" else shlex.split(text.format(**names))
        v6 = "-6" in split(their_options)
        where = (far4, far6, v6)
        if shutil.which(tool):
            theirs.append(subprocess.Popen(
                ["timeout", "10", *command(tool, split(their_options), FIRST_PORT + 2 * i, *where)],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL))
            while sum(p.poll() is None for p in theirs) > 8:
                theirs[0].wait() if theirs[0].poll() is None else theirs.append(theirs.pop(0))
        subprocess.run(command("send", split(our_options), FIRST_PORT + 2 * i + 1, *where),
                       check=False, stdout=subprocess.DEVNULL, timeout=30)
    for process in theirs:
        process.wait()


def decode(capture, fields):
    options = ["-o", "tcp.check_checksum:TRUE", "-o", "tcp.relative_sequence_numbers:FALSE",
               "-o", "tcp.desegment_tcp_streams:FALSE", "-o", "tcp.try_heuristic_first:FALSE"]
    out = subprocess.run(
        ["tshark", "-n", "-r", capture, "-T", "fields", "-E", "occurrence=l", *options, "-Y", "tcp",
         "-e", "tcp.dstport", *[word for field in fields for word in ("-e", field)]],
        capture_output=True, text=True, check=True).stdout
    found = {}
    for line in out.splitlines():
        port, *values = line.split("\t")
        if port:
            found.setdefault(int(port), []).append(dict(zip(fields, values)))
    return found


def compare(wanted, theirs, ours):
    if not ours:
        return "nothing of ours arrived"
    if wanted.startswith("segments="):
        count = int(wanted.partition("=")[2])
        return None if len(theirs) == len(ours) == count else f"{len(theirs)} of theirs, {len(ours)} of ours"
    for field in wanted.split(","):
        if not ours[0][field] or theirs[0][field] != ours[0][field]:
            return f"{field} is {theirs[0][field]!r} with them, {ours[0][field]!r} with us"
    return None


def judge(table, directory):
    fields = sorted({f for row in rows(table) for f in row[3].split(",") if "=" not in f})
    found = decode(os.path.join(directory, "far.pcap"), fields)
    for i, (tool, their_options, our_options, wanted) in enumerate(rows(table)):
        theirs, ours = (found.get(FIRST_PORT + 2 * i + n, []) for n in (0, 1))
        name = f"{tool} {their_options}: tcpwave send {our_options}"
        if not shutil.which(tool):
            print(f"skip {name}: {tool} is not installed")
        elif not theirs:
            print(f"bad {name}: nothing of theirs arrived")
        else:
            why = compare(wanted, theirs, ours)
            print(f"bad {name}: {why}" if why else f"ok {name}")


if __name__ == "__main__":
    if sys.argv[1] == "run":
        run(*sys.argv[2:])
    else:
        judge(*sys.argv[2:4])
