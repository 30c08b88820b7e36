"""The system calls that a sandbox may not make.

They take memory that belongs to no process, so nobody counts it; reach the keys of the person who grades; take over the
sandbox's first process, with which all others end; let everybody wait who opens a file; take of what Linux counts for
each person, so that the grader runs out of it (files on their way through sockets, files that are watched); or make
sockets of other families than that for files: the network in there is empty, and some know of no namespaces, such as
the one to a virtual machine's host.
"""

import platform
import socket
import struct

# Numbers as in Linux' tables: memfd_create, memfd_secret, shmget, semget, msgget, mq_open, io_uring_setup, add_key,
# request_key and keyctl; ptrace, process_vm_readv, process_vm_writev and pidfd_getfd; sendmsg and sendmmsg; vmsplice,
# userfaultfd, io_setup, flock, fanotify_init, inotify_init1 and inotify_init, which ARM64 has not; listen,
# epoll_create1 and epoll_create, which it has not either.
_CALLS = {
    "x86_64": (
        *(0xC000003E, 319, 447, 29, 64, 68, 240, 425, 248, 249, 250, 101, 310, 311, 438, 46, 307),
        *(278, 323, 206, 73, 300, 294, 253, 50, 291, 213),
    ),
    "aarch64": (
        *(0xC00000B7, 279, 447, 194, 190, 186, 180, 425, 217, 218, 219, 117, 270, 271, 438, 211, 269),
        *(75, 282, 0, 32, 262, 26, 201, 20),
    ),
}
# The call mmap in both, and the flags of memory that is shared and of no file: once nobody maps it, nobody counts it.
_MMAP, _SHARED = {"x86_64": 9, "aarch64": 222}, 0x01 | 0x20
# The call fcntl in both, and what it is not to do: a lease on a file (F_SETLEASE) makes those wait who open it, a watch
# on a folder (F_NOTIFY) tells of them, and of locks on parts of a file (F_SETLK, F_SETLKW and the same of open files)
# there can be any number.
_FCNTL, _REFUSED = {"x86_64": 72, "aarch64": 25}, (1024, 1026, 6, 7, 37, 38)
# The call socket in both. One of the network could be mapped, so that it is there, and watched, without a number.
_SOCKET = {"x86_64": 41, "aarch64": 198}
_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_KILL, _ALLOW = 0x80000000, 0x7FFF0000
_NO_MEMORY, _NOT_THERE, _NO_FAMILY = 0x00050000 | 12, 0x00050000 | 38, 0x00050000 | 97


def program() -> bytes:
    """A filter for bubblewrap's --seccomp; b"" on a machine of another kind.

    A classic BPF program (https://docs.kernel.org/userspace-api/seccomp_filter.html): load the architecture and the
    number of the call, compare, return what is to happen. A denied call fails as if the kernel had none of it (ENOSYS).
    """
    if platform.machine() not in _CALLS:
        return b""
    architecture, *denied = _CALLS[platform.machine()]
    steps = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        # Another numbering of the same calls (x32) has this bit set.
        (_AT_LEAST, 0, 1, 0x40000000),
        (_RETURN, 0, 0, _NOT_THERE),
    ]
    for number in denied:
        steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _NOT_THERE)]
    # The arguments of a call lie behind its number, architecture and place, eight bytes each.
    steps += [(_EQUAL, 0, 5, _MMAP[platform.machine()]), (_LOAD, 0, 0, 40), (_AND, 0, 0, _SHARED)]
    steps += [(_EQUAL, 0, 1, _SHARED), (_RETURN, 0, 0, _NO_MEMORY), (_RETURN, 0, 0, _ALLOW)]
    steps += [(_EQUAL, 0, len(_REFUSED) + 3, _FCNTL[platform.machine()]), (_LOAD, 0, 0, 24)]
    steps += [(_EQUAL, len(_REFUSED) - place, 0, wish) for place, wish in enumerate(_REFUSED)]
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _NOT_THERE)]
    steps += [(_EQUAL, 0, 3, _SOCKET[platform.machine()]), (_LOAD, 0, 0, 16), (_EQUAL, 1, 0, socket.AF_UNIX)]
    steps += [(_RETURN, 0, 0, _NO_FAMILY), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)
