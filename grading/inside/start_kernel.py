"""The first thing that runs in the sandbox: sets limits, lays out the submission's files and starts IPython's kernel.

Its settings come from a warm parent, or without a sandbox as JSON: `python start_kernel.py SETTINGS`.
path: folders to import from. connection_file, broker: for the kernel and for checks. files: folder of the submission.
work: the folder that the notebook runs in. room: bytes for copies of files in it. limits: of the `resource` module, by
name, in its units. seccomp: a filter of system calls in hexadecimal, for the time after the kernel's start, or "".
"""

import ctypes
import json
import os
import resource
import selectors
import shutil
import socket
import struct
import sys


def _lay_out(files: str, work: str, room: int) -> None:
    """Copy the submission's files, so that a notebook can change them.

    What goes beyond `room` can be read, through a link.
    """
    os.makedirs(work, exist_ok=True)
    for folder, _, names in os.walk(files):
        target = os.path.join(work, os.path.relpath(folder, files))
        os.makedirs(target, exist_ok=True)
        for name in names:
            path, copy = os.path.join(folder, name), os.path.join(target, name)
            size = os.path.getsize(path)
            if size > room:
                os.symlink(path, copy)
            else:
                shutil.copyfile(path, copy)
                room -= size


def initialize(connection_file: str, *options: str):
    """IPython's kernel, ready to start."""
    from ipykernel.kernelapp import IPKernelApp

    sys.argv[1:] = ["-f", connection_file, "--HistoryManager.hist_file=:memory:", *options]
    sys.argv += ["--IPKernelApp.outstream_class=cut_stream.CutStream"]
    # For large messages that are not copied PyZMQ would start threads, which after `_filter_calls` is too late.
    sys.argv += [f"--Session.copy_threshold={sys.maxsize}"]
    app = IPKernelApp.instance()
    app.initialize()
    return app


def _filter_calls(program: bytes) -> None:
    """Have Linux filter the system calls of all threads by one program more. Raises OSError."""
    # From Linux' headers: the call seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC and struct sock_fprog.
    number = {"x86_64": 317, "aarch64": 277}[os.uname().machine]
    steps = ctypes.create_string_buffer(program, len(program))
    wanted = ctypes.create_string_buffer(struct.pack("HP", len(program) // 8, ctypes.addressof(steps)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(ctypes.c_long(number), ctypes.c_ulong(1), ctypes.c_ulong(1), wanted):
        raise OSError(ctypes.get_errno(), "the kernel's system calls cannot be filtered")


def _stay(restart: bool = False) -> dict:
    print("The kernel cannot be ended or restarted from a cell while a notebook is graded.")
    return {"status": "ok", "restart": restart}


def _no_answer(prompt: str = "") -> str:
    print(f"{prompt}(nobody answers while a notebook is graded)")
    return ""


def start(settings: dict) -> None:
    """Start the kernel; returns when it ends. settings: see above, all but `path`."""
    for name, value in settings["limits"].items():
        # The hard limit as well, so that it cannot be raised again.
        resource.setrlimit(getattr(resource, name), (value, value))
    import numpy

    import autograde_tests

    # All that are forked from one parent would draw the same numbers.
    numpy.random.seed()
    autograde_tests.BROKER = settings["broker"]
    # What Linux allows of epoll is for all processes of a person together, and libzmq aborts a grader that gets none.
    selectors.DefaultSelector = selectors.PollSelector
    app = initialize(settings["connection_file"])
    if settings["seccomp"]:
        _filter_calls(bytes.fromhex(settings["seccomp"]))
    # Left in at the end of a function's cell, it would cost the function.
    app.shell.ask_exit = app.kernel.do_shutdown = _stay
    app.kernel.raw_input = _no_answer
    # The usual one takes a terminal, and there is none.
    app.shell.system = app.shell.system_raw
    # The broker serves once there is a submission; this may have been started before. Whoever grades may also have been
    # killed before bubblewrap could notice; then there is nobody to end this, and nobody answers.
    with socket.socket(socket.AF_UNIX) as broker:
        broker.connect(settings["broker"])
        if not broker.recv(1):
            return
    _lay_out(settings["files"], settings["work"], settings["room"])
    os.chdir(settings["work"])
    # The submission's folder comes last: a numpy.py in it is not NumPy. And it comes late: the kernel itself looks for
    # modules that need not be there.
    sys.path.append(settings["work"])
    app.start()


def main() -> None:
    """Start a kernel that no warm parent has forked, without a sandbox."""
    settings = json.loads(sys.argv[1])
    sys.path[:] = [*settings["path"], *(one for one in sys.path if one)]
    start(settings)


if __name__ == "__main__":
    main()
