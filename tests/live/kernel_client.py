#!/usr/bin/env python3
"""Clients of the kernel's TCP for the live tests: kernel_client.py ADDR PORT HABIT [ARGUMENT...]

  echo N SIZE   N connections at the same time send SIZE bytes each, all different, close their side,
                and read what comes back: "N of N came back" when each got its own, byte for byte
  read          reads all there is: "5 bytes, then end of file" or "..., then reset"; then closes
  say SIZE      sends SIZE bytes, and then does the same as read
  hold          connects, says "connected", and stays until a signal ends it
  crowd N       the same with N connections
  reset         connects, and closes with RST
  keep          the same as hold, with the kernel's keepalive each second
  many N        connects N times, says so, and stays
  silent        reads what comes first, sends a byte a moment later, says "sent", and stays
"""

import random
import select
import socket
import struct
import sys
import threading
import time

ADDR, PORT = sys.argv[1], int(sys.argv[2])


def call():
    return socket.create_connection((ADDR, PORT), timeout=60)


def fill(conn, data):
    conn.sendall(data)
    conn.shutdown(socket.SHUT_WR)


def echo_one(number, size, good, gate):
    data = random.Random(number).randbytes(size)
    got = bytearray()
    with call() as conn:
        gate.wait()  # all are connected before the first one goes on
        sender = threading.Thread(target=fill, args=(conn, data), daemon=True)
        sender.start()
        while part := conn.recv(65536):
            got += part
        sender.join()
    if got == data:
        good.append(number)


def echo(count, size):
    good, gate = [], threading.Barrier(int(count))
    threads = [
        threading.Thread(target=echo_one, args=(n, int(size), good, gate), daemon=True)
        for n in range(int(count))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{len(good)} of {count} came back", flush=True)


def send_all(conn, size):
    try:
        conn.sendall(bytes(size))
    except OSError:
        pass  # the reader tells how it ended


def read(size=0):
    total, end = 0, "end of file"
    try:
        with call() as conn:
            if size:  # a second thread could be told of the reset in this one's stead
                threading.Thread(target=send_all, args=(conn, int(size)), daemon=True).start()
            while part := conn.recv(65536):
                total += len(part)
    except ConnectionResetError:
        end = "reset"
    print(f"{total} bytes, then {end}", flush=True)


def stay(conn):
    print("connected", flush=True)
    select.select([], [], [], 3600)
    conn.close()


def hold():
    stay(call())


def crowd(count):
    others = [call() for _ in range(int(count) - 1)]
    stay(call())
    del others


def reset():
    with call() as conn:
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def keep():
    conn = call()
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    stay(conn)


def many(n):
    conns = [call() for _ in range(int(n))]
    print(len(conns), "open", flush=True)
    select.select([], [], [], 3600)


def silent():
    conn = call()
    conn.recv(65536)
    time.sleep(0.3)  # the acknowledgement of what came is there before the byte
    conn.sendall(b"x")
    print("sent", flush=True)
    select.select([], [], [], 3600)


HABITS = {f.__name__: f for f in (echo, read, hold, crowd, reset, keep, many, silent)} | {"say": read}
HABITS[sys.argv[3]](*sys.argv[4:])
