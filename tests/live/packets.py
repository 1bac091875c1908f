"""TCP and IPv4 headers, for the peers here that write their packets themselves."""

import struct


def checksum(data):
    """The Internet checksum, RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def tcp(source, target, segment, wrong=0):
    """The segment with its checksum filled in; the bits of `wrong` are wrong in it. The addresses may be
    of either family: the numbers of IPv6's pseudo-header are wider, and their sum is the same."""
    pseudo = source + target + struct.pack("!HH", 6, len(segment) & 0xFFFF)
    return segment[:16] + struct.pack("!H", checksum(pseudo + segment) ^ wrong) + segment[18:]


def ipv4(source, target, payload, ident=1, fragment=0, protocol=6, options=b"", length=None):
    """The payload behind a header; `fragment` has the flags, too, and `length` is true where it is None."""
    length = 20 + len(options) + len(payload) if length is None else length
    head = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, length, ident, fragment, 64, protocol, 0,
                       source, target) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload
