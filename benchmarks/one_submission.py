"""What grading one notebook costs, here and on stock nbgrader with Keras in the hidden test: `make bench`.

Both sides grade copies of the same solved notebook with `nbgrader autograde`, taking turns. Printed are median and
spread of the seconds for a run over one submission, of those for each further one, and of the peak of the resident
memory of all processes together.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from nbgrader.api import Gradebook

from benchmarks import ROOT, keep, spread, told

NOTEBOOKS = {"padding": "1-padding", "keras_classifier": "6-shapes-classifier"}

STOCK = """
c = get_config()
c.CourseDirectory.solution_directory = "solutions"
c.Execute.timeout = 300
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
"""
"""nbgrader's own steps, with time enough to train."""


def check(name, function, points):
    """The course's check as a hidden test on stock nbgrader has to be: it asks Keras in the student's process."""
    from autograde_tests import checking

    checking.expected = lambda wanted, seed: [wanted.answer(case) for case in wanted.cases(seed)]
    return checking.check(name, function, points)


def nbgrader(course: Path, *arguments: str) -> tuple[float, float]:
    """Run a command of nbgrader in a course; seconds, and the peak in MB. Raises CalledProcessError when it fails."""
    command = [sys.executable, "-m", "nbgrader", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "CONVBLOCKS_EXCHANGE": str(course / "exchange")}
    with tempfile.TemporaryFile("w+") as log:
        begin, most = time.perf_counter(), 0
        process = subprocess.Popen(command, cwd=course, env=environment, stdout=log, stderr=subprocess.STDOUT)
        while process.poll() is None:
            most = max(most, _memory(process.pid))
            time.sleep(0.05)
        seconds = time.perf_counter() - begin
        if process.returncode:
            log.seek(0)
            raise subprocess.CalledProcessError(process.returncode, command, log.read())
    return seconds, most / 2**20


def _memory(pid: int) -> int:
    """Resident bytes of a process and all that descend from it."""
    total = 0
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return 0
    for one in family:
        try:
            total += one.memory_info().rss
        except psutil.Error:
            continue
    return total


def prepare(place: Path, notebook: str, stock: bool) -> Path:
    """A generated course of one notebook."""
    course, assignment = place / f"{notebook}-{'stock' if stock else 'ours'}", NOTEBOOKS[notebook]
    source = course / "source" / assignment
    shutil.copytree(ROOT / "source" / assignment, source, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    for other in source.glob("*.ipynb"):
        if other.stem != notebook:
            other.unlink()
    if stock:
        (course / "nbgrader_config.py").write_text(STOCK)
        path = source / f"{notebook}.ipynb"
        hidden = path.read_text().replace("from autograde_tests import check", f"from {__spec__.name} import check")
        path.write_text(hidden)
    else:
        shutil.copy(ROOT / "nbgrader_config.py", course)
    nbgrader(course, "generate_assignment", assignment)
    return course


def grade(course: Path, notebook: str, students: int) -> tuple[float, float, float]:
    """Grade the solution as handed in by that many students; seconds, MB, and points of the first."""
    assignment = NOTEBOOKS[notebook]
    with tempfile.TemporaryDirectory() as place:
        copy = Path(shutil.copytree(course, Path(place) / "course"))
        for number in range(students):
            handed_in = copy / "submitted" / f"student{number}" / assignment
            handed_in.mkdir(parents=True)
            for file in (ROOT / "solutions" / assignment).iterdir():
                if file.is_file() and (file.suffix != ".ipynb" or file.stem == notebook):
                    shutil.copy(file, handed_in)
        seconds, megabytes = nbgrader(copy, "autograde", assignment)
        with Gradebook(f"sqlite:///{copy}/gradebook.db") as gradebook:
            return seconds, megabytes, gradebook.find_submission(assignment, "student0").score


def measure(notebook: str, turns: int, further: int) -> dict[str, dict[str, dict]]:
    """What was measured, by its name and side."""
    sides = ("ours", "stock")
    with tempfile.TemporaryDirectory() as place:
        courses = {side: prepare(Path(place), notebook, side == "stock") for side in sides}
        # What is made once for a course: Keras' answers here, and compiled Python files on both sides.
        points = {side: grade(courses[side], notebook, 1)[2] for side in sides}
        first, each, most = ({side: [] for side in sides} for _ in range(3))
        for turn in range(turns):
            for side in sides if turn % 2 == 0 else sides[::-1]:
                one, megabytes, _ = grade(courses[side], notebook, 1)
                many, _, _ = grade(courses[side], notebook, 1 + further)
                first[side].append(one)
                each[side].append((many - one) / further)
                most[side].append(megabytes)
    found = {"first submission, s": first, "each further one, s": each, "peak memory, MB": most}
    found["points given"] = {side: [points[side]] for side in sides}
    return {what: {side: spread(values[side]) for side in sides} for what, values in found.items()}


def main() -> None:
    """Measure, print the table and keep the figures in benchmarks/figures.json."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.one_submission", description=main.__doc__)
    parser.add_argument("--turns", type=int, default=3, help="that both sides take (%(default)s)")
    parser.add_argument("--further", type=int, default=2, help="submissions beside the first (%(default)s)")
    parser.add_argument("notebooks", nargs="*", default=list(NOTEBOOKS), help="%(default)s")
    options = parser.parse_args()
    print("| notebook | | here | stock nbgrader | here / stock |\n| --- | --- | ---: | ---: | ---: |")
    figures = {}
    for notebook in options.notebooks:
        figures[notebook] = measure(notebook, options.turns, options.further)
        for what, side in figures[notebook].items():
            ours, stock = side["ours"]["median"], side["stock"]["median"]
            ratio = f"{ours / stock:.2f}" if stock and not what.startswith("points") else ""
            said = told(side["ours"], 1), told(side["stock"], 1)
            print(f"| {notebook} | {what} | {' | '.join(said)} | {ratio} |", flush=True)
    keep("one submission", figures)


if __name__ == "__main__":
    main()
