#!/usr/bin/env python3
"""Holds the numbers of `tcpwave read --json` against those of other tools, direction by direction:

    read_numbers.py tshark FLOWS CAPTURE [copies] [mixes]
    read_numbers.py tcptrace FLOWS CAPTURE [copies] [mixes]

FLOWS is what read printed; the path has duplicated packets, or reordered them, with `copies` and with
`mixes`. Says what differs without a reason, and exits 1. The reasons for which numbers may differ stand beside each comparison.
"""

import collections
import json
import re
import subprocess
import sys

ANALYSIS = {
    "repeated": "retransmission",
    "out_of_order": "out_of_order",
    "duplicate_acks": "duplicate_ack",
    "zero_windows": "zero_window",
    "window_full": "window_full",
    "gaps": "lost_segment",
    "keepalives": "keep_alive",
}
wrong = []


def differs(who, name, ours, theirs, why=""):
    wrong.append(f"{who}: {name} is {ours}, and {theirs} there{why}")


def equal(who, name, ours, theirs):
    if ours != theirs:
        differs(who, name, ours, theirs)


def between(who, name, ours, least, most):
    if not least <= ours <= most:
        differs(who, name, ours, f"from {least} to {most}")


def near(who, name, ours, theirs, share):
    if ours is None or abs(ours - theirs) > share * theirs + 2e-6:
        differs(who, name, ours, theirs)


def directions(path):
    """What read measured, by (address, port, address, port) of sender and receiver."""
    found = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            flow = json.loads(line)
            if flow["event"] != "flow":
                continue
            for sender, receiver in (("client", "server"), ("server", "client")):
                ends = flow[sender], flow[receiver]
                key = tuple(str(end[name]) for end in ends for name in ("addr", "port"))
                found[key] = dict(flow[sender], flow=flow, who=sender)
    return found


def asked(side):
    """SYN-ACKs that a SYN asked for which the network had copied: no retransmissions of ours."""
    return max(0, side["flow"]["handshake"]["syn_acks"] - 1) if side["who"] == "server" else 0


def tshark(path):
    fields = ["ip.src", "tcp.srcport", "ip.dst", "tcp.dstport", "tcp.analysis.ack_rtt",
              "tcp.analysis.initial_rtt"] + ["tcp.analysis." + name for name in ANALYSIS.values()]
    # The payload is nothing to be taken apart, which took most of tshark's time: it knows a protocol
    # of port 7000.
    command = ["tshark", "-r", path, "-d", "tcp.port==7000,data", "-Y", "tcp", "-T", "fields"]
    for field in fields:
        command += ["-e", field]
    counts = collections.defaultdict(collections.Counter)
    rtts, initial = collections.defaultdict(list), {}
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        row = dict(zip(fields, line.split("\t")))
        key = row["ip.src"], row["tcp.srcport"], row["ip.dst"], row["tcp.dstport"]
        counts[key]["segments"] += 1
        for ours, theirs in ANALYSIS.items():
            counts[key][ours] += row["tcp.analysis." + theirs] != ""
        if row["tcp.analysis.ack_rtt"]:
            rtts[key[2:] + key[:2]].append(float(row["tcp.analysis.ack_rtt"]))
        if row["tcp.analysis.initial_rtt"]:
            initial[key] = float(row["tcp.analysis.initial_rtt"])
    return counts, rtts, initial


