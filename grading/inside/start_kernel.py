"""The first thing that runs in the sandbox: sets limits, lays out the submission's files and starts IPython's kernel.

Its settings come from a warm parent, or without a sandbox as JSON: `python start_kernel.py SETTINGS`.
path: folders to import from. channel: number of the socket to whoever grades. broker: the one for checks. files: folder
of the submission. work: the folder that the notebook runs in. room: bytes for copies of files in it. limits: of the
`resource` module, by name, in its units.
"""

import ast
import asyncio
import fcntl
import functools
import json
import logging
import os
import resource
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import threading
import warnings
import zlib
from types import SimpleNamespace

from ipykernel.compiler import XCachingCompiler, get_tmp_directory
from ipykernel.displayhook import ZMQShellDisplayHook
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.inputtransformer2 import TransformerManager
from jupyter_client.session import json_packer
from kernel_channel import Channel, CutStream
from kernel_packets import SIZE, Joined
from traitlets import Type
from traitlets.config import Config


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


class _Forgotten(dict):
    """What cells write: IPython would keep all of it for a history that nobody reads, and a loop prints gigabytes."""

    def __missing__(self, key: int) -> list:
        return []


class _Transformer(TransformerManager):
    """IPython's own, which looks for magics in all tokens of a cell, in Python; most cells are Python without any."""

    # Each cell is transformed twice.
    transform_cell = functools.lru_cache(1)(TransformerManager.transform_cell)

    def do_token_transforms(self, lines: list[str]) -> list[str]:
        try:
            with warnings.catch_warnings(action="ignore"):
                compile("".join(lines), "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return super().do_token_transforms(lines)
        return lines


class _Compiler(XCachingCompiler):
    """ipykernel's own, whose hash of a cell takes as long as to compile it."""

    def get_code_name(self, raw_code: str, code: str, number: int) -> str:
        """The file that a cell seems to come from in a warning: nothing in it differs from one run to the next."""
        return os.path.join(get_tmp_directory(), f"{zlib.crc32(raw_code.encode(errors='replace'))}.py")


class _DisplayHook(ZMQShellDisplayHook):
    """ipykernel's own, which takes a whole cell apart to see whether it ends with a semicolon."""

    @staticmethod
    def semicolon_at_end_of_expression(expression: str) -> bool:
        """As IPython's."""
        return ";" in expression and ZMQShellDisplayHook.semicolon_at_end_of_expression(expression)


class _Shell(ZMQInteractiveShell):
    """ipykernel's own, which compiles each cell twice to see whether anything is awaited in it.

    And which takes each error apart twice: once to show it, and once for a history that nobody reads.
    """

    displayhook_class = Type(_DisplayHook)

    def _format_exception_for_storage(self, *error, **how) -> list[str]:
        """Nothing, in place of IPython's."""
        return []

    def should_run_async(self, raw_cell: str, *, transformed_cell: str = "", **how) -> bool:
        """As IPython's."""
        may = "await" in transformed_cell or "async" in transformed_cell
        return may and super().should_run_async(raw_cell, transformed_cell=transformed_cell, **how)


class Kernel(IPythonKernel):
    """IPython's kernel, whose messages come and go through one socket, without a thread of its own."""

    shell_class = Type(_Shell)
    compiler_class = Type(_Compiler)
    # Threads that were started with a kernel would not survive a fork, so there is none for subshells.
    _supports_kernel_subshells = False

    def _abort_queues(self, subshell_id=None) -> None:
        """Cells are sent one by one, so that there are none to leave out after an error."""

    def take_an_error_apart(self) -> None:
        """As it would be shown: for its first one IPython looks at every module that has been imported."""
        try:
            raise RuntimeError
        except RuntimeError:
            self.shell.InteractiveTB.structured_traceback(*sys.exc_info())
        self.shell.InteractiveTB.tb = None

    async def serve(self) -> None:
        """Do what is asked, until nobody can ask any more."""
        loop, asked, mine = asyncio.get_running_loop(), Joined(sys.maxsize), os.getpid()
        streams = sys.stdout, sys.stderr
        # What a signal's handler has to be done; Tornado's loop would not wake for it.
        self.io_loop = SimpleNamespace(add_callback=loop.call_soon_threadsafe)
        while packet := await loop.sock_recv(self.session.connection, SIZE):
            message = asked.take(packet)
            if message is None:
                continue
            try:
                await self.dispatch_shell([message, b""])
            except (Exception, KeyboardInterrupt, asyncio.CancelledError) as error:
                # As where a cell has closed stdout, or cancelled all there is.
                asyncio.current_task().uncancel()
                sys.stdout, sys.stderr = streams
                self._say_it_failed(json.loads(message), error)
            if os.getpid() != mine:
                # A cell has forked and gone on in both.
                os._exit(0)

    def _say_it_failed(self, asked: dict, error: BaseException) -> None:
        content = {"ename": type(error).__name__, "evalue": str(error), "traceback": [str(error)]}
        self.session.send(None, "error", content, parent=asked)
        self.session.send(None, "execute_reply", {"status": "error", **content}, parent=asked)
        self._publish_status("idle", "shell", asked)


def prepare() -> Kernel:
    """A kernel that has not been asked anything, to be started in this process or in a fork of it."""
    app = IPKernelApp.instance()
    config = Config()
    # It would be written by a thread. `In` and `Out` are kept without it.
    config.HistoryManager.enabled = False
    # In case that threads have not sent yet what a cell has written. Here there are none.
    config.Kernel._execute_sleep = 0
    app.update_config(config)
    # What it would log is for whoever looks after a server.
    kernel = Kernel.instance(parent=app, session=Channel(), log=logging.Logger("kernel", logging.CRITICAL))
    # The one thread there is; cells that await something ask for it.
    kernel.shell_channel_thread = SimpleNamespace(parent_thread=threading.main_thread())
    kernel.shell.history_manager.outputs = _Forgotten()
    kernel.shell.input_transformer_manager = _Transformer()
    app.kernel, app.shell = kernel, kernel.shell
    app.init_extensions()
    # What the first cell would wait for: it is found, imported and compiled now.
    content = {"code": "", "silent": True}
    asyncio.run(kernel.dispatch_shell([json_packer(kernel.session.msg("execute_request", content)), b""]))
    return kernel


def _stay(restart: bool = False) -> dict:
    print("The kernel cannot be ended or restarted from a cell while a notebook is graded.")
    return {"status": "ok", "restart": restart}


def _no_answer(prompt: str = "") -> str:
    print(f"{prompt}(nobody answers while a notebook is graded)")
    return ""


def _stream(kernel: Kernel, name: str, number: int) -> CutStream:
    """A stream to which what others write to a file's number is added."""
    with tempfile.TemporaryFile() as file:
        # What a command writes goes to the end also after the file has been emptied.
        fcntl.fcntl(file, fcntl.F_SETFL, os.O_APPEND)
        os.dup2(file.fileno(), number)
        return CutStream(kernel.session, name, number, os.dup(file.fileno()))


def start(settings: dict, kernel: Kernel) -> None:
    """Start a kernel; returns when it ends. settings: see above, all but `path`."""
    for name, value in settings["limits"].items():
        # The hard limit as well, so that it cannot be raised again.
        resource.setrlimit(getattr(resource, name), (value, value))
    import numpy

    import autograde_tests

    # All that are forked from one parent would draw the same numbers.
    numpy.random.seed()
    autograde_tests.BROKER = settings["broker"]
    # What Linux allows of epoll is for all processes of a person together, and the sandbox has none.
    selectors.DefaultSelector = selectors.PollSelector
    connection = kernel.session.connection = socket.socket(fileno=settings["channel"])
    kernel.session.kernel = os.getpid()
    os.set_inheritable(connection.fileno(), False)
    streams = sys.stdout, sys.stderr = _stream(kernel, "stdout", 1), _stream(kernel, "stderr", 2)
    # A thread may have its turn at that moment, and none of them is in the fork.
    for made_new in (kernel.session.make_turn, *(stream.forget for stream in streams)):
        os.register_at_fork(after_in_child=made_new)
    # Where it lay when the kernel was prepared is not seen in here.
    os.makedirs(os.path.join(kernel.shell.profile_dir.location, "db"), exist_ok=True)
    # Left in at the end of a function's cell, it would cost the function.
    kernel.shell.ask_exit = kernel.do_shutdown = _stay
    kernel.raw_input = _no_answer
    # The usual one takes a terminal, and there is none.
    kernel.shell.system = kernel.shell.system_raw
    # Between two cells there is nothing to interrupt.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # This may have been started before there was a submission. Whoever grades may also have been killed before
    # bubblewrap could notice; then there is nobody to end this, and nobody asks.
    if not connection.recv(1, socket.MSG_PEEK):
        return
    connection.setblocking(False)
    _lay_out(settings["files"], settings["work"], settings["room"])
    os.chdir(settings["work"])
    # The submission's folder comes last: a numpy.py in it is not NumPy. And it comes late: the kernel itself looks for
    # modules that need not be there.
    sys.path.append(settings["work"])
    asyncio.run(kernel.serve())


def main() -> None:
    """Start a kernel that no warm parent has forked, without a sandbox."""
    settings = json.loads(sys.argv[1])
    sys.path[:] = [*settings["path"], *(one for one in sys.path if one)]
    start(settings, prepare())


if __name__ == "__main__":
    main()
