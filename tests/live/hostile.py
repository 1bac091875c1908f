#!/usr/bin/env python3
"""A malicious peer, for hostile.sh:

  hostile.py INTERFACE ADDRESS                                        a server
  hostile.py INTERFACE ADDRESS call ETHERNET TARGET PORT [HABIT...]   a client, with each habit in turn

Speaks TCP over IPv4 on a packet socket, below its host's own TCP, which must be kept silent. The
port of the server, or of the client, selects what it does to a connection: see HABITS and CALLS.
Apart from that habit it is a simple peer: it acknowledges what is in order, and answers a FIN with
its own.
"""

import os
import random
import socket
import struct
import sys
import time

import packets

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
BIG = 60000
interface, address = sys.argv[1], socket.inet_aton(sys.argv[2])
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
wire.bind((interface, 0))
wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
random.seed(1)


class Flow:
    """One connection, from the first SYN to this port of the other side's on."""

    def __init__(self, ethernet, host, theirs, ours):
        self.ethernet, self.host, self.theirs, self.ours = ethernet, host, theirs, ours
        self.seq, self.ack, self.window = 1000, 0, 60000
        self.acked = 1001  # of ours
        self.mss = b"\x02\x04\x05\xb4"
        self.ip_options = b""
        self.begun = False
        self.opened = False
        self.closed = False
        self.calls = False
        self.stays = False  # never sends its FIN
        self.finished = False  # has sent it

    def ip(self, payload, protocol=6, fragment=0, length=None):
        wire.send(self.ethernet + packets.ipv4(address, self.host, payload, 77, fragment, protocol,
                                               self.ip_options, length))

    def tcp(self, flags, data=b"", seq=None, ack=None, options=b"", offset=None):
        seq = self.seq if seq is None else seq
        ack = self.ack if ack is None else ack
        offset = 5 + len(options) // 4 if offset is None else offset
        segment = struct.pack(">HHIIBBHHH", self.ours, self.theirs, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
                              offset << 4, flags, self.window, 0, 0) + options + data
        return packets.tcp(address, self.host, segment)

    def send(self, *args, **named):
        self.ip(self.tcp(*args, **named))

    def say(self, data):
        for at in range(0, len(data), 1400):
            self.send(ACK | PSH, data[at:at + 1400])
            self.seq += len(data[at:at + 1400])

    def accept(self):
        self.send(SYN | ACK, options=self.mss)


def pause(n):
    """This peer sends nothing twice: its segments come no faster than any capture takes them."""
    if n % 20 == 0:
        time.sleep(0.005)


# Each habit: a function called for the SYN, the peer's or before our own ("syn"), once after the handshake
# ("open"), and then for each segment with data ("data", with its length) and without ("ack"). True: the
# plain peer's part is left out.


def wrong_ack(f, event, _):
    if event == "syn":
        f.send(SYN | ACK, ack=f.ack + 7, options=f.mss)
    return True


def only_garbage(f, event, _):
    if event == "syn":
        garbage(f, event, 0)
    return True


def garbage(f, event, _):
    if event in ("syn", "open"):
        whole = f.tcp(ACK | PSH, b"garbage")
        for cut in (0, 1, 4, 13, 19):
            f.ip(whole[:cut])
        f.ip(f.tcp(SYN | ACK, offset=4))
        f.ip(f.tcp(SYN | ACK, offset=15))
        f.ip(whole, length=1400)
        f.ip(whole, length=12)
        f.ip(b"\xff" * 60, protocol=1)
        f.ip(whole, protocol=17)
        wire.send(f.ethernet + b"\x4f" + b"\0" * 19)
        wire.send(f.ethernet + b"\x00")
        for _i in range(50):
            f.ip(os.urandom(random.randrange(100)))
            f.ip(whole[:4] + random.randbytes(random.randrange(60)))
    return False


def ip_options(f, event, _):
    f.ip_options = b"\x94\x04\0\0" + b"\x07\x07\x04\0\0\0\0" + b"\x01" * 29  # all forty bytes


def fragments(f, event, _):
    if event in ("syn", "open") and f.begun:
        whole = f.tcp(SYN | ACK, ack=f.ack + 99) if event == "syn" else f.tcp(ACK | PSH, b"x" * 100, seq=f.seq + 50)
        f.ip(whole[:24], fragment=0x2000)
        f.ip(whole[16:], fragment=2)  # overlaps
        f.ip(whole[16:], fragment=0x1FFF)
        f.ip(whole, fragment=0x2000)


def odd_options(f, event, _):
    f.mss = b"\x02\x04\0\0" + b"\x03\x03\xff" + b"\x04\x02" + b"\x08\x03\x01" + b"\x05\x0b"
    f.mss += b"\0" * (-len(f.mss) % 4)
    if event == "open":
        for kind in range(256):
            for length in (0, 1, 2, 3, 41, 255):
                f.send(ACK, options=bytes((1, 1, kind, length)))
            pause(kind)


