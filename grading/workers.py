"""What submissions are graded by: processes of this machine, or a Dask cluster.

Nothing is imported here that takes its time, so that the processes can begin to while the one that starts them does.
"""

import asyncio
import contextlib
import gc
import logging
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import forkserver, get_context
from pathlib import Path

from grading.warm import WarmParent

Executing = tuple[Executor, Callable[[], int]]
"""What runs jobs, and a function that says how many it runs at once at the moment."""
Workers = Callable[[], contextlib.AbstractContextManager[Executing]]
"""What makes that, for as long as a `with` block lasts."""

TRIES = 3
"""How often a submission is tried whose worker is lost, which may be another one's fault, or the machine's."""


def processors(groups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int:
    """How many processors this process may use: a job of Slurm or a container may have fewer than the machine.

    groups: where Linux tells the limits of control groups, version 2; own: and which one this process is in.
    """
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError):
        group = Path(groups, own.read_text().rpartition("::")[2].strip().lstrip("/"))
        for one in (group, *group.parents):
            # Most have none, or "max".
            with contextlib.suppress(OSError, ValueError):
                quota, period = map(int, (one / "cpu.max").read_text().split())
                found = min(found, math.ceil(quota / period))
    return found


CONNECTS = 15
"""Seconds that a scheduler may take to answer."""


class NoCluster(Exception):
    """A scheduler cannot be reached; the text says so."""


class ClusterLost(Exception):
    """A scheduler can no longer be reached."""


def is_given_up(error: BaseException) -> bool:
    """Whether a cluster does not go on with a job, since workers that had it, and maybe others, were lost."""
    # Dask's; to import it takes longer than to grade.
    return type(error).__name__ == "KilledWorker"


def collect_garbage() -> None:
    """Have Python's collector, disabled while much was imported, leave that alone for good, and look for more seldom.

    Nothing of it ever becomes garbage, and to look through it again and again, and at the end of the process, takes
    more time than many a submission.
    """
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
    gc.enable()


def begin(sandboxes: bool = True) -> WarmParent | None:
    """Start to import, in other processes, what `processes` will need; sandboxes: as there.

    Returns what kernels are forked from; None without sandboxes, or where it could not be started.
    """
    # A thread for each processor would wait for work without sleeping, and arrays this small never have any.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # The broker of each notebook is a thread, and glibc would keep memory apart for those to come.
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")
    forkserver.set_forkserver_preload(["grading.preload"])
    with _without_ctrl_c():
        forkserver.ensure_running()
    if not sandboxes:
        return None
    from grading import sandbox

    return sandbox.begin()


@contextlib.contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Have processes that are started meanwhile leave Ctrl-C to this one, from their first moment on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def processes(count: int, sandboxes: bool = True) -> Iterator[Executing]:
    """So many processes of this machine. sandboxes: whether submissions run in these, which are made ready at once."""
    from grading.submission import start_worker

    arguments = os.getpid(), begin(sandboxes)
    with ProcessPoolExecutor(
        count, mp_context=get_context("forkserver"), initializer=start_worker, initargs=arguments
    ) as pool:
        yield pool, lambda: count


@contextlib.contextmanager
def cluster(address: str) -> Iterator[Executing]:
    """A Dask cluster, by its scheduler's address, as large as it is at the moment.

    All of it sees the course's folder and its Python at the same place. A worker grades one submission at a time,
    whatever threads it has. Raises NoCluster.
    """
    try:
        from distributed import Client
        from distributed.comm import get_address_host_port
        from distributed.core import rpc
        from distributed.security import Security
    except ModuleNotFoundError as error:
        from grading.packages import ROOT

        install = f"{sys.executable} -m pip install --constraint {ROOT}/requirements.lock dask distributed"
        raise NoCluster(f"A cluster takes Dask ({error}): {install}") from None

    async def answers() -> None:
        # The client's own limit begins once something has been connected to, and it asks again and again.
        async with rpc(address, connection_args=Security().get_connection_args("client")) as scheduler:
            await asyncio.wait_for(scheduler.identity(), CONNECTS)

    try:
        # Or a client would look for what is no address for ever.
        get_address_host_port(address)
        asyncio.run(answers())
        client = Client(address, set_as_default=False, timeout=CONNECTS)
    except Exception as error:
        why = str(error) or f"no answer within {CONNECTS} seconds"
        raise NoCluster(f"There is no Dask scheduler at {address!r} ({why}), and nothing was graded.") from None

    def width() -> int:
        try:
            return len(client.nthreads())
        except OSError:
            raise ClusterLost from None

    # What it says of a scheduler that is gone is for those who look for bugs.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    with client:
        yield client.get_executor(pure=False, retries=TRIES), width
