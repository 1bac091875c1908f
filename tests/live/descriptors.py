#!/usr/bin/env python3
"""Lists the descriptors of a process in the words of tcpwave(1): descriptors.py PID

Prints one line for each descriptor, in alphabetical order. The three standard streams share one
line, and files are printed with their paths. A descriptor that the manual does not list is called
"stray". Exits with 77 and a reason where the kernel does not let us inspect the sockets of the
process.
"""

import ctypes
import os
import socket
import sys

PIDFD_OPEN, PIDFD_GETFD = 434, 438
PID = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)


def system(number, *arguments):
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) for a in arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def socket_kind(fd):
    s = socket.socket(fileno=system(PIDFD_GETFD, process, fd, 0))
    if s.family == socket.AF_PACKET:
        return "packet socket"
    if s.family == socket.AF_NETLINK:
        return "netlink socket" if s.proto == 0 else "stray netlink socket"
    if s.family in (socket.AF_INET, socket.AF_INET6):
        if s.type == socket.SOCK_RAW:
            return "raw socket"
        if s.type == socket.SOCK_STREAM and s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return "guard"
    return f"stray socket {s}"


def is_standard(fd, link):
    """A standard stream that was opened a second time: to be written to, without waiting."""
    if link not in (os.readlink(f"/proc/{PID}/fd/{standard}") for standard in (1, 2)):
        return False
    with open(f"/proc/{PID}/fdinfo/{fd}", encoding="ascii") as info:
        flags = next(int(line.split()[1], 8) for line in info if line.startswith("flags:"))
    return flags & os.O_ACCMODE == os.O_WRONLY and flags & os.O_NONBLOCK


def kind(fd):
    link = os.readlink(f"/proc/{PID}/fd/{fd}")
    if is_standard(fd, link):
        return "standard stream"
    if link.startswith("socket:"):
        return socket_kind(fd)
    if link == "anon_inode:[signalfd]":
        return "signals"
    if link.startswith("/"):
        with open(f"/proc/{PID}/fdinfo/{fd}", encoding="ascii") as info:
            flags = next(int(line.split()[1], 8) for line in info if line.startswith("flags:"))
        return {os.O_RDONLY: "file to read ", os.O_WRONLY: "file to write "}.get(
            flags & os.O_ACCMODE, "stray file ") + link
    return f"stray {link}"


try:
    process = system(PIDFD_OPEN, PID, 0)
    fds = sorted(int(fd) for fd in os.listdir(f"/proc/{PID}/fd"))
    kinds = [kind(fd) for fd in fds if fd > 2]
except OSError as error:
    print(f"descriptors of a process cannot be looked at here: {error}")
    sys.exit(77)
if fds[:3] == [0, 1, 2]:
    kinds.append("standard streams")
print("\n".join(sorted(kinds)))
