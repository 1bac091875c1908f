#!/usr/bin/env python3
"""A server for load tests that counts: counter.py PORT HABIT [BACKLOG]

Listens on every IPv4 and IPv6 address, and does the same with every connection:

  discard    reads to the end, then closes
  echo       sends back what it gets, and closes after the other side
  close      closes immediately, and so first
  reset      waits for a byte, then resets
  hold       neither reads nor closes
  deaf       never accepts: connections stay in a queue of BACKLOG

On SIGTERM it prints how many connections it accepted, how many ended with the other side's FIN, how
many with an error, and how many bytes came.
"""

import selectors
import signal
import socket
import struct
import sys

port, habit = int(sys.argv[1]), sys.argv[2]
backlog = int(sys.argv[3]) if len(sys.argv) > 3 else 4096
count = {"accepted": 0, "finished": 0, "errors": 0, "bytes": 0}
held = []


def stop(*_):
    print(*(f"{name}={n}" for name, n in count.items()), flush=True)
    sys.exit(0)


def serve(conn, ready):
    data = conn.recv(65536)
    count["bytes"] += len(data)
    if not data:
        count["finished"] += 1
    elif habit == "echo":
        conn.sendall(data)
    elif habit == "reset":
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        data = b""
    if not data:
        ready.unregister(conn)
        conn.close()


def accept(server, ready):
    while True:
        try:
            conn, _ = server.accept()
        except BlockingIOError:
            return
        count["accepted"] += 1
        if habit == "close":
            conn.close()
        elif habit == "hold":
            held.append(conn)
        else:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(conn, selectors.EVENT_READ)


def main():
    signal.signal(signal.SIGTERM, stop)
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=backlog) as server:
        server.setblocking(False)
        ready = selectors.DefaultSelector()
        while habit == "deaf":
            signal.pause()
        ready.register(server, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                if key.fileobj is server:
                    accept(server, ready)
                    continue
                try:
                    serve(key.fileobj, ready)
                except OSError:
                    count["errors"] += 1
                    ready.unregister(key.fileobj)
                    key.fileobj.close()


main()
