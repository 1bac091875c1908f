#!/usr/bin/env python3
"""A path with a device that rewrites TCP headers, for the live tests: rewriting_path.py PID

Creates tun0 in this network namespace and tun1 in that of process PID, says "ready", and from then on
hands each of them the packets of the other, over IPv4 and IPv6. The port of the server, which is in the
namespace of PID, selects what the device does to a connection: see WAYS. Checksums are right again
behind it.
"""

import os
import struct
import sys

import packets
import two_tuns

FIN, SYN, RST, ACK = 1, 2, 4, 16
MSS, WSCALE, SACK = 2, 3, 5
FAR = 1 << 30  # numbers are moved by it: beyond every window
NEAR = 5000  # within the window
LOST = False


class Flow:
    """What the device knows of a connection."""

    def __init__(self):
        self.ours = self.theirs = 0  # segments with data, in either direction
        self.dropped = None  # the number of the segment that was lost last
        self.told = False


class Packet:
    def __init__(self, raw):
        self.v6 = raw[0] >> 4 == 6
        at = 40 if self.v6 else (raw[0] & 15) * 4
        self.head, self.tcp = raw[:at], bytearray(raw[at:])
        self.source, self.target = (raw[8:24], raw[24:40]) if self.v6 else (raw[12:16], raw[16:20])
        self.ports = struct.unpack("!HH", self.tcp[:4])

    def whole(self):
        self.tcp[16:18] = b"\0\0"
        return bytes(self.head) + packets.tcp(self.source, self.target, bytes(self.tcp))

    @property
    def flags(self):
        return self.tcp[13]

    @property
    def length(self):
        return len(self.tcp) - (self.tcp[12] >> 4) * 4

    def number(self, at):
        return struct.unpack("!I", self.tcp[at:at + 4])[0]

    def add(self, at, by):
        self.tcp[at:at + 4] = struct.pack("!I", (self.number(at) + by) & 0xFFFFFFFF)

    def option(self, kind):
        """Where the option is, or None."""
        at, end = 20, (self.tcp[12] >> 4) * 4
        while at < end and self.tcp[at]:
            if self.tcp[at] == kind:
                return at
            at += 1 if self.tcp[at] == 1 else max(2, self.tcp[at + 1])
        return None


# Each way gets a packet and whether it is ours, of the client. It changes the packet, and returns LOST
# where it does not pass, or the seconds that it is held back.


def nothing(_flow, _packet, _ours):
    pass


def loses_one(flow, packet, ours):
    """The fourth segment of ours with data."""
    return LOST if ours and packet.length and flow.ours == 4 else None


def loses(flow, packet, ours):
    """Some of our segments with data, and none of what is sent for them."""
    if ours and packet.length and flow.ours % 10 == 4 and (flow.dropped is None or packet.number(4) > flow.dropped):
        flow.dropped = packet.number(4)
        return LOST
    return None


def renumber(packet, ours, sacks):
    """Our numbers are others at the server, as with sequence number randomization."""
    if ours:
        packet.add(4, FAR)
    elif packet.flags & ACK:
        packet.add(8, -FAR)
        at = packet.option(SACK)
        for block in range(at + 2, at + packet.tcp[at + 1], 4) if at and sacks else ():
            packet.add(block, -FAR)


def renumbers(flow, packet, ours):
    lost = loses_one(flow, packet, ours)
    renumber(packet, ours, True)
    return lost


def forgets_sacks(flow, packet, ours):
    lost = loses_one(flow, packet, ours)
    renumber(packet, ours, False)
    return lost


def acks_moved(_flow, packet, ours):
    """After the handshake, the server's acknowledgements are of bytes that we never sent."""
    if not ours and not packet.flags & (SYN | RST):
        packet.add(8, FAR)


def data_moved(_flow, packet, ours):
    """After the handshake, the server's numbers are others, and our acknowledgements stay as they are."""
    if not ours and not packet.flags & (SYN | RST):
        packet.add(4, NEAR)


def lowers_scale(_flow, packet, ours):
    at = packet.option(WSCALE)
    if at and not ours:
        packet.tcp[at + 2] = 0


def removes_scale(_flow, packet, ours):
    at = packet.option(WSCALE)
    if at and not ours:
        packet.tcp[at:at + 3] = b"\1\1\1"


def removes_our_scale(_flow, packet, ours):
    """Then the server does not scale either, and both know it."""
    at = packet.option(WSCALE)
    if at and ours:
        packet.tcp[at:at + 3] = b"\1\1\1"


def clamp(packet):
    at = packet.option(MSS)
    if at:
        packet.tcp[at + 2:at + 4] = struct.pack("!H", 1000)


def clamps_ours(_flow, packet, ours):
    if ours:
        clamp(packet)


def clamps_theirs(_flow, packet, ours):
    if not ours:
        clamp(packet)


def overtakes(flow, packet, ours):
    return 0.008 if not ours and packet.length and flow.theirs % 20 == 5 else None


def delays(_flow, _packet, ours):
    return None if ours else 0.008


def quoted(packet, by):
    """An ICMP error of a router behind this device: the host cannot be reached. It quotes our segment."""
    quote = Packet(packet.whole())
    quote.add(4, by)
    quote = quote.whole()
    if packet.v6:
        error = struct.pack("!BBHI", 1, 3, 0, 0) + quote
        pseudo = packet.target + packet.source + struct.pack("!II", len(error), 58)
        error = error[:2] + struct.pack("!H", packets.checksum(pseudo + error)) + error[4:]
        return struct.pack("!IHBB", 6 << 28, len(error), 58, 64) + packet.target + packet.source + error
    error = struct.pack("!BBHI", 3, 1, 0, 0) + quote[:48]
    error = error[:2] + struct.pack("!H", packets.checksum(error)) + error[4:]
    return packets.ipv4(packet.target, packet.source, error, protocol=1)


def quotes(flow, packet, ours, by=0):
    if ours and packet.length and not flow.told:
        flow.told = True
        os.write(near, quoted(packet, by))


def misquotes(flow, packet, ours):
    quotes(flow, packet, ours, FAR)


def rejects(_flow, packet, ours):
    """A router behind this device rejects all that comes after the handshake."""
    if ours and packet.length:
        os.write(near, quoted(packet, 0))
        return LOST
    return None


def large_lost(_flow, packet, ours):
    return LOST if not ours and packet.length > 600 else None


def large_lost_once(flow, packet, ours):
    return LOST if large_lost(flow, packet, ours) is LOST and flow.theirs <= 2 else None


WAYS = dict(enumerate((nothing, loses_one, loses, renumbers, forgets_sacks, acks_moved, data_moved,
                       lowers_scale, removes_scale, removes_our_scale, clamps_ours, clamps_theirs, overtakes,
                       delays, quotes, misquotes, rejects, large_lost, large_lost_once), 7000))


flows = {}


def pass_on(raw, ours):
    """The packet as it goes on, and how long it is held back; nothing where it is lost."""
    if (raw[6] if raw[0] >> 4 == 6 else raw[9]) != 6:
        return [(raw, 0)]
    packet = Packet(raw)
    client, server = packet.ports if ours else packet.ports[::-1]
    if server not in WAYS:
        return [(raw, 0)]
    flow = flows.setdefault((packet.v6, client, server), Flow())
    if packet.length:
        if ours:
            flow.ours += 1
        else:
            flow.theirs += 1
    held = WAYS[server](flow, packet, ours)
    return [] if held is LOST else [(packet.whole(), held or 0)]


near = two_tuns.tun(b"tun0")
two_tuns.forward(near, two_tuns.tun_of(sys.argv[1]), pass_on)
