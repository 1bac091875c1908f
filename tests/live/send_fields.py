#!/usr/bin/env python3
"""Segments of `tcpwave send` as tshark reads them: send_fields.py run|judge SEED DIRECTORY TARGET4 TARGET6

`run` sends each option alone, and 200 random combinations drawn from SEED, each from its own source
port, and writes what was asked for to DIRECTORY/asked. `judge` reads DIRECTORY/far.pcap, which was
recorded on the peer's side meanwhile, and prints a line for each case: "ok NAME" or "bad NAME:
WHY".
"""

import json
import os
import random
import subprocess
import sys

FIRST_PORT = 20000
RANDOM_CASES = 200
FLAGS = "FSRPAUEWN"
SINGLE = [
    ["--flags", "none"],
    *[["--flags", letter] for letter in FLAGS],
    ["--flags", FLAGS],
    ["--seq", "0"],
    ["--seq", "4294967295"],
    ["--ack", "305419896"],
    ["--flags", "A", "--ack", "0xdeadbeef"],
    ["--window", "0"],
    ["--window", "65535"],
    ["--urgent", "4660"],
    ["--reserved", "5"],
    ["--reserved", "7"],
    ["--data-offset", "6", "--hex", "01010101ff"],
    ["--bad-checksum"],
    ["--checksum", "0xbeef"],
    ["--checksum", "0"],
    ["--mss", "536"],
    ["--mss", "0"],
    ["--wscale", "14"],
    ["--wscale", "255"],
    ["--sack-permitted"],
    ["--sack", "1:2"],
    ["--sack", "1:2,3:4,5:6,4294967295:7"],
    ["--timestamp", "1:4294967295"],
    ["--fast-open", "request"],
    ["--fast-open", "0123456789abcdef"],
    ["--user-timeout", "300s"],
    ["--user-timeout", "32767m"],
    ["--md5", "00112233445566778899aabbccddeeff"],
    ["--option", "nop"],
    ["--option", "eol"],
    ["--option", "253:cafe"],
    ["--option", "254"],
    ["--option", "200:" + "5a" * 38],
    ["--options", "0204"],
    ["--data", "a\\x00b\\r\\n"],
    ["--hex", "00ff7f80"],
    ["--ttl", "1"],
    ["--ttl", "255"],
    ["--tos", "0"],
    ["--tos", "255"],
    ["--tos", "184"],
    ["--id", "65535"],
    ["--id", "0", "--df"],
    ["--df"],
    ["--flow-label", "1048575"],
    ["--fragment", "8"],
    ["--fragment", "24", "--hex", "31" * 100],
    # So fast that they leave in batches, as frames, and follow on each other: none may be "mended".
    *[["--count", "150", "--rate", "max", "--ports", "1", "--flags", "A", "--seq", "4294967000",
       "--seq-step", "4", "--hex", "01020304", *how]
      for how in ([], ["--bad-checksum"], ["--checksum", "0xbeef"], ["--reserved", "3"])],
    ["--count", "3", "--interval", "1ms", "--seq", "4294967290", "--seq-step", "7", "--ports", "1"],
]


