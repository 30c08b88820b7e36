"""How fast a class is graded, here and on stock nbgrader: `make bench`.

All sides grade the same submissions with the same checks, taking turns: right, wrong and half done ones of every
assignment, and one that loops. Keras' own notebook, in which training takes most of the time on every side, is left out
of that and measured for itself.
"""

import argparse
import math
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import psutil
from nbgrader.api import Gradebook
from rich.console import Console
from rich.table import Table

from benchmarks import ROOT, keep, parts, spread, told, validate

ASSIGNMENTS = [folder.name for folder in sorted((ROOT / "source").iterdir()) if folder.is_dir()]
COURSE = "convblocks"
"""As the exchange knows it."""
LEFT_OUT = "keras_classifier"
KINDS = ("right", "wrong", "right", "half done")
"""What students hand in, one after another."""
ENDLESS_EVERY = 50
"""Where growth is measured, one of so many is endless."""
SECONDS, TRAINING = 10, 120
"""How long a cell may take on all sides, and where a network is trained.

The one that loops costs stock nbgrader that, whose own default is 30; here it is stopped for what it takes of a
processor, save on the side that is as patient.
"""

STOCK = """
c = get_config()
c.CourseDirectory.solution_directory = "solutions"
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
"""

KERAS, NOTHING = "stock nbgrader, Keras in the kernel", "stock nbgrader, a test that does nothing"
TWO = "here, 2 workers"
PATIENT = "here, 2 workers as patient as stock"
SIDES = {
    KERAS: "from benchmarks.one_submission import check",
    NOTHING: "check = lambda name, function, points: points",
    "here, 1 worker": "",
    TWO: "",
    PATIENT: "",
    "here, Dask with 2 workers": "",
}
"""What stands in the hidden part of a cell in place of the import of `check`; "" for ours, which is left as it is."""
STOCKS = [side for side, instead in SIDES.items() if instead]
TIMES = {KERAS: 30, NOTHING: 8}
"""How many times as fast as each of these two workers are to be here."""
MEMORY = 300
"""MB that a worker and its kernels are to stay below."""

WRONG = (
    "right_{name} = {name}\ndef {name}(*given, **named):\n    return np.asarray(right_{name}(*given, **named)) + 1\n"
)
ENDLESS = "def {name}(*given, **named):\n    while True:\n        pass\n\n\n{name}()\n"


def prepare(
    course: Path, instead: str, students: int, assignments: list[str], left_out: str = LEFT_OUT, patient: bool = False
) -> int:
    """A generated course with submissions; how many there are. instead: see SIDES. left_out: a notebook.

    patient: whether a cell that loops is given as much time as one that waits.
    """
    count = 0
    config = STOCK if instead else (ROOT / "nbgrader_config.py").read_text()
    config += f"\nc.Execute.timeout = {SECONDS if left_out else TRAINING}\n"
    config += "c.Execute.processor_seconds = 0\n" * patient
    course.mkdir(parents=True)
    (course / "nbgrader_config.py").write_text(config)
    for assignment in assignments:
        shutil.copytree(ROOT / "source" / assignment, course / "source" / assignment)
        for path in (course / "source" / assignment).glob("*.ipynb"):
            if path.stem == left_out:
                path.unlink()
            elif instead:
                path.write_text(path.read_text().replace("from autograde_tests import check", instead))
        run(course, "nbgrader", "generate_assignment", assignment)
        for number in range(students):
            folder = course / "submitted" / f"student{number:04}" / assignment
            kind = KINDS[number % len(KINDS)]
            if number == students - 1 and assignment == ASSIGNMENTS[0]:
                kind = "endless"
            hand_in(course / "release" / assignment, folder, kind)
            count += 1
    return count


def hand_in(release: Path, folder: Path, kind: str) -> None:
    """Write a submission: the solution, or one whose last function is wrong, missing or endless."""
    shutil.copytree(release, folder)
    for path in folder.glob("*.ipynb"):
        solved = {one.id: one.source for one in nbformat.read(ROOT / "solutions" / release.name / path.name, 4).cells}
        notebook = nbformat.read(path, as_version=4)
        written = [one for one in notebook.cells if one.metadata.get("nbgrader", {}).get("solution")]
        for cell in written:
            cell.source = solved[cell.id]
        last = written[-1]
        if kind == "half done":
            last.source = nbformat.read(release / path.name, 4).cells[notebook.cells.index(last)].source
        elif kind == "wrong":
            last.source += "\n\n" + WRONG.format(name=last.id)
        elif kind == "endless":
            last.source = ENDLESS.format(name=last.id)
        nbformat.write(notebook, path)


