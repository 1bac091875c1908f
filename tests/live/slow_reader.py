#!/usr/bin/env python3
"""The parts of slow_reader.sh that need Python:

    lines FILE              checks JSON Lines of one connection: each line is whole, and missing ones
                            are counted
    packets FILE JSON       checks a pcapng file: each block is whole, and missing ones are counted,
                            as the verdict in JSON says
    clients ADDR PORT N     runs N clients, one after the other, that send data and get it back;
                            prints how many of them did
    terminal CMD...         runs the command in a terminal that is never read
"""

import fcntl
import json
import os
import pty
import socket
import struct
import sys

FIXED = {"segment", "state", "icmp", "probe", "note", "finding", "verdict"}


def lines(name):
    with open(name, encoding="utf-8") as file:
        text = file.read()
    assert text.endswith("\n"), "the last line is cut"
    events = [json.loads(line) for line in text.splitlines()]
    assert all(event["event"] in FIXED for event in events)
    numbers = [event["number"] for event in events if event["event"] == "segment"]
    assert numbers == sorted(numbers), "segments are out of order"
    missing = numbers[-1] - len(numbers)
    verdict = events[-1]
    assert verdict["event"] == "verdict", "the last line is no verdict"
    told = [event["left_out"] for event in events if event["event"] == "note" and "left_out" in event]
    counted = verdict.get("left_out", {"lines": 0})["lines"]
    print(f"{len(events)} lines, {missing} segments missing, {counted} lines counted, gaps: {told}")
    assert told == sorted(told) and (told[-1] if told else 0) == counted
    # Changes of state are lines, too; there are few of them.
    assert missing <= counted <= missing + 20
    return 0


def packets(name, report):
    with open(name, "rb") as file:
        data = file.read()
    with open(report, encoding="utf-8") as file:
        verdict = [json.loads(line) for line in file][-1]
    at = found = dropped = 0
    kinds = []
    while at < len(data):
        kind, length = struct.unpack_from("=II", data, at)
        assert length >= 12 and at + length <= len(data), "a block is cut"
        assert struct.unpack_from("=I", data, at + length - 4)[0] == length
        kinds.append(kind)
        if kind == 6:
            found += 1
            captured = struct.unpack_from("=I", data, at + 20)[0]
            option = at + 28 + (captured + 3) // 4 * 4
            while option < at + length - 4:
                code, size = struct.unpack_from("=HH", data, option)
                if code == 0:
                    break
                if code == 4:
                    dropped += struct.unpack_from("=Q", data, option + 4)[0]
                option += 4 + (size + 3) // 4 * 4
        at += length
    counted = verdict.get("left_out", {"packets": 0})["packets"]
    print(f"{found} packets, {dropped} counted in blocks, {counted} in the verdict")
    assert kinds[-1] == 5, "the statistics are missing"
    assert counted > 0 and dropped <= counted
    # What is missing at the very end has no packet behind it that could tell of it.
    # The capture counts a few more, which came when the last connection had ended and are not read.
    unread = verdict["capture"]["received"] - verdict["capture"]["dropped"] - found - counted
    assert 0 <= unread <= 64 or dropped == counted, f"{unread} packets are in no count"
    return 0


def clients(addr, port, n):
    served = 0
    for _ in range(n):
        with socket.create_connection((addr, port), timeout=5) as s:
            s.settimeout(5)
            s.sendall(b"x" * 1000)
            s.shutdown(socket.SHUT_WR)
            got = 0
            while True:
                part = s.recv(4096)
                if not part:
                    break
                got += len(part)
            served += got == 1000
    print(served)
    return 0


def terminal(*command):
    master, slave = pty.openpty()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        for fd in (0, 1, 2):
            os.dup2(slave, fd)
        os.closerange(3, 256)
        os.environ["TERM"] = "xterm"
        os.execv(command[0], command)
    _, status = os.waitpid(pid, 0)
    print("status", os.waitstatus_to_exitcode(status))
    print("non-blocking" if fcntl.fcntl(slave, fcntl.F_GETFL) & os.O_NONBLOCK else "blocking")
    os.close(master)
    return 0


what, *args = sys.argv[1:]
if what == "lines":
    sys.exit(lines(*args))
elif what == "packets":
    sys.exit(packets(*args))
elif what == "clients":
    sys.exit(clients(args[0], int(args[1]), int(args[2])))
elif what == "terminal":
    sys.exit(terminal(*args))
