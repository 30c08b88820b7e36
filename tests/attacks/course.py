"""One class in which every attack is a student, between two honest ones, graded by one run of the real commands."""

import contextlib
import csv
import ctypes
import functools
import json
import os
import re
import selectors
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook, MissingEntry

from . import Attack, Place

ROOT = Path(__file__).resolve().parent.parent.parent
NEIGHBOURS = ("ada", "zoe")
"""Before and behind all attackers in the alphabet; both have written everything."""

SECRET = "SECRET-OF-THE-INSTRUCTOR"
LINKED = "eve-linked-sockets"
"""A socket in the root of the run, named after who would get the grader to call there."""

HIDDEN = ("def pad2d_cases", "def conversation", "hidden ideas")
"""What can be read in the hidden tests alone."""

SEED = "2026"
"""The course's, for stock as well."""

NBGRADER = ("nbgrader", "autograde")
CONVBLOCKS = ("grading.cli", "grade", "--workers=2")
"""Modules and their arguments: one submission after another, and two at once."""

PRELUDE = """
HOME, COURSE, LOOT, ME, TAG, PORT, TOKEN = {home!r}, {course!r}, {loot!r}, {me!r}, {tag!r}, {port}, {token!r}
def show(*things):
    print(*(str(thing)[:200_000] for thing in things))
"""


@dataclass
class Run:
    """What became of the class: `output` and exit `code` of the commands, `scores` by student, `heard` by the listener."""

    place: Place
    output: str = ""
    code: int = 0
    scores: dict[str, float | None] = field(default_factory=dict)
    heard: str = ""
    survivors: list[str] = field(default_factory=list)

    def pages(self, student: str) -> str:
        """All that grading made of a student's work: the graded notebook and the feedback page."""
        return self._read("autograded", student) + self._read("feedback", student)

    def _read(self, kind: str, student: str) -> str:
        lesson = self.place.lesson
        folder = self.place.course / kind / student / lesson.assignment
        files = folder.glob(f"{lesson.notebook}.*") if folder.is_dir() else []
        return "\n".join(file.read_text(errors="replace") for file in files if file.is_file())

    def effects(self, attack: Attack) -> set[str]:
        """What an attack has done, in the words of STOCK."""
        student, score = attack.student, self.scores.get(attack.student)
        pages = self.pages(student)
        return {
            effect
            for effect, seen in {
                "points": score is not None and score > attack.honest,
                "leak": any(words in pages for words in (SECRET, *HIDDEN)),
                "effect": bool(self._traces(attack)),
                "page": score is None or not self._read("feedback", student),
                "stops": any(self.scores.get(one) != self.place.lesson.points for one in NEIGHBOURS),
            }.items()
            if seen
        }

    def _traces(self, attack: Attack) -> list[str]:
        """What an attack has left outside of its notebook, or active in a page or table."""
        student = attack.student
        traces = [file.name for file in self.place.loot.iterdir() if file.name == student]
        traces += re.findall(re.escape(student) + r"\b(?!-)", self.heard)
        traces += [said for said in self.survivors if re.search(rf"attack-{attack.name}\b(?!-)", said)]
        page = self._read("feedback", student)
        # Parsing takes a while.
        if "EVIL" in page:
            traces += [str(tag)[:80] for tag in BeautifulSoup(page, "html.parser").find_all() if _acts(tag)]
        table = (self.place.course / "grades.csv").read_text().splitlines()
        rows = [row for row in csv.DictReader(table) if row["student_id"] == student]
        return traces + [value for row in rows for value in row.values() if value[:1] in ("=", "+", "@")]


def _acts(tag) -> bool:
    """Whether an element of a page would do something of EVIL."""
    if tag.name == "script":
        return "EVIL" in tag.text
    return any(
        "EVIL" in str(value) and (name[:2] == "on" or "javascript:" in str(value)) for name, value in tag.attrs.items()
    )


