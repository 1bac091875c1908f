#!/usr/bin/env python3
"""Kills tcpwave, for sigkill.sh, and judges what remains:

  sigkill.py random TOOL DIRECTORY ADDR4 ADDR6 SEED RUNS [EMPTY...]
      RUNS runs over all commands; each is killed at a random moment, and followed by a whole one
  sigkill.py writes TOOL DIRECTORY ADDR4
      one run for each write to its --pcap file, killed at that write
  sigkill.py client ADDR PORT
      a client for `listen` that connects for ever

Prints lines for the harness: "pass NAME", "fail NAME", "note TEXT".
"""

import json
import os
import random
import socket
import struct
import subprocess
import sys
import time

KILLED, PATIENCE = -9, 30
REFUSED = {"send": 4}  # how whole runs end, where it is not with 0
DATA = "".join(chr(97 + i % 26) for i in range(2000))
LEFTOVERS = ("packet", "raw", "raw6", "tcp", "tcp6", "udp", "udp6", "icmp", "icmp6")


class Judge:
    """Cases, each of which many runs may fail."""

    def __init__(self):
        self.failures = {}

    def case(self, name, why=None):
        self.failures.setdefault(name, [])
        if why:
            self.failures[name].append(why)

    def tell(self):
        for name, why in self.failures.items():
            print("fail" if why else "pass", name)
            for text in why[:5]:
                print("note", text)
            if len(why) > 5:
                print(f"note and {len(why) - 5} more")


def commands(addr4, addr6):
    """By name: what the n-th run of it is, over IPv4 and IPv6 in turn. Each keeps to its port, and asks for
    nothing that the peer's kernel answers twice a second only, as it does what a dead run left behind."""
    both = [addr4, f"[{addr6}]"]

    def of(*words, port):
        return lambda n: [w.replace("PEER", both[n % 2]) for w in words] + (["-p", port] if port else [])

    return {
        "connect": of("connect", "PEER:7", "-d", DATA, "-o", "received", port="6001"),
        "halfclose": of("halfclose", "PEER:71", "-d", r"b\na\n", port="6002"),
        "keepalive": of("keepalive", "PEER:7", "--garbage", "--idle", "10ms", "--interval", "10ms",
                        "--for", "40ms", port="6003"),
        "listen": of("listen", "6004", "--echo", "--connections", "1", port=None),
        "send": of("send", "PEER:9999", "--count", "4", "--interval", "5ms", port="6005"),
        "load": of("load", "PEER:80", "--connections", "30", "--concurrency", "10", port="6010"),
    }


def packets(data):
    """Whole packets in a capture file that may end anywhere; ValueError where it lies before its end."""
    if data[:4] == struct.pack("I", 0xA1B23C4D):
        count, at = 0, 24
        while at + 16 <= len(data):
            at += 16 + struct.unpack_from("I", data, at + 8)[0]
            count += at <= len(data)
        return count
    count, at = 0, 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("II", data, at)
        if at + length > len(data):
            break
        if length < 12 or struct.unpack_from("I", data, at + length - 4)[0] != length:
            raise ValueError(f"block of type {kind:#x} at {at}: {length} bytes by its head, not by its tail")
        count += kind == 6
        at += length
    return count