def reset_storm(f, event, _):
    if event == "open":
        for i in range(1, 500):
            f.send(RST, seq=f.seq - i * 70000)
            f.send(RST | ACK, seq=f.seq + 0x40000000 + i)
            pause(i)


def reset_inside(f, event, _):
    if event == "open":
        for i in range(1, 150):
            f.send(RST, seq=f.seq + i * 401)
            f.send(RST | ACK, seq=f.seq + i * 397)
            pause(i)


def syn_inside(f, event, _):
    if event == "open":
        for i in range(100):
            f.send(SYN, seq=f.seq + i * 41, options=f.mss)
            f.send(SYN | ACK, seq=f.seq - 1 + i, ack=f.ack, options=f.mss)
            pause(i)


def window_shrinks(f, event, _):
    if event == "data":
        f.window = 700 if f.window < 2 else f.window * 2 // 5


def mss_one(f, event, _):
    f.mss = b"\x02\x04\0\x01"


def syn_options(f, event, _):
    """A connection for each kind with lengths that cannot be, before a sane MSS and behind it."""
    if event == "syn":
        number = syn_options.number = getattr(syn_options, "number", -1) + 1
        bad = bytes((number % 256, (0, 1, 3, 255)[number // 256 % 4])) + b"\x02\x04"
        f.mss = bad + f.mss if number % 2 else f.mss + bad


def endless(f, event, _):
    f.stays = f.calls
    if event in ("open", "ack", "data"):
        time.sleep(0.01)
        while f.seq - f.acked < 20:
            f.send(ACK, b"e")
            f.seq += 1


def truncated(f, event, _):
    if event == "open":
        whole = f.tcp(ACK | PSH, b"truncated", options=b"\x01\x01\x01\x00")
        frame = f.ethernet + packets.ipv4(address, f.host, whole, ident=77)
        for cut in range(14, len(frame)):
            wire.send(frame[:cut])
        f.say(b"whole")


def zero_window(f, event, _):
    if event == "open":
        f.window = 0
        f.send(ACK)
    return event == "data" and f.send(ACK) is None


def contradiction(f, event, _):
    if event == "open":
        f.send(ACK | PSH, b"GGGGG", seq=f.seq + 5)
        f.send(ACK | PSH, b"bbbbbbbbbb", seq=f.seq + 5)
        f.send(ACK | PSH, b"AAAAAbb")
        f.send(ACK | PSH, b"bbbbbbbbbbbbbbb")
        f.seq += 15


def one_byte(f, event, _):
    if event == "open":
        for i in range(500):
            f.send(ACK, b"1", seq=f.seq + 1001 - 2 * i)
            pause(i)
        for i in range(1002):
            f.send(ACK, b"1")
            f.seq += 1
            pause(i)


def super_segment(f, event, _):
    if event == "open":
        f.send(ACK | PSH, b"s" * BIG)
        f.seq += BIG


def ack_of_unsent(f, event, _):
    if event == "open":
        for i in range(1, 500):
            f.send(ACK, ack=f.ack + i * 1000)
            pause(i)


def half_acks(f, event, length):
    if event == "data" and length > 700:
        f.ack -= length - (length + 1) // 2
    return False


def forged_fin(f, event, _):
    if event == "open":
        f.send(FIN | ACK, seq=f.seq + 0x10000000)
        f.send(FIN | ACK, seq=f.seq - 5)
        f.send(FIN | ACK, ack=f.ack + 5000)
        f.send(FIN)
        f.say(b"still here")


def stamp(value):
    return b"\x01\x01\x08\x0a" + struct.pack(">II", value & 0xFFFFFFFF, 0)


def unstamped(f, event, _):
    """Agrees on timestamps, and leaves them out from then on."""
    if event == "syn":
        f.mss += stamp(1000)
    if event == "open":
        f.say(b"still here")


def forged_stamps(f, event, _):
    """Agrees on timestamps; then somebody sends what must not move them, far ahead."""
    if event == "syn":
        f.mss += stamp(1000)
    if event == "open":
        ahead = stamp(1000 + 10 ** 9)
        f.send(ACK | PSH, b"forged", seq=f.seq + 10 ** 9, options=ahead)
        f.send(ACK, seq=f.seq - 10 ** 9, options=ahead)
        f.send(SYN, seq=f.seq + 10 ** 9, options=ahead)
        f.send(ACK | PSH, b"forged", ack=f.ack + 10 ** 9, options=ahead)
        f.send(ACK | PSH, b"still here", options=stamp(1001))
        f.seq += 10


def overruns(f, event, _):
    """Six times what was offered to a peer that scales no windows, the last of it first, and a FIN."""
    if event == "open":
        for at in range(360000, -1, -40000):
            f.send(ACK | PSH, b"o" * 40000, seq=f.seq + at)
        f.seq += 400000
        f.send(FIN | ACK)
        f.seq += 1
        f.finished = True


# A client's.


def third_ack_wrong(f, event, _):
    if event == "open":
        for i in range(1, 200):
            f.send(ACK, ack=f.ack + i * 7)
            f.send(ACK, ack=f.ack - i)
            pause(i)


def syn_with_all(f, event, _):
    if event == "syn":
        f.send(SYN | FIN | PSH, b"early", ack=0, options=f.mss)
        f.send(SYN | RST, ack=0)
        f.send(SYN, b"early", ack=0, options=f.mss)
    return event == "syn"


def forgotten(f, event, _):
    """A NAT that has forgotten the connection: a RST with a number of its own for whatever comes."""
    if event != "syn":
        f.send(RST, seq=f.seq + 100)
    return event != "syn"


def stranger(f, event, _):
    """A second host, which has another connection over these ports."""
    if event != "syn":
        f.send(ACK, seq=f.seq + 0x30000000, ack=f.ack + 0x50000000)
    return event != "syn"


HABITS = dict(enumerate((wrong_ack, only_garbage, garbage, ip_options, fragments, odd_options, reset_storm,
                         zero_window, contradiction, one_byte, super_segment, ack_of_unsent, half_acks,
                         forged_fin, reset_inside, syn_inside, window_shrinks, mss_one, truncated, endless,
                         syn_options, unstamped, forged_stamps, overruns, forgotten, stranger), 5000))
CALLS = dict(enumerate((garbage, ip_options, fragments, odd_options, reset_storm, reset_inside, syn_inside,
                        contradiction, one_byte, super_segment, ack_of_unsent, half_acks, forged_fin,
                        window_shrinks, mss_one, truncated, third_ack_wrong, syn_with_all, syn_options,
                        unstamped, forged_stamps, zero_window, endless), 5500))
FOR_EVER = (zero_window, endless)


def take_syn(f, habit, flags, seq):
    if f.calls:
        if flags & ACK and not f.begun:
            f.begun = True
            f.seq += 1
            f.ack = seq + 1
        f.send(ACK)
        return
    f.ack, f.begun = seq + 1, True
    if not habit(f, "syn", 0):
        f.accept()
        f.seq += 1


def take(f, habit, flags, seq, data):
    if flags & SYN:
        take_syn(f, habit, flags, seq)
        if not f.calls:
            return
    if flags & RST:
        f.closed = True
    if not f.begun or f.closed:
        return
    if f.seq == 1001 and not f.opened:
        f.opened = True
        habit(f, "open", 0)
    if flags & SYN:
        return
    if seq > f.ack:
        f.send(ACK)
        return
    new = seq + len(data) - f.ack
    if new > 0:
        f.ack += new
        if habit(f, "data", new):
            f.ack -= new
            return
    elif not data and not flags & FIN:
        habit(f, "ack", 0)
    if data:
        f.send(ACK)
    if flags & FIN and seq + len(data) == f.ack:
        f.ack += 1
        if f.stays:
            f.send(ACK)
            return
        if f.finished:
            f.send(ACK)
            f.closed = True
            return
        f.send(FIN | ACK)
        f.seq += 1
        f.closed = True


def hear(flows, habits):
    """One frame, if it is for us."""
    frame, where = wire.recvfrom(70000)
    if where[2] == socket.PACKET_OUTGOING or len(frame) < 54 or frame[23] != 6 or frame[30:34] != address:
        return
    at = 14 + (frame[14] & 15) * 4
    theirs, ours, seq, ack, offset, flags = struct.unpack(">HHIIBB", frame[at:at + 14])
    data = frame[at + (offset >> 4) * 4:14 + struct.unpack(">H", frame[16:18])[0]]
    if ours not in habits:
        return
    key = theirs, ours
    if flags & SYN and not flags & ACK and habits is HABITS:
        flows[key] = Flow(frame[6:12] + frame[:6] + b"\x08\0", frame[26:30], theirs, ours)
    if key in flows:
        flows[key].acked = max(flows[key].acked, ack)
        take(flows[key], habits[ours], flags, seq, data)


def call(ethernet, target, port, *names):
    wire.settimeout(0.5)
    ethernet = bytes.fromhex(ethernet.replace(":", ""))
    own = wire.getsockname()[4]
    for ours, habit in CALLS.items():
        if habit.__name__ not in names if names else habit in FOR_EVER:
            continue
        f = Flow(ethernet + own + b"\x08\0", socket.inet_aton(target), int(port), ours)
        f.calls = True
        if not habit(f, "syn", 0):
            f.send(SYN, ack=0, options=f.mss)
        until = time.monotonic() + 10
        while not f.closed and time.monotonic() < until:
            try:
                hear({(int(port), ours): f}, CALLS)
            except TimeoutError:
                pass
        print(habit.__name__, ours, "closed" if f.closed else "left", flush=True)


def serve():
    flows = {}
    print("ready", flush=True)
    while True:
        hear(flows, HABITS)


if sys.argv[3:4] == ["call"]:
    call(*sys.argv[4:])
else:
    serve()