def hand_in(attack: Attack, place: Place) -> None:
    """Write an attacker's submission."""
    folder, lesson = place.submission(attack.student), place.lesson
    folder.mkdir(parents=True)
    notebook = _solved(place, *lesson.functions[:1])
    prelude = PRELUDE.format(
        home=str(place.home),
        course=str(place.course),
        loot=str(place.loot),
        me=attack.student,
        tag=f"attack-{attack.name}",
        port=place.port,
        token=place.token,
    )
    for cell in notebook.cells:
        if cell.id in attack.functions:
            cell.source = attack.functions[cell.id]
    above = next(number for number, cell in enumerate(notebook.cells) if cell.id == lesson.functions[1])
    if attack.cell:
        notebook.cells.insert(above, new_code_cell(attack.cell, id="attack"))
    if attack.cell or attack.functions:
        notebook.cells.insert(1, new_code_cell(prelude, id="prelude"))
    if attack.change:
        attack.change(notebook, folder, place)
    if notebook.get("cells") is not None and not os.path.lexists(folder / f"{lesson.notebook}.ipynb"):
        # nbformat refuses some of what a student can type into a file.
        (folder / f"{lesson.notebook}.ipynb").write_text(json.dumps(notebook))


def _solved(place: Place, *functions: str):
    """The released notebook with these functions written."""
    name = f"{place.lesson.assignment}/{place.lesson.notebook}.ipynb"
    solution = nbformat.read(ROOT / "solutions" / name, as_version=4)
    solved = {cell.id: cell.source for cell in solution.cells}
    notebook = nbformat.read(place.course / "release" / name, as_version=4)
    for cell in notebook.cells:
        if cell.id in functions:
            cell.source = solved[cell.id]
    return notebook


def ask_keras() -> None:
    """Have the answers to all checks ready: asking Keras takes longer than a cell or a notebook may here."""
    subprocess.run([sys.executable, "-m", "autograde_tests", "--seed", SEED], cwd=ROOT, check=True, capture_output=True)


def grade(
    attacks: list[Attack], root: Path, config: str, command: Sequence[str] = NBGRADER, python="", patience: float = 1500
) -> Run:
    """Let them all hand in, grade them with the real commands, and look what happened.

    attacks: of one lesson. config: text of nbgrader_config.py. command: a module and its arguments besides the
    assignment, to grade with; it is killed after `patience` seconds. python: one in which the course is installed; this
    one where empty.
    """
    lesson = attacks[0].lesson
    token = f"convblocks-{os.getpid()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as calls,
        socket.socket(type=socket.SOCK_DGRAM) as packets,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_UNIX) as file,
    ):
        place = Place(root, lesson, calls.getsockname()[1], token)
        packets.bind(("127.0.0.1", place.port))
        abstract.bind(f"\0{token}")
        abstract.listen()
        root.mkdir(exist_ok=True)
        file.bind(str(root / LINKED))
        file.listen()
        run = Run(place)
        start = functools.partial(run_command, run, python)
        threading.Thread(target=_listen, args=(run, calls, packets, abstract, file), daemon=True).start()
        for folder in (place.course, place.home, place.loot):
            folder.mkdir(parents=True, exist_ok=True)
        (place.home / "secret.txt").write_text(SECRET)
        set_up(place, config)
        start("nbgrader", "generate_assignment", lesson.assignment)
        for student in NEIGHBOURS:
            notebook = _solved(place, *lesson.functions)
            notebook.cells.append(new_markdown_cell(SECRET, id="secret"))
            place.submission(student).mkdir(parents=True)
            nbformat.write(notebook, place.submission(student) / f"{lesson.notebook}.ipynb")
        with Gradebook(f"sqlite:///{place.course}/gradebook.db") as gradebook:
            gradebook.add_student("ada", email=SECRET)
            for attack in attacks:
                entry = {key.replace("-", "_"): value for key, value in attack.roster.items()}
                gradebook.add_student(attack.student, **entry)
        for attack in attacks:
            hand_in(attack, place)
        before = psutil.Process().children(recursive=True)
        with _adopting():
            start(*command, lesson.assignment, patience=patience)
            run.survivors = _survivors(before)
        start("nbgrader", "generate_feedback", lesson.assignment)
        start("nbgrader", "export")
        run.scores = scores_of(place)
    return run