def submit(course: Path, student: str, assignment: str, folder: Path, stamp: str) -> None:
    """Hand in a copy of a folder through the exchange: all of it is there, or nothing."""
    inbox = course / "exchange" / COURSE / "inbound"
    made = course / "arriving" / f"{student}+{assignment}+{stamp}"
    shutil.copytree(folder, made)
    (made / "timestamp.txt").write_text(stamp)
    inbox.mkdir(parents=True, exist_ok=True)
    made.rename(inbox / made.name)


def run(course: Path, *command: str, watch: Callable[[psutil.Process], None] | None = None) -> float:
    """Run a command in a course; seconds. Raises CalledProcessError when it fails."""
    with tempfile.TemporaryFile("w+") as log:
        begin = time.perf_counter()
        process = subprocess.Popen(**started(course, *command), stdout=log, stderr=subprocess.STDOUT)
        over = threading.Event()
        if watch:
            threading.Thread(target=_watch, args=(psutil.Process(process.pid), over, watch), daemon=True).start()
        process.wait()
        over.set()
        if process.returncode:
            log.seek(0)
            raise subprocess.CalledProcessError(process.returncode, command, log.read()[-3000:])
        return time.perf_counter() - begin


def started(course: Path, program: str, *arguments: str) -> dict:
    """How subprocess starts a command in a course: nbgrader's, or convblocks as it is in this checkout."""
    programs = {"nbgrader": ["-m", "nbgrader"], "convblocks": ["-m", "grading.cli"]}
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CONVBLOCKS_EXCHANGE": str(course / "exchange")}
    return {"args": [sys.executable, *programs[program], *arguments], "cwd": course, "env": environment}


def _watch(process: psutil.Process, over: threading.Event, look: Callable) -> None:
    while not over.wait(0.5):
        try:
            look(process)
        except psutil.Error:
            continue


class Memory:
    """The peak of the proportional set size, in MB: of all processes together, and of one worker with all its own.

    That is also its kernels, and its share of the process that they are forked from. A cluster's scheduler, which is in
    this process, is left out.
    """

    def __init__(self):
        self.all = self.worker = 0.0
        self.cluster: list[psutil.Process] = []

    def __call__(self, process: psutil.Process) -> None:
        family = [each for one in (process, *self.cluster) for each in (one, *one.children(recursive=True))]
        sizes = {}
        for one in family:
            try:
                sizes[one.pid] = one.memory_full_info().pss / 2**20
            except psutil.Error:
                continue
        self.all = max(self.all, sum(sizes.values()))

        def together(one: psutil.Process) -> float:
            return sum(sizes.get(each.pid, 0.0) for each in (one, *one.children(recursive=True)))

        # A worker is a child of the fork server, which is a child of the command as the kernels' parent is.
        parents = [one for one in process.children() if any("warm_parent" in part for part in one.cmdline())]
        workers = [each for one in process.children() if one not in parents for each in one.children()]
        if workers:
            # Whose kernel is whose is not to be seen from here: the largest ones are taken for one worker's.
            kernels = sorted((together(each) for one in parents for each in one.children()), reverse=True)
            own = kernels[: math.ceil(len(kernels) / len(workers))]
            share = sum(sizes.get(one.pid, 0.0) for one in parents) / len(workers)
            self.worker = max(self.worker, share + sum(own) + max(map(together, workers)))
        # Each has started what its kernels are forked from.
        self.worker = max([self.worker, *map(together, self.cluster)])


