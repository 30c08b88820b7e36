"""The course from end to end with a sample class, in a working copy: `make demo`.

Generates and releases the assignments, lets the class fetch and submit them, collects, grades, writes and releases
feedback, exports the grades; every step with nbgrader's own command, but the grading, which `convblocks grade` does.
Exits with 1 if a score is not the one deserved.
"""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from grading import sandbox
from grading.sample_class import ASSIGNMENTS, FULL, STUDENTS, Student, hand_in

ROOT = Path(__file__).resolve().parent.parent


class Demo:
    """One run of the demo in the folder `place`, which is made anew."""

    def __init__(self, place: Path, console: Console):
        self.place, self.console = place, console
        self.course, self.logs = place / "course", place / "logs"
        self.environment = os.environ | {"CONVBLOCKS_EXCHANGE": str(place / "exchange")}

    def look_for_a_sandbox(self) -> None:
        """Where there is none, say so; the sample class is trusted."""
        self.unsafe = ()
        try:
            sandbox.require()
        except sandbox.SandboxMissing as missing:
            self.console.print(f"[bold]The sample class is graded without a sandbox.[/bold] {missing}", soft_wrap=True)
            self.unsafe = ("--unsafe-no-sandbox",)

    def prepare(self) -> None:
        """A course folder of its own: what is made here never touches the checkout."""
        shutil.rmtree(self.place, ignore_errors=True)
        for folder in (self.course, self.logs, self.place / "exchange"):
            folder.mkdir(parents=True)
        shutil.copytree(ROOT / "source", self.course / "source", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        shutil.copy(ROOT / "nbgrader_config.py", self.course)

    def call(self, module: str, *arguments: str, cwd: Path | None = None) -> None:
        """Run one command; its output goes to a log, which is shown when the command fails."""
        log = self.logs / ("-".join(arguments[:2]).replace("/", "_") + f"-{(cwd or self.course).name}.txt")
        with log.open("w") as out:
            done = subprocess.run(
                [sys.executable, "-m", module, *arguments],
                cwd=cwd or self.course,
                env=self.environment,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        if done.returncode:
            sys.exit(f"{module} {' '.join(arguments)} failed:\n{log.read_text()[-3000:]}")

    def each(self, command: str, *options: str) -> None:
        """The same nbgrader command for every assignment."""
        self.steps(command, lambda assignment: self.call("nbgrader", command, assignment, *options), ASSIGNMENTS)

    def steps(self, label: str, do: Callable, what: Sequence) -> None:
        """Do it with each, under a progress bar: the first alone, since it makes what all share, then two at a time."""
        first, *others = what
        with ThreadPoolExecutor(2) as pool:

            def results() -> Iterator:
                yield do(first)
                yield from pool.map(do, others)

            for _ in track(results(), f"{label:<22}", total=len(what), console=self.console):
                pass

    def attend(self, student: Student) -> None:
        """One student fetches, writes and submits, in a folder and with a config of their own."""
        home = self.place / "students" / student.name
        home.mkdir(parents=True)
        (home / "nbgrader_config.py").write_text(
            "c = get_config()\n"
            'c.CourseDirectory.course_id = "convblocks"\n'
            f"c.Exchange.root = {str(self.place / 'exchange')!r}\n"
            f"c.Exchange.cache = {str(self.place / 'students' / student.name / '.cache')!r}\n"
        )
        self.call("nbgrader", "fetch_assignment", *student.scores, cwd=home)
        for assignment in student.scores:
            for notebook in sorted((home / assignment).glob("*.ipynb")):
                hand_in(student, notebook, self.course / "solutions" / assignment / notebook.name)
            self.call("nbgrader", "submit", assignment, f"--student={student.name}", cwd=home)

    def run(self) -> bool:
        """All of it; True when every score is the one deserved."""
        self.look_for_a_sandbox()
        self.prepare()
        self.each("generate_assignment")
        self.each("generate_solution")
        self.each("release_assignment")
        self.steps("fetch and submit", self.attend, STUDENTS)
        # The sample's files belong to whoever runs the demo, not to the students.
        self.each("collect", "--ExchangeCollect.check_owner=False")
        self.steps("grade", lambda names: self.call("grading.cli", "grade", *names, *self.unsafe), [ASSIGNMENTS])
        self.each("generate_feedback")
        self.each("release_feedback")
        self.call("nbgrader", "export")
        return self.show()

    def show(self) -> bool:
        """Print the gradebook beside what each student deserves."""
        with (self.course / "grades.csv").open(newline="") as file:
            stored = {(row["student_id"], row["assignment"]): row["score"] for row in csv.DictReader(file)}
        table = Table(
            "student", "about", *ASSIGNMENTS, title="Gradebook", caption="✗ marks a score that is not deserved"
        )
        right = True
        for student in STUDENTS:
            cells = []
            for assignment in ASSIGNMENTS:
                deserved = student.scores.get(assignment)
                # An assignment that was not handed in has no score, or 0.
                score = float(stored.get((student.name, assignment)) or 0)
                agrees = abs(score - (deserved or 0)) < 0.005
                right = right and agrees
                shown = "–" if deserved is None and agrees else f"{score:g} of {FULL[assignment]}"
                cells.append(shown if agrees else f"{shown} ✗ {deserved} deserved")
            table.add_row(student.name, student.about, *cells)
        self.console.print(table)
        self.console.print(
            f"Feedback pages: {self.course / 'feedback'}/STUDENT/ASSIGNMENT/NOTEBOOK.html", soft_wrap=True
        )
        self.console.print(f"Grades: {self.course / 'grades.csv'}", soft_wrap=True)
        self.console.print("Every score is the one deserved." if right else "Some scores are not the ones deserved.")
        return right


def main() -> None:
    """Run the demo in `.demo/` of the checkout, or in the folder given."""
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".demo"
    # A log of a build server is as wide as it likes; the table is not to be cut there.
    console = Console() if sys.stdout.isatty() else Console(width=160)
    sys.exit(0 if Demo(place.resolve(), console).run() else 1)


if __name__ == "__main__":
    main()