def set_up(place: Place, config: str) -> None:
    """The course's folder with the lesson's source."""
    name = f"{place.lesson.assignment}/{place.lesson.notebook}.ipynb"
    notebook = nbformat.read(ROOT / "source" / name, as_version=4)
    if place.lesson.bare:
        notebook.cells = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
        for cell in notebook.cells:
            visible, mark, hidden = cell.source.partition("### BEGIN HIDDEN TESTS")
            cell.source = f"# Is it right?\n{mark}{hidden}" if mark else visible
    source = place.course / "source" / name
    source.parent.mkdir(parents=True)
    nbformat.write(notebook, source)
    (place.course / "nbgrader_config.py").write_text(config)


def run_command(run: Run, python: str, module: str, *arguments: str, patience: float = 300) -> None:
    """Run one command, `python -m module …`; what it said and whether it failed is added to the run."""
    place = run.place
    environment = {
        "HOME": str(place.home),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "SECRET": SECRET,
        "PYTHONPATH": "" if python else str(ROOT),
        # Where nbconvert finds its templates.
        "JUPYTER_PATH": f"{sys.prefix}/share/jupyter",
        "CONVBLOCKS_EXCHANGE": str(place.root / "exchange"),
        "CONVBLOCKS_SEED": SEED,
    }
    with (place.root / "log.txt").open("a+b") as log:
        start = log.tell()
        command = subprocess.Popen(
            # An option that nobody reads, but whoever reads the command line.
            [python or sys.executable, "-X", f"secret={SECRET}", "-m", module, *arguments],
            cwd=place.course,
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            run.code = command.wait(patience) or run.code
        except subprocess.TimeoutExpired:
            command.kill()
            run.code = command.wait()
        log.seek(start)
        run.output += log.read().decode(errors="replace")


def _listen(run: Run, calls: socket.socket, packets: socket.socket, *others: socket.socket) -> None:
    """Keep what arrives from anywhere, until the sockets are closed."""
    with selectors.DefaultSelector() as selector:
        for one in (calls, packets, *others):
            selector.register(one, selectors.EVENT_READ)
        while calls.fileno() >= 0:
            for key, _ in selector.select(1):
                try:
                    if key.fileobj is packets:
                        heard = packets.recv(1000)
                    else:
                        run.heard += f"{key.fileobj.getsockname()}\n"
                        connection, _ = key.fileobj.accept()
                        with connection:
                            connection.settimeout(2)
                            heard = connection.recv(1000)
                except OSError:
                    continue
                run.heard += heard.decode(errors="replace") + "\n"


def scores_of(place: Place) -> dict[str, float | None]:
    """The score of every student in the gradebook, None where there is none."""
    found = {}
    with Gradebook(f"sqlite:///{place.course}/gradebook.db") as gradebook:
        for student in gradebook.students:
            try:
                found[student.id] = gradebook.find_submission(place.lesson.assignment, student.id).score
            except MissingEntry:
                found[student.id] = None
    return found


@contextlib.contextmanager
def _adopting():
    """Be the parent of all that loses its own, so that what is left of this run is told from another's."""
    set_child_subreaper = functools.partial(ctypes.CDLL(None).prctl, 36)
    set_child_subreaper(1)
    yield
    set_child_subreaper(0)


def _survivors(before: Sequence[psutil.Process]) -> list[str]:
    """Command lines of processes that attacks have started and that are still there. before: those of other tests."""
    found = {}
    for process in {*psutil.Process().children(recursive=True)} - {*before}:
        said = " ".join(process.as_dict(["cmdline"])["cmdline"] or [])
        if "attack-" in said or "/inside/warm_parent.py" in said:
            found[process] = said[:400]
    # What has just been killed needs a moment.
    _, alive = psutil.wait_procs(found, timeout=2)
    return [found[process] for process in alive]
