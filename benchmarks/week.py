"""An instructor's week, here and on stock nbgrader, in commands and seconds: `python -m benchmarks.week`.

Both sides have the same submissions and the same checks, on stock nbgrader in the kernel with Keras. What it has no
command for is left there to hands and eyes, which nothing here can measure.
"""

import argparse
import shlex
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.many_submissions import ASSIGNMENTS, KINDS, SIDES, hand_in, prepare, run

ASSIGNMENT = ASSIGNMENTS[0]
STOCK, OURS = "stock nbgrader", "here"

CHANGED = """
from dataclasses import replace
from autograde_tests.checking import load_checks
_was = load_checks()["pad2d"]
def _evenly(rng):
    return [replace(one, weight=1.0) for one in _was.make_cases(rng)]
load_checks()["pad2d"] = replace(_was, make_cases=_evenly)
"""
"""Lines of a nbgrader_config.py that make a check another one: every case of it is worth the same."""


@dataclass(frozen=True)
class Step:
    """A part of the week: what it is, and the commands for it on both sides; none where there is none."""

    what: str
    stock: tuple[str, ...]
    ours: tuple[str, ...]

    def commands(self, side: str) -> tuple[str, ...]:
        return self.stock if side == STOCK else self.ours


_HAND_OUT = (
    f'nbgrader db assignment add {ASSIGNMENT} --duedate "2026-11-20 22:00 UTC"',
    f"nbgrader generate_assignment {ASSIGNMENT} --force",
    f"nbgrader release_assignment {ASSIGNMENT}",
)
_GIVE_BACK = (f"nbgrader generate_feedback {ASSIGNMENT} --force", f"nbgrader release_feedback {ASSIGNMENT}")

COLLECT = Step("collect what was handed in", *[(f"nbgrader collect {ASSIGNMENT}",)] * 2)
CHECK_CHANGED = Step(
    "a check has changed: look who gains, grade again",
    (f"nbgrader autograde {ASSIGNMENT} --force", *_GIVE_BACK),
    (f"convblocks regrade {ASSIGNMENT}", f"convblocks regrade {ASSIGNMENT} --apply", *_GIVE_BACK),
)
WEEK = (
    Step("who is in the class", ("nbgrader db student import class.csv",), ("convblocks roster class.csv",)),
    Step("hand out the assignment", _HAND_OUT, _HAND_OUT),
    COLLECT,
    Step("grade them", (f"nbgrader autograde {ASSIGNMENT}",), (f"convblocks grade {ASSIGNMENT}",)),
    Step("where it stands, what went wrong", (), ("convblocks status",)),
    Step("give feedback back", _GIVE_BACK, _GIVE_BACK),
    CHECK_CHANGED,
    Step("two days more for one student", (), (f"convblocks extend {ASSIGNMENT} student0000 48",)),
    Step("who needs help, what was misunderstood", (), (f"convblocks report {ASSIGNMENT}",)),
    Step("whose work is alike", (), (f"convblocks similar {ASSIGNMENT}",)),
    Step(
        "points for the learning platform",
        (),
        ("nbgrader export --exporter=grading.export.CanvasExport --to=canvas.csv",),
    ),
)


def measure(place: Path, students: int) -> dict[str, list[float]]:
    """Seconds of every step of WEEK, by side. place: an empty folder for two courses."""
    courses = {STOCK: place / "stock", OURS: place / "ours"}
    for (side, course), instead in zip(courses.items(), (next(iter(SIDES.values())), ""), strict=True):
        prepare(course, instead, 0, [ASSIGNMENT])
        config = course / "nbgrader_config.py"
        exchange = f'c.CourseDirectory.course_id = "convblocks"\nc.Exchange.root = {str(course / "exchange")!r}\n'
        config.write_text(config.read_text() + exchange * (side == STOCK))
        (course / "class.csv").write_text("".join(_class(students)))
    seconds: dict[str, list[float]] = {STOCK: [], OURS: []}
    for step in WEEK:
        for side, course in courses.items():
            if step is COLLECT:
                _hand_in(course, students)
            if step is CHECK_CHANGED and side == OURS:
                config = course / "nbgrader_config.py"
                config.write_text(config.read_text() + CHANGED)
            seconds[side].append(sum(run(course, *shlex.split(command)) for command in step.commands(side)))
    return seconds


def _class(students: int) -> Iterator[str]:
    yield "id,first_name,last_name,email,lms_user_id\n"
    for number in range(students):
        yield f"student{number:04},Nomen,Nescio {number},student{number:04}@example.org,{1000 + number}\n"


def _hand_in(course: Path, students: int) -> None:
    """Put the class' work into the exchange, as `nbgrader submit` would."""
    stamp = "2026-11-20 20:00:00 UTC"
    for number in range(students):
        folder = course / "exchange" / "convblocks" / "inbound" / f"student{number:04}+{ASSIGNMENT}+{stamp}"
        hand_in(course / "release" / ASSIGNMENT, folder, KINDS[number % len(KINDS)])
        (folder / "timestamp.txt").write_text(stamp)
        (folder / "submission_secret.txt").write_text(f"nobody knows that of {number}")


def show(seconds: dict[str, list[float]], console: Console) -> None:
    """Print the week as a table."""
    table = Table("", *(f"{side}: {what}" for side in seconds for what in ("commands", "seconds")))
    for number, step in enumerate(WEEK):
        cells = [
            (str(len(step.commands(side))), f"{values[number]:.1f}") if step.commands(side) else ("by hand", "")
            for side, values in seconds.items()
        ]
        table.add_row(step.what, *cells[0], *cells[1])
    table.add_section()
    counts = {side: sum(len(step.commands(side)) for step in WEEK) for side in seconds}
    totals = [one for side, values in seconds.items() for one in (str(counts[side]), f"{sum(values):.1f}")]
    table.add_row("all that there is a command for", *totals)
    console.print(table)
    both = [number for number, step in enumerate(WEEK) if step.stock]
    stock, ours = (sum(values[number] for number in both) for values in seconds.values())
    console.print(
        f"What both have commands for: {stock / 60:.1f} and {ours / 60:.1f} minutes, {stock / ours:.1f} times."
    )


def main() -> None:
    """Go through the week on both sides and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.week", description=main.__doc__)
    parser.add_argument("--students", type=int, default=30, help="of the class (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        show(measure(Path(folder), options.students), Console())


if __name__ == "__main__":
    main()