class Asked:
    """What the options say, by this script's own reading of them."""

    def __init__(self, v6, port, arguments):
        self.v6, self.port, self.arguments = v6, port, arguments
        self.flags, self.seq, self.ack = "S", None, None
        self.window, self.urgent, self.reserved, self.offset = 64240, 0, 0, None
        self.checksum = "good"
        self.options, self.data = b"", b""
        self.ttl, self.tos, self.id, self.df, self.label, self.fragment = 64, 0, None, False, 0, 0
        self.count, self.step = 1, 0
        rest = list(arguments)
        while rest:
            name = rest.pop(0)[2:].replace("-", "_")
            if name in ("bad_checksum", "sack_permitted", "df"):
                getattr(self, "take_" + name)()
            else:
                getattr(self, "take_" + name)(rest.pop(0))

    def put(self, kind, body=b""):
        self.options += bytes([kind, len(body) + 2]) + body

    def take_flags(self, v): self.flags = "" if v == "none" else v
    def take_seq(self, v): self.seq = int(v, 0)
    def take_ack(self, v): self.ack = int(v, 0)
    def take_window(self, v): self.window = int(v)
    def take_urgent(self, v): self.urgent = int(v)
    def take_reserved(self, v): self.reserved = int(v)
    def take_data_offset(self, v): self.offset = int(v)
    def take_bad_checksum(self): self.checksum = "bad"
    def take_checksum(self, v): self.checksum = int(v, 0)
    def take_mss(self, v): self.put(2, int(v).to_bytes(2, "big"))
    def take_wscale(self, v): self.put(3, bytes([int(v)]))
    def take_sack_permitted(self): self.put(4)
    def take_timestamp(self, v): self.put(8, b"".join(int(n).to_bytes(4, "big") for n in v.split(":")))
    def take_fast_open(self, v): self.put(34, b"" if v == "request" else bytes.fromhex(v))
    def take_md5(self, v): self.put(19, bytes.fromhex(v))
    def take_options(self, v): self.options += bytes.fromhex(v)
    def take_hex(self, v): self.data = bytes.fromhex(v)
    def take_data(self, v): self.data = v.encode().decode("unicode_escape").encode("latin-1")
    def take_ttl(self, v): self.ttl = int(v)
    def take_tos(self, v): self.tos = int(v)
    def take_id(self, v): self.id = int(v)
    def take_df(self): self.df = True
    def take_flow_label(self, v): self.label = int(v)
    def take_fragment(self, v): self.fragment = int(v)
    def take_count(self, v): self.count = int(v)
    def take_seq_step(self, v): self.step = int(v)
    def take_interval(self, v): pass
    def take_rate(self, v): pass
    def take_ports(self, v): pass

    def take_sack(self, v):
        self.put(5, b"".join(int(n).to_bytes(4, "big") for pair in v.split(",") for n in pair.split(":")))

    def take_user_timeout(self, v):
        self.put(28, (int(v[:-1]) | (0x8000 if v[-1] == "m" else 0)).to_bytes(2, "big"))

    def take_option(self, v):
        kind, colon, body = v.partition(":")
        if kind in ("nop", "eol"):
            self.options += bytes([kind == "nop"])
        else:
            self.put(int(kind), bytes.fromhex(body))

    def expected(self):
        """Field of tshark's to value; a field that is not here is not asked about."""
        body = self.options + bytes(-len(self.options) % 4) + self.data
        header = self.offset * 4 if self.offset is not None else 20 + len(body) - len(self.data)
        flags = sum(1 << FLAGS.index(letter) for letter in self.flags) | self.reserved << 9
        want = {
            "tcp.flags": flags,
            "tcp.window_size_value": self.window,
            "tcp.urgent_pointer": self.urgent,
            "tcp.hdr_len": header,
            "tcp.options": body[: header - 20].hex(),
            "tcp.len": len(body) - header + 20,
        }
        if "R" not in self.flags:  # else tshark calls it the cause of the reset
            want["tcp.payload"] = body[header - 20 :].hex()
        if self.seq is not None:
            want["tcp.seq_raw"] = self.seq
        if self.ack is not None:
            want["tcp.ack_raw"] = self.ack
        elif "A" not in self.flags:
            want["tcp.ack_raw"] = 0
        if isinstance(self.checksum, int):
            want["tcp.checksum"] = self.checksum
        else:
            want["tcp.checksum.status"] = {"good": 1, "bad": 0}[self.checksum]
        if self.v6:
            want.update({"ipv6.hlim": self.ttl, "ipv6.tclass": self.tos, "ipv6.flow": self.label})
        else:
            want.update({"ip.ttl": self.ttl, "ip.dsfield": self.tos, "ip.flags.df": int(self.df)})
            want["ip.checksum.status"] = 1
            if self.id is not None:
                want["ip.id"] = self.id
        if self.fragment:
            pieces = -(-(20 + len(body)) // self.fragment)
            if pieces > 1:
                want["ipv6.fragment.count" if self.v6 else "ip.fragment.count"] = pieces
            if self.v6 and self.id is not None:
                want["ipv6.fraghdr.ident"] = self.id
        return want


def some_options(r):
    """TCP options in random order, as far as 40 bytes hold them."""
    number = lambda bits: str(r.getrandbits(bits))
    some_hex = lambda n: r.randbytes(n).hex()
    choice = [
        (4, lambda: ["--mss", number(16)]),
        (3, lambda: ["--wscale", number(8)]),
        (2, lambda: ["--sack-permitted"]),
        (10, lambda: ["--sack", f"{number(32)}:{number(32)}"]),
        (18, lambda: ["--sack", f"{number(32)}:{number(32)},{number(32)}:{number(32)}"]),
        (10, lambda: ["--timestamp", f"{number(32)}:{number(32)}"]),
        (2, lambda: ["--fast-open", "request"]),
        (10, lambda: ["--fast-open", some_hex(8)]),
        (4, lambda: ["--user-timeout", f"{r.getrandbits(15)}{r.choice('sm')}"]),
        (18, lambda: ["--md5", some_hex(16)]),
        (1, lambda: ["--option", "nop"]),
        (1, lambda: ["--option", "nop"]),
        (8, lambda: ["--option", f"{r.randint(60, 255)}:{some_hex(6)}"]),
    ]
    r.shuffle(choice)
    room, arguments = r.choice([0, 12, 40, 40]), []
    for size, make in choice:
        if size <= room and r.random() < 0.7:
            room -= size
            arguments += make()
    return arguments


def combination(r, v6):
    arguments = []
    maybe = lambda p, *what: arguments.extend(str(w) for w in what) if r.random() < p else None
    maybe(0.8, "--flags", "".join(r.sample(FLAGS, r.randint(1, 9))) if r.random() < 0.9 else "none")
    maybe(0.7, "--seq", r.getrandbits(32))
    maybe(0.5, "--ack", r.getrandbits(32))
    maybe(0.5, "--window", r.getrandbits(16))
    maybe(0.4, "--urgent", r.getrandbits(16))
    maybe(0.3, "--reserved", r.getrandbits(3))
    if r.random() < 0.2:
        arguments.append("--bad-checksum")
    elif r.random() < 0.2:
        arguments += ["--checksum", str(r.getrandbits(16))]
    arguments += some_options(r)
    data = r.choice([0, 0, 1, 7, 64, 500, 1300])
    if data:
        arguments += ["--hex", r.randbytes(data).hex()]
    maybe(0.4, "--ttl", r.randint(1, 255))
    maybe(0.5, "--tos", r.getrandbits(8))
    if r.random() < 0.25:
        arguments += ["--fragment", str(8 * r.randint(1, 20))]
    fragments = "--fragment" in arguments
    if v6:
        maybe(0.5, "--flow-label", r.getrandbits(20))
        if fragments:
            maybe(0.5, "--id", r.getrandbits(16))
    else:
        maybe(0.4, "--df")
        maybe(0.5, "--id", r.randint(1, 65535))
    asked = Asked(v6, 0, arguments)
    whole = 20 + len(asked.options) + -len(asked.options) % 4 + len(asked.data)
    if not fragments and r.random() < 0.15:
        arguments += ["--data-offset", str(r.randint(5, min(15, whole // 4)))]
    return arguments


def only(v6, arguments):
    """Whether these options are meant for the other family."""
    return ("--flow-label" in arguments and not v6) or (
        v6 and ("--df" in arguments or ("--id" in arguments and "--fragment" not in arguments))
    )


def cases(seed):
    r = random.Random(seed)
    for arguments in SINGLE:
        for v6 in (False, True):
            if not only(v6, arguments):
                yield v6, arguments
    for i in range(RANDOM_CASES):
        v6 = bool(i % 2)
        yield v6, combination(r, v6)


def run(seed, directory, targets):
    with open(os.path.join(directory, "asked"), "w", encoding="ascii") as asked:
        for i, (v6, arguments) in enumerate(cases(seed)):
            port = FIRST_PORT + i
            command = [os.environ["TCPWAVE"], "send", targets[v6], "-q", "--wait", "1us",
                       "--source-port", str(port), *arguments]
            done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
            asked.write(json.dumps([v6, port, arguments, done.returncode, done.stderr]) + "\n")


FIELDS = [
    "ip.ttl", "ip.dsfield", "ip.id", "ip.flags.df", "ip.checksum.status", "ip.fragment.count",
    "ipv6.hlim", "ipv6.tclass", "ipv6.flow", "ipv6.fragment.count", "ipv6.fraghdr.ident",
    "tcp.srcport", "tcp.seq_raw", "tcp.ack_raw", "tcp.hdr_len", "tcp.flags",
    "tcp.window_size_value", "tcp.checksum", "tcp.checksum.status", "tcp.urgent_pointer",
    "tcp.options", "tcp.payload", "tcp.len",
]
TEXTS = ("tcp.options", "tcp.payload")


def decode(capture):
    """Source port to the segments that came from there, each a dictionary of fields."""
    command = ["tshark", "-n", "-r", capture, "-T", "fields", "-E", "occurrence=l",
               "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
               "-o", "tcp.relative_sequence_numbers:FALSE",
               "-o", "tcp.analyze_sequence_numbers:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE",
               "-o", "tcp.try_heuristic_first:FALSE", "-Y", "tcp"]
    for field in FIELDS:
        command += ["-e", field]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {}
    for line in out.splitlines():
        values = dict(zip(FIELDS, line.split("\t")))
        if values["tcp.srcport"]:
            found.setdefault(int(values["tcp.srcport"]), []).append(values)
    return found


def number(text):
    return {"": None, "True": 1, "False": 0}[text] if text in ("", "True", "False") else int(text, 0)


def differences(asked, got):
    for field, want in asked.expected().items():
        have = got[field] if field in TEXTS else number(got[field])
        if field in TEXTS:
            have = have.replace(":", "")
        if have != want:
            yield f"{field} is {have!r}, not {want!r}"


def judge_case(asked, segments):
    if len(segments) != asked.count:
        return f"{len(segments)} segments arrived, not {asked.count}"
    for i, got in enumerate(segments):
        if i:
            asked.seq = (asked.seq + asked.step) % 2**32
        wrong = list(differences(asked, got))
        if wrong:
            return "; ".join(wrong)
    return None


def judge(directory):
    found = decode(os.path.join(directory, "far.pcap"))
    for line in open(os.path.join(directory, "asked"), encoding="ascii"):
        v6, port, arguments, status, error = json.loads(line)
        name = f"{'IPv6' if v6 else 'IPv4'}, {' '.join(a if len(a) < 60 else a[:50] + '...' for a in arguments)}"
        if status not in (0, 4, 5):
            why = f"status {status}: {error.strip()}"
        else:
            why = judge_case(Asked(v6, port, arguments), found.get(port, []))
        print(f"bad {name}: {why}" if why else f"ok {name}")


if __name__ == "__main__":
    what, seed, directory, target4, target6 = sys.argv[1:]
    if what == "run":
        run(int(seed), directory, {False: target4, True: target6})
    else:
        judge(directory)