def grade(side: str, course: Path, assignments: list[str], watch: Memory | None = None) -> float:
    """Grade all submissions of a course anew; seconds."""
    shutil.rmtree(course / "autograded", ignore_errors=True)
    if side.startswith("stock"):
        return sum(run(course, "nbgrader", "autograde", assignment, watch=watch) for assignment in assignments)
    if "Dask" in side:
        with cluster(2) as dask:
            if watch:
                watch.cluster = [psutil.Process(one.process.pid) for one in dask.workers.values()]
            return run(
                course, "convblocks", "grade", *assignments, f"--scheduler={dask.scheduler_address}", watch=watch
            )
    return run(course, "convblocks", "grade", *assignments, f"--workers={side.split()[1]}", watch=watch)


def cluster(workers: int):
    """A Dask cluster of processes on this machine with one thread each, to be used in a `with` block."""
    from distributed import LocalCluster

    return LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)


def throughput(
    place: Path, students: int, turns: int, sides: list[str], assignments: list[str], left_out: str = LEFT_OUT
) -> dict:
    """Submissions a minute of some sides, and the memory of ours among them. Others: as for `prepare`.

    Raises RuntimeError where two sides that have the same checks give other points.
    """
    courses = {side: place / str(number) for number, side in enumerate(sides)}
    counts = {
        side: prepare(courses[side], SIDES[side], students, assignments, left_out, side == PATIENT) for side in sides
    }
    rates, memory = {side: [] for side in sides}, {}
    for turn in range(turns):
        for side in sides[:: 1 if turn % 2 == 0 else -1]:
            rates[side].append(60 * counts[side] / grade(side, courses[side], assignments))
    given = {side: points(courses[side]) for side in sides}
    if len({round(total, 2) for side, total in given.items() if side != NOTHING}) > 1:
        raise RuntimeError(f"not all sides give the same points: {given}")
    for side in sides:
        if side not in STOCKS:
            memory[side] = peaks(side, courses[side], assignments, turns)
    return {
        "submissions": counts[sides[0]],
        "a minute": {side: spread(rates[side]) for side in sides},
        "points": given,
        "memory": memory,
    }


def peaks(side: str, course: Path, assignments: list[str], turns: int) -> dict:
    """The memory that one of our sides takes for a course."""
    found = [Memory() for _ in range(turns)]
    for peak in found:
        grade(side, course, assignments, watch=peak)
    return {
        "all processes, MB": spread([peak.all for peak in found]),
        "a worker and its kernel, MB": spread([peak.worker for peak in found]),
    }


def points(course: Path) -> float:
    """Of all scores in a course's gradebook."""
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        return sum(one.score for assignment in gradebook.assignments for one in assignment.submissions)


def growth(place: Path, sizes: list[int], turns: int, assignments: list[str]) -> dict:
    """Seconds for so many submissions of all assignments, in one gradebook that keeps them all; by their number."""
    seconds = {size: [] for size in sizes}
    for turn in range(turns):
        course, done = place / f"growth {turn}", 0
        prepare(course, "", 0, assignments)
        for size in sizes:
            for number in range(done, done + size):
                student, which = divmod(number, len(assignments))
                kind = "endless" if number % ENDLESS_EVERY == ENDLESS_EVERY - 1 else KINDS[student % len(KINDS)]
                folder = course / "submitted" / f"more{student:05}" / assignments[which]
                hand_in(course / "release" / assignments[which], folder, kind)
            done += size
            seconds[size].append(run(course, "convblocks", "grade", *assignments, "--workers=2"))
    return {size: spread(each) for size, each in seconds.items()}


def shares(place: Path, turns: int) -> dict:
    """Where the time of one right submission goes, in seconds by part, for each assignment."""
    prepare(place / "parts", "", 2, ASSIGNMENTS)
    return parts.measure(place / "parts", ASSIGNMENTS, "student0000", turns)


def show(figures: dict, console: Console) -> None:
    """Print what there is of the figures, as tables."""
    for name, title in (("throughput", ""), (LEFT_OUT, f" with {LEFT_OUT}, which trains")):
        if name in figures:
            _show_throughput(figures[name], title, console)
    if "throughput" in figures:
        _show_bars(figures["throughput"], console)
    if "growth" in figures:
        _show_growth(figures["growth"], console)
    if "validate" in figures:
        validate.show(figures["validate"], console)
    if "parts" in figures:
        parts.show(figures["parts"], console)


