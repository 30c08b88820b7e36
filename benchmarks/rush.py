"""A deadline's rush, with a worker lost every so often: `python -m benchmarks.rush`.

Submissions come into the exchange faster and faster until the deadline, some students' twice, while `nbgrader collect`
and `convblocks grade` run again and again, on a Dask cluster whose workers are killed one by one. At the end the last
submission of each must be in the gradebook, with the points that its kind gets when nothing happens, and none may have
been stored twice. Exits with 1 where that is not so.
"""

import argparse
import datetime
import os
import random
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
from benchmarks.many_submissions import ASSIGNMENTS, KINDS, cluster, hand_in, prepare, run, started, submit

AGAIN = 3
"""Of the students who are early one in so many hands in twice, at first what is half done."""

STORED = """
from grading.pool import Fate, Store
if Store.take.__name__ == "take":
    def _noted(self, folder, ran, take=Store.take):
        fate = take(self, folder, ran)
        if fate is Fate.STORED:
            with open({log!r}, "a") as log:
                print(folder, (ran / "timestamp.txt").read_text().strip(), file=log)
        return fate
    Store.take = _noted
"""
"""Has a course note what it stores."""

FURTHER = 5
"""How many runs may follow the deadline: whoever could not be graded in one is tried again in the next."""


@dataclass
class Rush:
    """What came of it.

    deserved: points by assignment and kind. expected: kind and time of the last that was handed in, by student and
    assignment; handed_in: how many there were. stored: points and time by student and assignment; attempts: what was
    stored, one after another, with its time. seconds: from the start to the last score.
    """

    deserved: dict[tuple[str, str], float] = field(default_factory=dict)
    expected: dict[tuple[str, str], tuple[str, datetime.datetime]] = field(default_factory=dict)
    handed_in: int = 0
    stored: dict[tuple[str, str], tuple[float, datetime.datetime]] = field(default_factory=dict)
    attempts: list[str] = field(default_factory=list)
    runs: int = 0
    lost_workers: int = 0
    seconds: float = 0.0

    @property
    def missing(self) -> int:
        """How many of the last that were handed in are not there, others of the same student or none."""
        return sum(self.stored.get(one, (0, None))[1] != stamp for one, (_, stamp) in self.expected.items())

    @property
    def twice(self) -> int:
        """How often something was stored that had been stored before."""
        return len(self.attempts) - len(set(self.attempts))

    @property
    def different(self) -> int:
        """How many have other points than their kind deserves."""
        return sum(points != self.deserved[one[1], self.expected[one][0]] for one, (points, _) in self.stored.items())


def rush(course: Path, assignments: list[str], students: int, seconds: float, every: float, workers: int = 2) -> Rush:
    """Let so many students hand in all assignments within `seconds`, with a worker killed `every` so many."""
    prepare(course, "", 0, assignments)
    log = course.with_name("stored.log")
    log.touch()
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + STORED.format(log=str(log)))
    came, over = Rush(_deserved(course.with_name("quiet"), assignments)), threading.Event()
    waiting = _in_order(students, assignments)
    arrive = threading.Thread(target=_arrive, args=(course, waiting, seconds, came), daemon=True)
    with cluster(workers) as dask:
        kill = threading.Thread(target=_kill, args=(dask, every, came, over), daemon=True)
        collect = [started(course, "nbgrader", "collect", assignment, "--update") for assignment in assignments]
        grade = started(course, "convblocks", "grade", *assignments, f"--scheduler={dask.scheduler_address}")
        begin = time.perf_counter()
        arrive.start()
        kill.start()
        further = FURTHER
        while further:
            further -= not arrive.is_alive()
            if came.expected:
                for one in collect:
                    subprocess.run(**one, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                done = subprocess.run(**grade, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                came.runs += 1
                if further < FURTHER and not done.returncode:
                    break
            time.sleep(0.2)
        came.seconds = time.perf_counter() - begin
        over.set()
        kill.join()
    came.stored, came.attempts = _stored(course, assignments), log.read_text().splitlines()
    if came.handed_in < len(waiting) or len({*came.attempts}) < len(came.stored):
        raise RuntimeError("not all was handed in, or not all that was stored was noted")
    return came


def _in_order(students: int, assignments: list[str]) -> list[tuple[str, int, str]]:
    """What is handed in, one after another: assignment, number of the student, and kind."""
    once = [(name, number, KINDS[number % len(KINDS)]) for number in range(students) for name in assignments]
    early, late = once[: len(once) // 2], once[len(once) // 2 :]
    late += [one for one in early if one[1] % AGAIN == 0]
    random.Random(0).shuffle(late)
    return [(name, number, "half done" if number % AGAIN == 0 else kind) for name, number, kind in early] + late


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
    found = {one: points for one, (points, _) in _stored(course, assignments).items()}
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


def _stored(course: Path, assignments: list[str]) -> dict[tuple[str, str], tuple[float, datetime.datetime]]:
    """Points and time of what is in the gradebook, by student and assignment."""
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        return {
            (one.student.id, assignment): (round(one.score, 6), one.timestamp)
            for assignment in assignments
            for one in gradebook.assignment_submissions(assignment)
        }


def _arrive(course: Path, waiting: list[tuple[str, int, str]], seconds: float, came: Rush) -> None:
    """Hand in one after another, half of all in the last quarter of the time."""
    begin = time.perf_counter()
    for place, (assignment, number, kind) in enumerate(waiting):
        due = begin + seconds * ((place + 1) / len(waiting)) ** 0.4
        time.sleep(max(0.0, due - time.perf_counter()))
        student, made = f"student{number:05}", course.with_name("work") / f"{place}"
        hand_in(course / "release" / assignment, made, kind)
        now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        came.expected[student, assignment] = kind, now
        submit(course, student, assignment, made, f"{now:%Y-%m-%d %H:%M:%S.%f} UTC")
        came.handed_in += 1


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
        "handed in": came.handed_in,
        "to be in the gradebook": len(came.expected),
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
