"""A station: all that one notebook is run with, a kernel in its sandbox, the broker beside it, and a folder for both.

The next one is made ready while a notebook runs, since nothing in it depends on whose notebook it will be.
"""

import asyncio
import contextlib
import os
import re
import shutil
import tempfile
from multiprocessing.util import Finalize
from pathlib import Path

import psutil
from jupyter_client import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop, run_sync
from traitlets.config import Config

from grading import sandbox
from grading.broker import Broker
from grading.connection import PATIENCE, Client
from grading.gradebook import in_server

RUNTIME = Path("/tmp")
"""Where folders with sockets are made. Paths of sockets are short: 107 bytes, wherever temporary files usually go."""


def remove_left_behind() -> None:
    """Remove the folders of graders that were killed."""
    for folder in RUNTIME.glob("cb*-*"):
        owner = re.match(r"cb(\d+)-", folder.name)
        with contextlib.suppress(OSError):
            mine = folder.lstat().st_uid == os.getuid() and folder.is_dir() and not folder.is_symlink()
            if owner and mine and not psutil.pid_exists(int(owner[1])):
                shutil.rmtree(folder, ignore_errors=True)


class Station:
    """A folder with a broker, and the kernels that one notebook needs; all of it is gone after the `with` block.

    config: nbgrader's. keras: whether the kernels can import Keras. unsafe: whether there is no sandbox.
    """

    def __init__(self, config: Config, keras: bool = False, unsafe: bool = False):
        self._config = config
        self._runtime = Path(tempfile.mkdtemp(prefix=f"cb{os.getpid()}-", dir=RUNTIME))
        # Under a name that tells nothing: the sandbox can read where what it sees lies out here.
        self._files = self._runtime / "files"
        self._files.mkdir()
        self.broker = Broker(self._runtime / "broker")
        self._settings = {"keras": keras, "runtime": str(self._runtime), "unsafe": unsafe}
        self._ready: AsyncKernelManager | None = None

    def __enter__(self) -> "Station":
        return self

    def __exit__(self, *exception) -> None:
        self.broker.end()
        if self._ready:
            self._ready.provisioner.end()
            self._ready.provisioner.process.wait()
            self._ready.provisioner.connection.close()
        shutil.rmtree(self._runtime, ignore_errors=True)

    def take_files(self, source: Path, own: str = "") -> None:
        """Links, or copies on another disk, of the regular files in a folder but for its notebooks.

        own: a folder in it whose files are to be found beside the notebook as well, before any others of their names.
        """
        for top in dict.fromkeys((source / own, source)):
            for folder, _, names in os.walk(top):
                beside = self._files / os.path.relpath(folder, top)
                beside.mkdir(exist_ok=True)
                for name in names:
                    path, taken = os.path.join(folder, name), beside / name
                    if name.endswith(".ipynb") or not os.path.isfile(path) or os.path.islink(path) or taken.exists():
                        continue
                    try:
                        os.link(path, taken)
                    except OSError:
                        shutil.copyfile(path, taken)

    def kernel_manager(self) -> AsyncKernelManager:
        """Who starts a kernel here; at first the one that has done so already, if `make_ready` was called."""
        ready, self._ready = self._ready, None
        return ready or self._manager()

    async def make_ready(self) -> None:
        """Start a kernel, which waits until the broker serves."""
        manager = self._manager()
        await manager.start_kernel()
        self._ready = manager

    @property
    def is_ready(self) -> bool:
        return self._ready is not None and self._ready.provisioner.is_alive

    def _manager(self) -> AsyncKernelManager:
        manager = _KernelManager(
            kernel_name="python3",
            transport="ipc",
            client_factory=Client,
            config=self._config,
        )
        provisioner = {"provisioner_name": sandbox.NAME, "config": self._settings}
        manager.kernel_spec.metadata["kernel_provisioner"] = provisioner
        # There is no channel for a message.
        manager.kernel_spec.interrupt_mode = "signal"
        return manager


class _KernelManager(AsyncKernelManager):
    """Starts kernels that have one connection from the beginning, no ports, and no channel for control."""

    def write_connection_file(self, **kwargs) -> None:
        """Nobody would read it."""

    def _connect_control_socket(self) -> None:
        pass


class _Next:
    """The station that this process makes ready, and what for."""

    def __init__(self, config: Config):
        self.process, self.limits = os.getpid(), repr(config.get("Sandbox"))
        self.station = Station(config)
        self.made = ensure_event_loop().create_task(self.station.make_ready())
        # What a killed process leaves, the next grader removes.
        self.at_exit = Finalize(self, _end, (self.made, self.station), exitpriority=0)

    def fits(self, config: Config) -> bool:
        """Whether it is one of these limits, and its kernel lives. Waits until that is known."""
        with contextlib.suppress(Exception):
            run_sync(asyncio.wait_for)(self.made, PATIENCE)
        return self.limits == repr(config.get("Sandbox")) and self.station.is_ready


def _end(made: asyncio.Task, station: Station) -> None:
    """End a station that nobody takes, also one that is not made yet."""
    made.cancel()
    with contextlib.suppress(Exception, asyncio.CancelledError):
        # Or Python would complain of what was left undone.
        made.get_loop().run_until_complete(made)
    station.__exit__()


_next: _Next | None = None


def make_next_station(config: Config) -> None:
    """Begin to make a station without Keras ready, which goes on whenever this process waits for something."""
    global _next
    # In a server kernels are started by another loop than its own.
    if not in_server() and (not _next or _next.process != os.getpid()):
        _next = _Next(config)


def take_station(config: Config, keras: bool, unsafe: bool) -> Station:
    """The station that was made ready, or a new one where there is none that fits. For arguments see Station."""
    global _next
    if keras or unsafe or not _next or _next.process != os.getpid():
        return Station(config, keras, unsafe)
    taken, _next = _next, None
    if taken.fits(config):
        taken.at_exit.cancel()
        return taken.station
    taken.at_exit()
    return Station(config)