def _show_throughput(found: dict, title: str, console: Console) -> None:
    rates = found["a minute"]
    heads = "submissions a minute", "least to most", "× Keras in the kernel", "× nothing", "points given"
    table = Table("", *heads, title=f"{found['submissions']} submissions{title}")
    for side, rate in rates.items():
        times = [f"{rate['median'] / rates[one]['median']:.1f}" if one in rates else "" for one in STOCKS]
        between = f"{rate['least']:.1f} to {rate['most']:.1f}"
        table.add_row(side, f"{rate['median']:.1f}", between, *times, f"{found['points'][side]:.2f}")
    console.print(table)
    table = Table("", "all processes, MB", "a worker and its kernel, MB", title="Peak memory (proportional set size)")
    for side, peak in found["memory"].items():
        table.add_row(side, *map(told, peak.values()))
    console.print(table)


def _show_growth(found: dict, console: Console) -> None:
    heads = "further submissions", "seconds", "least to most", "a minute"
    table = Table(*heads, title="In one gradebook, one after another")
    for size, took in found.items():
        between = f"{took['least']:.1f} to {took['most']:.1f}"
        table.add_row(str(size), f"{took['median']:.1f}", between, f"{60 * int(size) / took['median']:.0f}")
    console.print(table)
    fewest, most = (f(found, key=int) for f in (min, max))
    if most != fewest:
        times, number = found[most]["median"] / found[fewest]["median"], int(most) / int(fewest)
        said = f"{times:.1f} times as long for {number:.1f} times as many"
        console.print(
            f"Time that grows no faster than their number: {'reached' if times <= number else 'missed'} ({said})"
        )


def _show_bars(found: dict, console: Console) -> None:
    """Print whether what is wanted of two workers was reached."""
    rates = found["a minute"]
    for stock, wanted in TIMES.items() if TWO in rates else ():
        if stock in rates:
            ours, theirs = rates[TWO], rates[stock]
            pairs = {"median": "median", "least": "most", "most": "least"}
            times = ours | {one: ours[one] / theirs[other] for one, other in pairs.items()}
            bar = "reached" if times["median"] >= wanted else "missed"
            console.print(f"{wanted} times {stock}: {bar} ({told(times, 1)})")
    if TWO in found["memory"]:
        peak = found["memory"][TWO]["a worker and its kernel, MB"]["median"]
        console.print(f"A worker below {MEMORY} MB: {'reached' if peak < MEMORY else 'missed'} ({peak:.0f})")


def main() -> None:
    """Measure, print tables and keep the figures in benchmarks/figures.json."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_submissions", description=main.__doc__)
    parser.add_argument("--students", type=int, default=24, help="of each assignment (%(default)s)")
    parser.add_argument("--turns", type=int, default=3, help="for the medians (%(default)s)")
    parser.add_argument("--sizes", type=int, nargs="*", default=[50, 200, 800], help="for growth (%(default)s)")
    said = (
        "what is measured, growth as an example, or the throughput of sides with one of these in their name: 'nothing'"
    )
    parser.add_argument("--only", nargs="+", metavar="TEXT", help=said)
    options = parser.parse_args()
    asked = options.only or []
    sides = [side for side in SIDES if not asked or any(text in side for text in asked)]
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        place, turns = Path(folder), options.turns
        measured = {
            "throughput": lambda: throughput(place / "class", options.students, turns, sides, ASSIGNMENTS),
            LEFT_OUT: lambda: throughput(place / "keras", 4, turns, [NOTHING, TWO], ASSIGNMENTS[-1:], left_out=""),
            "growth": lambda: growth(place, options.sizes, turns, ASSIGNMENTS),
            "validate": lambda: validate.measure(turns),
            "parts": lambda: shares(place, turns),
        }
        wanted = [part for part in measured if not asked or part in asked] or ["throughput"]
        if wanted == ["throughput"] and not sides:
            parser.error(f"there is none of these, but {', '.join(measured)}, and the sides {', '.join(SIDES)}")
        name = "many submissions" + f", only {' and '.join(asked)}" * bool(asked)
        for part in wanted:
            # What has been measured is not lost with what cannot be.
            figures[part] = measured[part]()
            keep(name, figures)
    show(figures, Console())


if __name__ == "__main__":
    main()
