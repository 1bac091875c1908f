#!/usr/bin/env python3
"""The kernel's end of a bulk transfer, for wire.sh: bulk.py PORT source|sink BYTES

Listens, and prints one line for each connection in turn: its megabits a second, as an application
sees them. A source sends BYTES, closes its side, and measures until the other side has closed as
well; a peer that reads to the end and then closes does so when it has everything. A sink measures
from the first byte to the last, because our FIN may come a while later, since it waits for an
answer.
"""

import socket
import sys
import time

CHUNK = 1 << 17


def source(conn, total):
    chunk, left, start = bytes(CHUNK), total, time.monotonic()
    while left:
        left -= conn.send(chunk[: min(left, CHUNK)])
    conn.shutdown(socket.SHUT_WR)
    conn.recv(1)
    return total, time.monotonic() - start


def sink(conn, _):
    buffer, total, start, end = bytearray(CHUNK), 0, 0, 0
    while n := conn.recv_into(buffer):
        end = time.monotonic()
        start = start or end
        total += n
    return total, end - start


def main():
    port, habit, total = int(sys.argv[1]), {"source": source, "sink": sink}[sys.argv[2]], int(sys.argv[3])
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        while True:
            conn, _ = server.accept()
            with conn:
                try:
                    done, seconds = habit(conn, total)
                    print(f"{done * 8 / seconds / 1e6:.0f}" if seconds else 0, flush=True)
                except OSError:
                    print(0, flush=True)


main()
