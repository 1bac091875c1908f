"""A transparent proxy on a router: transparent_proxy.py FAMILY PORT MODE HOW

HOW is tproxy or redirect, by which nftables hands connections to it. MODE is relay, which connects to
where the client wanted to, and closes if that fails; fin or rst, as if no backend were there; or hold.
"""
import socket
import struct
import sys
import threading

IP_TRANSPARENT, IPV6_TRANSPARENT, SO_ORIGINAL_DST = 19, 75, 80
family = socket.AF_INET6 if sys.argv[1] == "6" else socket.AF_INET
port, mode, how = int(sys.argv[2]), sys.argv[3], sys.argv[4]
held = []


def target(client):
    """Returns the address and port that the client connected to."""
    if how == "tproxy":
        return client.getsockname()[:2]
    if family == socket.AF_INET6:
        name = client.getsockopt(socket.IPPROTO_IPV6, SO_ORIGINAL_DST, 28)
        return socket.inet_ntop(family, name[8:24]), struct.unpack(">H", name[2:4])[0]
    name = client.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, 16)
    return socket.inet_ntoa(name[4:8]), struct.unpack(">H", name[2:4])[0]


def pump(source, sink):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        sink.close()


def serve(client):
    if mode == "hold":
        held.append(client)
        return
    if mode == "rst":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    try:
        if mode != "relay":
            raise OSError("no backend")
        backend = socket.create_connection(target(client), 3)
    except OSError:
        client.close()
        return
    threading.Thread(target=pump, args=(backend, client), daemon=True).start()
    pump(client, backend)


listener = socket.socket(family)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if how == "tproxy" and family == socket.AF_INET6:
    listener.setsockopt(socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
elif how == "tproxy":
    listener.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
listener.bind(("", port))
listener.listen(512)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