def against_tshark(ours, path, copies, mixes):
    counts, rtts, initial = tshark(path)
    equal("all", "directions", len([key for key in ours if ours[key]["segments"]]), len(counts))
    for key, theirs in counts.items():
        side, who = ours[key], f"{key[1]} to {key[3]}"
        equal(who, "segments", side["segments"], theirs["segments"])
        # tshark tells a retransmission from an overtaken segment by the time alone, and calls many a
        # fast retransmission out of order. The sum of both is the same. A copy that the network made
        # is a retransmission there; ours are pure ACKs, too, so that the number lies between.
        repeated = side["retransmissions"] + side["out_of_order"]
        between(who, "retransmissions and out of order", theirs["repeated"] + theirs["out_of_order"],
                repeated, repeated + asked(side) + (side["duplicates"] if copies else 0))
        # RFC 5681, section 2 has no duplicate ACK where nothing is outstanding, or where the ACK brings
        # a SACK of what is not needed any more; tshark counts those as well.
        # Where ACKs overtake each other it misses some: it compares with the one that came last, and
        # not with the highest.
        most = theirs["duplicate_acks"]
        between(who, "duplicate_acks", side["duplicate_acks"], 0, most + (3 + most // 10 if mixes else 0))
        if most > 20 and not mixes and not copies:
            near(who, "duplicate_acks", side["duplicate_acks"], theirs["duplicate_acks"], 0.2)
        for name in ("zero_windows", "gaps", "keepalives"):
            equal(who, name, side[name], theirs[name])
        # In tshark a window is full at its edge for repeated segments, too. Its edge is that of the
        # ACK that came last, and ours the highest, which differs where ACKs overtake each other.
        between(who, "window_full", side["window_full"], 0, theirs["window_full"] + (3 if mixes else 0))
        if key in rtts and side["rtt"]["samples"]:
            # Not every segment is measured where many are in flight, and none in a recovery, which
            # tshark does measure.
            low, middle = min(rtts[key]), sorted(rtts[key])[(len(rtts[key]) - 1) // 2]
            # tshark's shortest may be the handshake's, or that of a segment that was not measured: then
            # ours is another one of the shorter half. tshark takes an ACK only for the segment that ends
            # at its number, and we for all that it covers: one that was overtaken has its ACK sooner.
            between(who, "rtt.min", side["rtt"]["min"], 0 if mixes else 0.8 * low,
                    max(1.2 * low, middle) + 2e-6)
            # Below a millisecond half of it is the scheduling of this machine; a few are no median. The
            # two medians are of different samples: on a busy machine, where the round trips are far
            # apart, ours may be anywhere among the middle eight tenths of tshark's.
            if low > 0.001 and side["rtt"]["samples"] >= 20:
                tenth = len(rtts[key]) // 10
                least, most = sorted(rtts[key])[tenth], sorted(rtts[key])[-1 - tenth]
                between(who, "rtt.median", side["rtt"]["median"], min(least, 0.6 * middle),
                        max(most, 1.4 * middle))
        # tshark takes a RST for an answer, too, and the last one of several. We measure nothing where
        # a segment of the handshake was lost, copied or overtaken (Karn's algorithm).
        rtt = side["flow"]["handshake"]["rtt"]
        if key in initial and side["flow"]["handshake"]["syn_acks"] == 1 and not (mixes and rtt is None):
            near(who, "handshake.rtt", rtt, initial[key], 0.001)


def tcptrace(path):
    """Numbers of a -> b and b -> a, as tcptrace -l prints them side by side."""
    text = subprocess.run(["tcptrace", "-l", "-n", path], capture_output=True, text=True, check=True).stdout
    found = {}
    for part in re.split(r"^TCP connection \d+:$", text, flags=re.M)[1:]:
        ends = re.findall(r"host \w+: +(\S+):(\d+)", part)
        if len(ends) != 2:
            continue
        numbers = [{}, {}]
        for name, *values in re.findall(r"^ +([a-z][^:\n]*): +(\S+)[^:\n]*? {2,}\1: +(\S+)", part, re.M):
            for i in (0, 1):
                numbers[i][name] = values[i]
        found[ends[0] + ends[1]] = numbers[0]
        found[ends[1] + ends[0]] = numbers[1]
    return found


def against_tcptrace(ours, path, copies, _):
    theirs = tcptrace(path)
    equal("all", "directions", len(ours), len(theirs))
    for key, side in ours.items():
        there, who = theirs[key], f"{key[1]} to {key[3]}"
        equal(who, "segments", side["segments"], int(there["total packets"]))
        equal(who, "bytes", side["bytes"], int(there["unique bytes sent"]))
        # tcptrace goes by bytes that were seen before: what is overtaken is no retransmission there
        # either, and what was lost before the place of the capture is none. SYN and FIN without data
        # are not counted there.
        most = side["retransmissions"] + asked(side) + (side["duplicates"] if copies else 0)
        between(who, "rexmt data pkts", int(there["rexmt data pkts"]), 0, most)
        if not copies and not side["gaps"]:
            # Of a SYN-ACK that was repeated because a SYN was, tcptrace takes some for data.
            between(who, "retransmissions", int(there["rexmt data pkts"]), side["retransmissions"], most)
        equal(who, "zero_windows", side["zero_windows"], int(there["zero win adv"]))
        if not side["gaps"]:
            equal(who, "largest", side["largest"], int(there["max segm size"]))


def main():
    tool, flows, path, *rest = sys.argv[1:]
    against = against_tshark if tool == "tshark" else against_tcptrace
    against(directions(flows), path, "copies" in rest, "mixes" in rest)
    print("\n".join(wrong[:20]))
    sys.exit(len(wrong) > 0)


main()
