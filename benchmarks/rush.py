"""A deadline's rush, with a worker lost every so often: `python -m benchmarks.rush`.

Submissions come in faster and faster until the deadline, while `convblocks grade` runs again and again on a Dask
cluster whose workers are killed one by one. At the end each submission must be in the gradebook, with the points that
its kind gets when nothing happens, and must have been stored once. Exits with 1 where that is not so.
"""

import argparse
import datetime
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import Gradebook
from rich.console import Console
from rich.table import Table

from benchmarks import keep
from benchmarks.many_submissions import ASSIGNMENTS, KINDS, cluster, hand_in, prepare, run, started

FURTHER = 5
"""How many runs may follow the deadline: whoever could not be graded in one is tried again in the next."""


@dataclass
class Rush:
    """What came of it.

    deserved: points by assignment and kind; expected: kind by student and assignment; stored: points by the same;
    seconds: from the start to the last score.
    """

    deserved: dict[tuple[str, str], float] = field(default_factory=dict)
    expected: dict[tuple[str, str], str] = field(default_factory=dict)
    stored: dict[tuple[str, str], float] = field(default_factory=dict)
    graded: int = 0
    runs: int = 0
    lost_workers: int = 0
    seconds: float = 0.0

    @property
    def missing(self) -> int:
        return len(self.expected.keys() - self.stored.keys())

    @property
    def twice(self) -> int:
        """How many more have been stored than are there."""
        return self.graded - len(self.stored)

    @property
    def different(self) -> int:
        """How many have other points than their kind deserves."""
        return sum(score != self.deserved[one[1], self.expected[one]] for one, score in self.stored.items())


def rush(course: Path, assignments: list[str], students: int, seconds: float, every: float, workers: int = 2) -> Rush:
    """Let so many students hand in all assignments within `seconds`, with a worker killed `every` so many."""
    prepare(course, "", 0, assignments)
    came, over = Rush(_deserved(course.with_name("quiet"), assignments)), threading.Event()
    waiting = [(assignment, number) for number in range(students) for assignment in assignments]
    arrive = threading.Thread(target=_arrive, args=(course, waiting, seconds, came), daemon=True)
    with cluster(workers) as dask:
        kill = threading.Thread(target=_kill, args=(dask, every, came, over), daemon=True)
        grade = started(course, "convblocks", "grade", *assignments, f"--scheduler={dask.scheduler_address}")
        begin = time.perf_counter()
        arrive.start()
        kill.start()
        further = FURTHER
        while further:
            further -= not arrive.is_alive()
            if came.expected:
                done = subprocess.run(**grade, capture_output=True, text=True)
                came.runs += 1
                came.graded += int(re.search(r"(\d+) submissions? graded", done.stderr)[1])
                if further < FURTHER and not done.returncode:
                    break
            time.sleep(0.2)
        came.seconds = time.perf_counter() - begin
        over.set()
        kill.join()
    came.stored = _points(course, assignments)
    return came


def _deserved(course: Path, assignments: list[str]) -> dict[tuple[str, str], float]:
    """Points by assignment and kind, from a run in which nothing happens.

    Raises RuntimeError where right work does not get all of them, or wrong work does.
    """
    prepare(course, "", 0, assignments)
    students = {kind: kind.replace(" ", "-") for kind in KINDS}
    for assignment in assignments:
        for kind, student in students.items():
            hand_in(course / "release" / assignment, course / "submitted" / student / assignment, kind)
    run(course, "convblocks", "grade", *assignments)
    found = _points(course, assignments)
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for assignment in assignments:
            whole = gradebook.find_assignment(assignment).max_score
            if found["right", assignment] != whole or found["wrong", assignment] == whole:
                raise RuntimeError(f"{assignment} is not graded as it deserves: {found}")
    return {
        (assignment, kind): found[student, assignment]
        for assignment in assignments
        for kind, student in students.items()
    }


def _points(course: Path, assignments: list[str]) -> dict[tuple[str, str], float]:
    """What is in the gradebook, by student and assignment."""
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        return {
            (one.student.id, assignment): round(one.score, 6)
            for assignment in assignments
            for one in gradebook.assignment_submissions(assignment)
        }


def _arrive(course: Path, waiting: list[tuple[str, int]], seconds: float, came: Rush) -> None:
    """Hand in one after another, half of all in the last quarter of the time."""
    begin = time.perf_counter()
    for place, (assignment, number) in enumerate(waiting):
        due = begin + seconds * ((place + 1) / len(waiting)) ** 0.4
        time.sleep(max(0.0, due - time.perf_counter()))
        student, kind = f"student{number:05}", KINDS[number % len(KINDS)]
        made = course / "arriving" / student / assignment
        hand_in(course / "release" / assignment, made, kind)
        (made / "timestamp.txt").write_text(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M:%S.%f} UTC")
        # What is being copied has not been handed in.
        there = course / "submitted" / student / assignment
        there.parent.mkdir(parents=True, exist_ok=True)
        came.expected[student, assignment] = kind
        made.rename(there)


def _kill(dask, every: float, came: Rush, over: threading.Event) -> None:
    """Kill one of the cluster's workers from time to time; its nanny starts another one."""
    chance = random.Random(0)
    while not over.wait(every):
        # A nanny whose worker is lost while it starts gives up.
        known = [one for one in dask.workers.values() if one.worker_address in dask.scheduler.workers]
        if alive := [pid for one in known if (pid := one.pid)]:
            os.kill(chance.choice(alive), signal.SIGKILL)
            came.lost_workers += 1


def main() -> None:
    """Simulate it and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rush", description=__doc__)
    parser.add_argument("--students", type=int, default=200, help="each hands in all assignments (%(default)s)")
    parser.add_argument("--assignments", nargs="*", default=ASSIGNMENTS[:2], help="%(default)s")
    parser.add_argument("--seconds", type=float, default=300, help="from the first to the deadline (%(default)s)")
    parser.add_argument("--every", type=float, default=60, help="seconds to the next lost worker (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        came = rush(Path(folder, "course"), options.assignments, options.students, options.seconds, options.every)
    figures = {
        "handed in": len(came.expected),
        "workers killed": came.lost_workers,
        "runs of convblocks grade": came.runs,
        "in the gradebook": len(came.stored),
        "lost": came.missing,
        "stored twice": came.twice,
        "with other points than their kind deserves": came.different,
        "all stored after, s": round(came.seconds),
        "of which beyond the deadline, s": round(came.seconds - options.seconds),
    }
    keep("rush", figures)
    table = Table("", "", title="A deadline's rush", show_header=False)
    for name, value in figures.items():
        table.add_row(name, str(value))
    Console().print(table)
    sys.exit(bool(came.missing or came.twice or came.different))


if __name__ == "__main__":
    main()
