"""What a router and a peer knew, held against what tcpwave idle said.

  idle_watch.py router                  prints the entries of conntrack for TCP, ten times a second
  idle_watch.py sockets                 the same of this host's TCP sockets
  idle_watch.py judge JSON PCAP ROUTER SOCKETS [half-open]
        JSON and PCAP are of one run; ROUTER (or -) and SOCKETS are what the others printed meanwhile.
        Prints what is wrong, and how many samples were held against how many readings. With half-open
        the peer has to be in SYN_RECEIVED, in all other runs past it

A line is the time when it had been read, for each port of the client what is known (with ROUTER the seconds that an entry
has left, with SOCKETS the state in hexadecimal), and the time when it had not been read yet: on a busy machine much may lie
between the two.
"""

import json
import re
import struct
import sys
import time

SLACK = 0.25  # between a reading and its time
HELD = ("01", "08")
HELD_HALF_OPEN = ("03",)


def router():
    found = {}
    with open("/proc/net/nf_conntrack", encoding="ascii") as table:
        for line in table:
            entry = re.search(r" tcp +6 (\d+) (\S+) .*? sport=(\d+) ", line)
            if entry and entry[2] not in ("CLOSE", "TIME_WAIT"):
                found[entry[3]] = int(entry[1])
    return found


def sockets():
    found = {}
    for name in "/proc/net/tcp", "/proc/net/tcp6":
        with open(name, encoding="ascii") as table:
            for line in list(table)[1:]:
                words = line.split()
                if words[3] != "0A":
                    found[str(int(words[2].split(":")[1], 16))] = words[3]
    return found


def watch(read):
    while True:
        begun = time.time()
        known = read()
        print(json.dumps([time.time(), known, begun]), flush=True)
        time.sleep(0.1)


def segments(name):
    """Of a capture of Ethernet: time, whether we sent it, our port, flags, sequence number."""
    with open(name, "rb") as file:
        data = file.read()
    nano, at, first, found = data[:4] == b"\x4d\x3c\xb2\xa1", 24, None, []
    while at < len(data):
        seconds, fraction, length = struct.unpack_from("<III", data, at)
        frame = data[at + 16 : at + 16 + length]
        at += 16 + length
        v6 = frame[12:14] == b"\x86\xdd"
        if frame[20 if v6 else 23] != 6:
            continue
        tcp = 54 if v6 else 14 + 4 * (frame[14] & 15)
        source, target, seq = struct.unpack_from(">HHI", frame, tcp)
        first = first or target  # the first segment is our SYN
        out = target == first
        when = seconds + fraction / (1e9 if nano else 1e6)
        found.append((when, out, source if out else target, frame[tcp + 13], seq))
    return found


def last(readings, until):
    """The last reading until then."""
    found = None
    for reading in readings:
        if reading[0] > until:
            break
        found = reading
    return found


class Run:
    """A run of tcpwave idle: what it said, and its capture."""

    def __init__(self, name, capture):
        with open(name, encoding="utf-8") as file:
            self.events = [json.loads(line) for line in file]
        self.segments = segments(capture)
        self.begins = {}  # of a connection: sequence number of its SYN
        for event in self.events:
            if event["event"] == "segment" and event["flags"] == "S" and event["dir"] == "out":
                self.begins.setdefault(event["connection"], event["seq"])

    def probed(self, sample):
        """The port of a sample, when it was probed, and when the next connection came from there."""
        seq = self.begins[sample["connection"]]
        port, begun = next((s[2], s[0]) for s in self.segments if s[1] and s[3] == 2 and s[4] == seq)
        own = [s for s in self.segments if s[2] == port and s[0] >= begun]
        again = next((s[0] for s in own if s[1] and s[3] == 2 and s[4] != seq), own[-1][0])
        for before, after in zip(own, own[1:]):  # with half_open the first one that is no SYN
            silent = half_open or after[0] - before[0] > 0.9 * sample["silence"]
            if (half_open or not before[3] & 2) and after[1] and not after[3] & 2 and silent:
                return port, after[0], again
        return None


def of_router(sample, port, probed, readings):
    """The entry, at the last reading before the probe, had as long to live as the sample says."""
    when, ports, _ = last(readings, probed)
    left = ports.get(str(port))
    if sample["outcome"] == "alive":
        true = left is not None and when + left + 1 > probed - SLACK
    else:
        true = left is None or when + left < probed + SLACK
    return None if true else f"{sample}: {left} s were left {probed - when:.3f} s before the probe"


def of_peer(sample, port, probed, until, readings):
    """The peer has the connection, where it is alive or the path is said to have forgotten it. On a
    busy machine there may be no reading of the time that counts."""
    _, ports, begun = last(readings, until)
    silence = sample["silence"] if sample["outcome"] == "alive" else 0
    if begun < probed - silence - (0 if silence else SLACK):
        return None
    held = ports.get(str(port)) in (HELD_HALF_OPEN if half_open else HELD)
    true = held == (sample["outcome"] == "alive" or sample["by"] == "path")
    return None if true else f"{sample}: the peer {'had' if held else 'had not'} the connection"


def readings(name):
    with open(name, encoding="ascii") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def judge(run, router_log, sockets_log):
    known = None if router_log == "-" else readings(router_log)
    held = readings(sockets_log)
    wrong, count = [], 0
    for sample in run.events:
        if sample["event"] != "idle" or sample["outcome"] == "inconclusive":
            continue
        found = run.probed(sample)
        if not found:
            wrong.append(f"{sample}: no probe was captured")
            continue
        port, probed, again = found
        count += 1
        if known is not None:
            wrong.append(of_router(sample, port, probed, known))
        until = probed if sample["outcome"] == "alive" else again
        wrong.append(of_peer(sample, port, probed, until, held))
    wrong = [text for text in wrong if text]
    print(f"{count} samples, {len(known or [])} and {len(held)} readings")
    print("\n".join(wrong))
    sys.exit(1 if wrong or not count else 0)


half_open = sys.argv[6:] == ["half-open"]
if sys.argv[1] == "judge":
    judge(Run(sys.argv[2], sys.argv[3]), sys.argv[4], sys.argv[5])
else:
    watch({"router": router, "sockets": sockets}[sys.argv[1]])