def listed(tool, name):
    """How many packets it finds there. As root, tcpdump would become a user who is not known here."""
    return len(subprocess.run(tool + ["-r", name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=False).stdout.splitlines())


def whole_lines(name):
    """A line that cannot be read, but for an unfinished last one."""
    with open(name, "rb") as f:
        lines = f.read().split(b"\n")
    for line in lines[:-1]:
        try:
            json.loads(line)
        except ValueError as error:
            return f"{line[:80]!r}: {error}"
    return None


def sockets():
    """Whatever this network namespace has beside the headings."""
    found = []
    for name in LEFTOVERS:
        with open(f"/proc/net/{name}", encoding="ascii") as f:
            found += [f"{name}: {line.strip()}" for line in f.readlines()[1:]]
    return found


def processes(tool):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/exe").startswith(tool):
                found.append(f"process {pid}")
        except OSError:
            pass  # another user's, or gone
    return found


def settled(find):
    """What it finds, and goes on finding for a second."""
    until = time.monotonic() + 1
    while (found := find()) and time.monotonic() < until:
        time.sleep(0.01)
    return found


def ruleset():
    return subprocess.run(["nft", "list", "ruleset"], stdout=subprocess.PIPE, check=True).stdout


class Runs:
    def __init__(self, judge, tool, where):
        self.judge, self.tool, self.where = judge, tool, where
        self.cut = []  # capture files that ended early
        os.chdir(where)

    def start(self, argv, pcap):
        for name in os.listdir("."):
            os.unlink(name)
        with open("../out", "wb") as out, open("../err", "wb") as err:
            return subprocess.Popen([self.tool, *argv, "--json", "--pcap", pcap], stdin=subprocess.DEVNULL,
                                    stdout=out, stderr=err)

    def nothing_left(self, what, rules, elsewhere, pcap):
        case = self.judge.case
        case("no rule of nftables was made or unmade", None if ruleset() == rules else what)
        found = settled(sockets)
        case("no socket is left", f"{what}: {found}" if found else None)
        found = settled(lambda: processes(self.tool))
        case("no process is left", f"{what}: {found}" if found else None)
        found = [n for n in os.listdir(".") if n not in (pcap, "received")]
        for place in (os.environ["TMPDIR"], *elsewhere):
            found += [f"{place}/{n}" for n in os.listdir(place)]
        case("no file is left that was not asked for", f"{what}: {found}" if found else None)

    def written(self, what, pcap):
        case = self.judge.case
        wrong = whole_lines("../out")
        case("--json: lines are whole, but perhaps the last", f"{what}: {wrong}" if wrong else None)
        if os.path.exists("received"):
            with open("received", "rb") as f:
                case("-o: what was written is what was received",
                     None if DATA.encode().startswith(f.read()) else what)
        name, wrong = "--pcap: whole packets up to the cut, and tcpdump reads them", None
        data = b""
        if os.path.exists(pcap):
            with open(pcap, "rb") as f:
                data = f.read()
        try:
            ours = packets(data)
            theirs = listed(["unshare", "-U", "tcpdump", "-n"], pcap) if ours else 0
            if ours != theirs:
                wrong = f"{ours} packets, tcpdump finds {theirs}"
            elif ours and len(self.cut) < 4:
                os.rename(pcap, f"../{len(self.cut)}.{pcap}")
                self.cut.append((f"../{len(self.cut)}.{pcap}", ours))
        except ValueError as error:
            wrong = str(error)
        case(name, f"{what}: {wrong}" if wrong else None)

    def whole(self, name, argv, pcap):
        """A run that nobody kills: how long it took, in seconds."""
        begun = time.monotonic()
        process = self.start(argv, pcap)
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        took = time.monotonic() - begun
        with open("../err", encoding="utf-8") as f:
            said = f.read().strip()
        wanted = REFUSED.get(name, 0)
        self.judge.case(f"{name}: the next run over the same port ends with {wanted}",
                        f"{status} after {took:.3f} s: {said}" if status != wanted else None)
        return took

    def killed(self, argv, pcap, moment):
        process = self.start(argv, pcap)
        time.sleep(moment)
        process.kill()
        return process.wait()


def at_random(tool, where, addr4, addr6, seed, count, *elsewhere):
    judge = Judge()
    runs, rules, rng = Runs(judge, tool, where), ruleset(), random.Random(int(seed))
    table = commands(addr4, addr6)
    took = {name: min(runs.whole(name, of(n), "a.pcapng") for n in range(3)) for name, of in table.items()}
    tally = dict.fromkeys(table, 0)
    for n in range(int(count)):
        name = list(table)[n % len(table)]
        argv, pcap = table[name](n // len(table)), "a.pcap" if n % 4 == 0 else "a.pcapng"
        moment = rng.uniform(0.001, took[name])
        status = runs.killed(argv, pcap, moment)
        what = f"run {n}, {name}, {moment * 1000:.1f} ms"
        tally[name] += status == KILLED
        judge.case("a run that outlives its moment ends as it should",
                   what if status not in (REFUSED.get(name, 0), KILLED) else None)
        runs.nothing_left(what, rules, elsewhere, pcap)
        runs.written(what, pcap)
        runs.whole(name, argv, pcap)
    for pcap, ours in runs.cut:
        theirs = listed(["tshark", "-n"], pcap)
        judge.case("--pcap: tshark reads it as well",
                   f"{ours} packets, tshark finds {theirs}" if ours != theirs else None)
    judge.tell()
    print("note killed before its end:", ", ".join(f"{v} of {k}" for k, v in tally.items()))
    enough = sum(tally.values()) * 2 > int(count)
    print("pass" if enough else "fail", "most runs were killed in the middle")


def at_each_write(tool, where, addr4):
    """Two packets are always the same in number, and once they are in the file they stay readable."""
    judge = Judge()
    runs = Runs(judge, tool, where)
    argv = ["send", f"{addr4}:7", "--wait", "200ms"]
    name = "killed at each write in turn: a packet that was readable stays so"
    for call in ("write", "pwrite64"):
        seen = []
        for n in range(1, 50):
            trace = ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                     "-e", f"inject={call}:signal=KILL:when={n}"]
            runs.tool = trace[0]
            status = runs.start([*trace[1:], tool, *argv], "a.pcapng").wait(PATIENCE)
            if status == 0:
                break
            with open("a.pcapng", "rb") as f:
                data = f.read()
            try:
                seen.append(packets(data))
            except ValueError as error:
                judge.case(name, f"{call} {n}: {error}")
            if seen[-1:] and seen[-1] < max(seen):
                judge.case(name, f"{call} {n}: {seen[-1]} packets where there were {max(seen)}")
        judge.case(name, f"{call}: it never came to an end" if n == 49 else None)
        judge.case("killed at each write in turn: there are some",
                   "no run was killed with both packets written" if call == "write" and 2 not in seen else None)
    judge.tell()


def client(addr, port):
    while True:
        try:
            with socket.create_connection((addr, int(port)), timeout=0.3) as conn:
                conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                conn.sendall(b"hello" * 200)
                conn.shutdown(socket.SHUT_WR)
                while conn.recv(65536):
                    pass
        except OSError:
            pass  # nobody listens, or he was killed
        time.sleep(0.005)


{"random": at_random, "writes": at_each_write, "client": client}[sys.argv[1]](*sys.argv[2:])
