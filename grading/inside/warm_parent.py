"""A process that has imported what every notebook imports, and forks kernels from itself into waiting sandboxes.

Started as `python -s -P warm_parent.py SOCKET PATH MODULES`: the number of the socket it is asked on, and as JSON the
folders to import from and what to import. With each request comes a socket for its answer. It never runs a
submission's code; its children do, once they have entered namespaces of their own and have given up all rights.
"""

import ctypes
import fcntl
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)

# From Linux' headers: linux/nsfs.h, linux/prctl.h, linux/capability.h, linux/mount.h.
_PARENT_NAMESPACE = 0xB702
_DEATH_SIGNAL, _SET_DUMPABLE, _SET_NAME, _SET_SECCOMP = 1, 4, 15, 22
_DROP_BOUNDING, _NO_NEW_PRIVILEGES, _AMBIENT = 24, 38, 47
_FILTER, _CLEAR_ALL = 2, 4
_CAPABILITIES_VERSION = 0x20080522
# MS_REMOUNT, MS_BIND and MS_RDONLY; what statvfs calls by the same numbers; and the one flag that it does not.
_REMOUNT, _SAME_IN_BOTH, _RELATIME = 32 | 4096 | 1, 2 | 4 | 8 | 16 | 1024 | 2048, 1 << 21


SAID = 1000
"""Bytes of what it says to whoever asks it."""


class _Program(ctypes.Structure):
    """`struct sock_fprog`: how many instructions of eight bytes, and where."""

    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def main() -> None:
    """Fork a kernel for each request until the other side is gone."""
    asked = socket.socket(fileno=int(sys.argv[1]))
    # Also where it hangs in an import, and would not see that nobody can ask any more.
    _call(_LIBC.prctl, _DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    # Whoever has started it may have ended before.
    look = select.poll()
    look.register(asked, 0)
    if look.poll(0):
        return
    sys.path[:] = [*json.loads(sys.argv[2]), *(one for one in sys.path if one)]
    # What is imported stays.
    gc.disable()
    try:
        kernel = _prepare()
        import_all(json.loads(sys.argv[3]))
        kernel.take_an_error_apart()
    except Exception as error:
        _, (answer, *_), _, _ = socket.recv_fds(asked, 1 << 20, 4)
        os.write(answer, f"{type(error).__name__}: {error}".encode()[:SAID])
        raise
    # A child whose collector looked at all of this would get a copy of every page it lies on.
    gc.collect()
    gc.freeze()
    gc.enable()
    # Nobody waits for the children: those who asked see the end of their sandbox.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, files, _, _ = socket.recv_fds(asked, 1 << 20, 4)
        if not message:
            return
        request, (answer, *handed) = json.loads(message), files
        said = "0"
        if request:
            try:
                child = os.fork()
            except OSError as error:
                # It has others to answer.
                said = str(error)
            else:
                if not child:
                    asked.close()
                    os.close(answer)
                    _attend(kernel, request, *handed)
                said = str(child)
        # Whoever asked may be gone.
        with suppress(OSError):
            os.write(answer, said.encode())
        for file in files:
            os.close(file)


def _prepare():
    """The kernel that all are forks of."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["IPYTHONDIR"] = folder
        import start_kernel

        return start_kernel.prepare()


def import_all(modules: list[str]) -> None:
    """Import modules; those that have a function `prepare` make what notebooks ask of them."""
    for name in modules:
        getattr(importlib.import_module(name), "prepare", lambda: None)()


def _attend(kernel, request: dict, lifeline: int, program: int, channel: int) -> None:
    """Run a kernel in the sandbox whose first process is `request["sandbox"]`, and tell `lifeline` how it ended."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        seccomp = Path(f"/proc/self/fd/{program}").read_bytes()
        os.close(program)
        _enter(request["sandbox"])
        # A process is in another namespace of processes only once it has been forked there.
        child = os.fork()
        if not child:
            # A signal to its own group is not to reach who waits for it.
            os.setsid()
            os.dup2(channel, 3, inheritable=False)
            os.closerange(4, 1 << 16)
            _give_up_rights(seccomp)
            # Matplotlib and Keras have read them; one says where the course lies.
            for name in ("MPLCONFIGDIR", "KERAS_HOME"):
                os.environ.pop(name, None)
            import start_kernel

            start_kernel.start(request["settings"] | {"channel": 3}, kernel)
            os._exit(0)
        # Whoever grades is to notice when the kernel no longer has it.
        os.close(channel)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        with suppress(OSError):
            os.write(lifeline, f"{code if code >= 0 else 128 - code}\n".encode())
        os._exit(0)


def _enter(process: int) -> None:
    """Enter all namespaces of a process that bubblewrap has started. Raises OSError."""

    def namespace(kind: str) -> int:
        return os.open(f"/proc/{process}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)

    def enter(one: int) -> None:
        _call(_LIBC.setns, one, 0)
        os.close(one)

    user = namespace("user")
    others = [namespace(kind) for kind in ("mnt", "pid", "net", "ipc", "uts", "cgroup")]
    outer = fcntl.ioctl(user, _PARENT_NAMESPACE)
    # bubblewrap forbids more namespaces by a second one of users in the first, to which all the others belong.
    users = [user] if os.fstat(outer).st_ino == os.stat("/proc/self/ns/user").st_ino else [outer, user]
    for one in (users[0], *others):
        enter(one)
    # Between the two: the mounts belong to the outer users.
    _keep_devices()
    for one in users[1:]:
        enter(one)


def _keep_devices() -> None:
    """Let nobody in here change the machine's device files, which are root's own where root grades. Raises OSError.

    To write to a device is no change of its file. bubblewrap, told to make one read-only, would make it no device.
    """
    for device in Path("/dev").iterdir():
        if device.is_char_device() and not device.is_symlink():
            kept = os.statvfs(device).f_flag
            flags = _REMOUNT | kept & _SAME_IN_BOTH | (_RELATIME if kept & os.ST_RELATIME else 0)
            _call(_LIBC.mount, None, bytes(device), None, ctypes.c_ulong(flags), None)


def _give_up_rights(seccomp: bytes) -> None:
    """Leave this process no capability, no way to one, and only the system calls of a filter. Raises OSError."""
    null = os.open("/dev/null", os.O_RDWR)
    for standard in range(3):
        os.dup2(null, standard)
    os.close(null)
    _call(_LIBC.prctl, _AMBIENT, _CLEAR_ALL, 0, 0, 0)
    # As many as Linux has: the first that it does not know ends it.
    for capability in range(64):
        if _LIBC.prctl(_DROP_BOUNDING, capability, 0, 0, 0):
            break
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    _call(_LIBC.capset, header, (ctypes.c_uint32 * 6)())
    _call(_LIBC.prctl, _NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if seccomp:
        _call(_LIBC.prctl, _SET_SECCOMP, _FILTER, ctypes.byref(_Program(len(seccomp) // 8, seccomp)), 0, 0)
    # As after an exec: a process may look at itself under /proc.
    _call(_LIBC.prctl, _SET_DUMPABLE, 1, 0, 0, 0)
    _call(_LIBC.prctl, _SET_NAME, b"kernel", 0, 0, 0)


def _call(function, *arguments) -> None:
    if function(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{function.__name__}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
