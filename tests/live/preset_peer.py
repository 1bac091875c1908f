#!/usr/bin/env python3
"""The kernel's side of a connection, step by step, for the tests of presets:

    preset_peer.py client ADDR PORT STEP...     calls, and then takes the steps
    preset_peer.py server PORT STEP...          accepts one connection, and then takes them

Each step is told on a line of its own when it is done, with the seconds since the beginning:
"0.003 connected", "0.240 recv: 5 bytes, end of file", "3.1 send: ETIMEDOUT". An error does not end the
steps.

    port=N          a client, as its first step: the source port
    keep=I,N,C      keepalive: idle and interval in seconds, and count
    send=N          sends N bytes
    drip=N          sends a byte N times, 50 ms apart
    recv            reads to the end; recv=N reads N bytes
    oob             reads the urgent byte
    inline          urgent data is read with the rest
    shut            closes its side
    close           closes the socket: with what is unread, as the kernel does
    reset           closes with RST
    sleep=S
"""

import errno
import socket
import struct
import sys
import time

began = time.monotonic()


def say(text):
    print(f"{time.monotonic() - began:.3f} {text}", flush=True)


def receive(conn, wanted):
    total, end = 0, ""
    try:
        while wanted is None or total < wanted:
            part = conn.recv(65536)
            if not part:
                end = ", end of file"
                break
            total += len(part)
    except OSError as e:
        end = ", " + errno.errorcode[e.errno]
    return f"{total} bytes{end}"


def keep(conn, idle, interval, count):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, count)


def drip(conn, count):
    for _ in range(count):
        conn.sendall(b"x")
        time.sleep(0.05)


def step(conn, name, value):
    if name == "keep":
        keep(conn, *map(int, value.split(",")))
    elif name == "send":
        conn.sendall(bytes(range(256)) * (int(value) // 256) + bytes(int(value) % 256))
    elif name == "drip":
        drip(conn, int(value))
    elif name == "recv":
        return receive(conn, int(value) if value else None)
    elif name == "oob":
        return str(len(conn.recv(1, socket.MSG_OOB))) + " bytes"
    elif name == "inline":
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    elif name == "shut":
        conn.shutdown(socket.SHUT_WR)
    elif name == "close":
        conn.close()
    elif name == "reset":
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()
    elif name == "sleep":
        time.sleep(float(value))
    else:
        sys.exit(f"no such step: {name}")
    return "done"


def take(conn, steps):
    for word in steps:
        name, _, value = word.partition("=")
        try:
            say(f"{name}: {step(conn, name, value)}")
        except OSError as e:
            say(f"{name}: {errno.errorcode.get(e.errno, e)}")
    say("over")
    time.sleep(3600)


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def client(address, port, *steps):
    conn = socket.socket(family(address))
    if steps and steps[0].startswith("port="):
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        conn.bind(("", int(steps[0][5:])))
        steps = steps[1:]
    try:
        conn.connect((address, int(port)))
    except OSError as e:
        say(f"connect: {errno.errorcode[e.errno]}")
        sys.exit(1)
    say("connected")
    take(conn, steps)


def server(port, *steps):
    ear = socket.create_server(("", int(port)))
    conn, _ = ear.accept()
    say("accepted")
    take(conn, steps)


{"client": client, "server": server}[sys.argv[1]](*sys.argv[2:])
