#!/usr/bin/env python3
"""A peer with one habit, for the live tests: peer.py PORT[-LAST] HABIT

Listens on that port, or on all up to LAST, of every IPv4 and IPv6 address and treats each connection in
turn in the same way:

  echo       sends back what it gets, closes after the other side
  discard    reads to the end, then closes
  answer     reads to the end of input, then sends 100,000 bytes, then closes
  large      sends 8,000,000 bytes and closes, reads on until the other side closes
  first      sends a line and closes immediately, reads on until the other side closes
  reset      waits for a byte, then resets (SO_LINGER of zero)
  hold       neither reads nor closes
  stay       reads to the end of input and never closes
  sort       reads to the end of input, then sends its lines back in order, then closes
  slow       reads to the end of input, then sends a few lines with pauses between them, then closes
  probe      probes the other side after a second of silence, then every second; never closes
  urgent     waits for urgent data (MSG_OOB), prints it, then resets
  leave      closes immediately
  tire       resets after two seconds of silence
  close      closes after two seconds of silence
  cut        reads to the end of input, sends a line, and resets once that was acknowledged
  late       has room for one connection that is not accepted, accepts from the sixth second on, and
             does as stay
  never      the same, and accepts none
"""

import fcntl
import select
import socket
import struct
import sys
import termios
import threading
import time


def rest(conn):
    while conn.recv(65536):
        pass


def echo(conn):
    while data := conn.recv(65536):
        conn.sendall(data)


def answer(conn):
    rest(conn)
    conn.sendall(bytes(i & 255 for i in range(100000)))


def large(conn):
    conn.sendall(bytes(i & 255 for i in range(250)) * 32000)
    conn.shutdown(socket.SHUT_WR)
    rest(conn)


def first(conn):
    conn.sendall(b"bye\n")
    conn.shutdown(socket.SHUT_WR)
    rest(conn)


def reset(conn):
    conn.recv(1)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def urgent(conn):
    select.select([], [], [conn])
    print("urgent", conn.recv(1, socket.MSG_OOB).decode(), flush=True)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hold(_):
    time.sleep(3600)


def stay(conn):
    rest(conn)
    time.sleep(3600)


def sort(conn):
    lines = b""
    while data := conn.recv(65536):
        lines += data
    conn.sendall(b"".join(sorted(lines.splitlines(keepends=True))))


def slow(conn):
    rest(conn)
    for i in range(5):
        time.sleep(0.1)
        conn.sendall(b"line %d\n" % i)


def probe(conn):
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    time.sleep(3600)


def outstanding(conn):
    return struct.unpack("i", fcntl.ioctl(conn, termios.TIOCOUTQ, b"\0" * 4))[0]


def cut(conn):
    rest(conn)
    conn.sendall(b"one line\n")
    while outstanding(conn):
        time.sleep(0.01)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def leave(_):
    pass


def tire(conn):
    conn.settimeout(2)
    try:
        rest(conn)
    except TimeoutError:
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def close(conn):
    conn.settimeout(2)
    try:
        rest(conn)
    except TimeoutError:
        pass


HABITS = {f.__name__: f for f in (echo, answer, large, first, reset, urgent, hold, stay, sort, slow, probe, leave, tire, close, cut)}
HABITS.update(discard=rest, late=stay, never=stay)
BACKLOG = {"late": 1, "never": 1}
ACCEPTS_AFTER = {"late": 6, "never": 3600}  # seconds


def treat(habit, conn):
    with conn:
        try:
            habit(conn)
        except OSError as error:
            print(error, flush=True)


def serve(port, name):
    habit = HABITS[name]
    with socket.create_server(
        ("::", port), family=socket.AF_INET6, backlog=BACKLOG.get(name), dualstack_ipv6=True
    ) as server:
        time.sleep(ACCEPTS_AFTER.get(name, 0))
        while True:
            conn, _ = server.accept()
            threading.Thread(target=treat, args=(habit, conn), daemon=True).start()


def main():
    first, _, last = sys.argv[1].partition("-")
    for port in range(int(first) + 1, int(last or first) + 1):
        threading.Thread(target=serve, args=(port, sys.argv[2]), daemon=True).start()
    serve(int(first), sys.argv[2])


main()
