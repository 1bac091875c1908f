#!/usr/bin/env python3
"""Both ends of the connections that read.sh captures.

    read_peer.py server PORT            does what the first byte of a connection says:
                                        k  nothing     f  FIN, and then nothing
                                        c  close       r  RST
                                        s  sends 200,000 bytes when the client's FIN has come, and closes
                                        z  reads nothing for two seconds, and then all
    read_peer.py states ADDRESS PORT FIRST_PORT FIFO
                                        leaves connections in as many states as there are, from
                                        FIRST_PORT on, says "ready", and keeps them until FIFO is opened
    read_peer.py bulk ADDRESS PORT COUNT BYTES
                                        COUNT transfers, one after the other
    read_peer.py slow ADDRESS PORT BYTES
                                        one to a server that reads nothing for a while
"""

import os
import socket
import struct
import sys
import threading
import time


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def answer(connection, kept):
    order = connection.recv(1)
    kept.append(connection)
    if order == b"f":
        connection.shutdown(socket.SHUT_WR)
    elif order == b"c":
        connection.close()
    elif order == b"r":
        reset(connection)
    elif order in b"sz":
        time.sleep(2 if order == b"z" else 0)
        while connection.recv(65536):
            pass
        connection.sendall(bytes(200000) if order == b"s" else b"done")
        connection.close()


def server(port):
    kept = []
    with socket.create_server(
        ("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=100
    ) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=answer, args=(connection, kept), daemon=True).start()


def connect(address, port, source=0, order=None):
    connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    connection.bind(("", source))
    connection.connect((address, port))
    if order:
        connection.sendall(order)
        time.sleep(0.2)
    return connection


def states(address, port, first, fifo):
    kept = [connect(address, port, first, b"k"), connect(address, port, first + 1, b"f")]
    kept.append(connect(address, port, first + 2, b"k"))
    kept[-1].shutdown(socket.SHUT_WR)
    connect(address, port, first + 3, b"c").close()  # the server first
    connection = connect(address, port, first + 4, b"k")
    connection.shutdown(socket.SHUT_WR)
    kept.append(connection)
    connect(address, port, first + 5, b"r")
    reset(connect(address, port, first + 6, b"k"))
    try:
        connect(address, port + 1, first + 7)
    except ConnectionRefusedError:
        pass
    silent = socket.socket()
    silent.bind(("", first + 8))
    silent.setblocking(False)
    silent.connect_ex((address, port + 2))  # a firewall drops it
    time.sleep(0.3)
    print("ready", flush=True)
    with open(fifo):
        pass
    os._exit(0)


def bulk(address, port, count, size):
    for _ in range(count):
        connection = connect(address, port)
        connection.sendall(b"s" + bytes(size - 1))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
        connection.close()


def slow(address, port, size):
    connection = connect(address, port)
    connection.sendall(b"z" + bytes(size - 1))
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65536):
        pass
    connection.close()


def main():
    what, *words = sys.argv[1:]
    if what == "server":
        server(int(words[0]))
    elif what == "states":
        states(words[0], int(words[1]), int(words[2]), words[3])
    elif what == "bulk":
        bulk(words[0], *(int(word) for word in words[1:]))
    else:
        slow(words[0], *(int(word) for word in words[1:]))


main()
