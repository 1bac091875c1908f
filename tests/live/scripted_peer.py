#!/usr/bin/env python3
"""A peer that follows instructions, for the live tests: scripted_peer.py PORT FIFO [defer]

Listens on every IPv4 and IPv6 address, and reads all that comes. It carries out the lines that are
written to FIFO, on the connection from port FROM, once there is one:

  send FROM TEXT   sends the text
  urgent FROM TEXT sends the text, with its last byte as urgent data (MSG_OOB)
  fin FROM         shuts its own side down, and reads on
  close FROM       closes the socket for good
  reset FROM       resets (SO_LINGER of zero)

With `defer`, connections are accepted only once they have sent something (TCP_DEFER_ACCEPT).
"""

import os
import socket
import struct
import sys
import threading

known = {}
accepted = threading.Condition()


def rest(conn):
    try:
        while conn.recv(65536):
            pass
    except OSError:
        pass  # closed or reset, by one side or the other


def accept(server):
    while True:
        conn, address = server.accept()
        threading.Thread(target=rest, args=(conn,), daemon=True).start()
        with accepted:
            known[address[1]] = conn
            accepted.notify()


def close(conn):
    conn.shutdown(socket.SHUT_RD)  # wakes the reader, who would keep the socket open
    conn.close()


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    close(conn)


def obey(line):
    order, port, *text = line.split(" ")
    with accepted:
        if not accepted.wait_for(lambda: int(port) in known, 10):
            raise TimeoutError(f"no connection from port {port}")
        conn = known[int(port)]
    if order == "send":
        conn.sendall(" ".join(text).encode())
    elif order == "urgent":
        conn.send(" ".join(text).encode(), socket.MSG_OOB)
    elif order == "fin":
        conn.shutdown(socket.SHUT_WR)
    else:
        {"close": close, "reset": reset}[order](conn)


def main():
    port, fifo = int(sys.argv[1]), sys.argv[2]
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        if sys.argv[3:] == ["defer"]:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 60)
        threading.Thread(target=accept, args=(server,), daemon=True).start()
        # Open for writing, too, so that no writer's leaving ends it.
        with open(os.open(fifo, os.O_RDWR), encoding="ascii") as orders:
            for line in orders:
                try:
                    obey(line.rstrip("\n"))
                except OSError as error:
                    print(line, error, flush=True)


main()
