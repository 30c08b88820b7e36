"""One class in which every attack is a student, between two honest ones, graded by one run of the real nbgrader."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook, MissingEntry

from . import Attack, Place

ROOT = Path(__file__).resolve().parent.parent.parent
NEIGHBOURS = ("ada", "zoe")
"""Before and behind all attackers in the alphabet; both have all 12 points."""

SECRET = "SECRET-OF-THE-INSTRUCTOR"
HIDDEN = ("def pad2d_cases", "def conversation", "hidden ideas")
"""What can be read in the hidden tests alone."""

PRELUDE = """
HOME, COURSE, LOOT, ME, TAG, PORT, TOKEN = {home!r}, {course!r}, {loot!r}, {me!r}, {tag!r}, {port}, {token!r}
def show(*things):
    print(*(str(thing)[:200_000] for thing in things))
"""


@dataclass
class Run:
    """What became of the class: `output` and exit `code` of nbgrader, `scores` by student, `heard` by the listener."""

    place: Place
    output: str = ""
    code: int = 0
    scores: dict[str, float | None] = field(default_factory=dict)
    heard: bytes = b""
    survivors: list[str] = field(default_factory=list)

    def pages(self, student: str) -> str:
        """All that grading made of a student's work: the graded notebook and the feedback page."""
        folders = [self.place.course / kind / student / "1-padding" for kind in ("autograded", "feedback")]
        return "\n".join(
            file.read_text(errors="replace")
            for folder in folders
            if folder.is_dir()
            for file in folder.glob("padding.*")
        )


def hand_in(attack: Attack, place: Place) -> None:
    """Write an attacker's submission."""
    folder = place.submission(attack.student)
    folder.mkdir(parents=True)
    notebook = _solved("output_size")
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
    above = next(number for number, cell in enumerate(notebook.cells) if cell.id == "padding_amounts")
    if attack.cell:
        notebook.cells.insert(above, new_code_cell(attack.cell, id="attack"))
    if attack.cell or attack.functions:
        notebook.cells.insert(1, new_code_cell(prelude, id="prelude"))
    if attack.change:
        attack.change(notebook, folder, place)
    if notebook.get("cells") is not None and not os.path.lexists(folder / "padding.ipynb"):
        # nbformat refuses some of what a student can type into a file.
        (folder / "padding.ipynb").write_text(json.dumps(notebook))


def _solved(*functions: str):
    """The released notebook with these functions written."""
    solution = nbformat.read(ROOT / "solutions" / "1-padding" / "padding.ipynb", as_version=4)
    solved = {cell.id: cell.source for cell in solution.cells}
    notebook = nbformat.read(ROOT / "release" / "1-padding" / "padding.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.id in functions:
            cell.source = solved[cell.id]
    return notebook


def grade(attacks: list[Attack], root: Path, config: Path, *options: str) -> Run:
    """Let them all hand in, grade them with the real commands, and look what happened."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = Place(root, listener.getsockname()[1], f"convblocks-{os.getpid()}")
        run = Run(place)
        threading.Thread(target=_listen, args=(listener, run), daemon=True).start()
        for folder in (place.course, place.home, place.loot):
            folder.mkdir(parents=True)
        (place.home / "secret.txt").write_text(SECRET)
        shutil.copytree(ROOT / "source" / "1-padding", place.course / "source" / "1-padding")
        shutil.copy(config, place.course / "nbgrader_config.py")
        _nbgrader(run, "generate_assignment", "1-padding")
        for student in NEIGHBOURS:
            notebook = _solved("output_size", "padding_amounts", "pad2d")
            notebook.cells.append(new_markdown_cell(SECRET, id="secret"))
            place.submission(student).mkdir(parents=True)
            nbformat.write(notebook, place.submission(student) / "padding.ipynb")
        with Gradebook(f"sqlite:///{place.course}/gradebook.db") as gradebook:
            gradebook.add_student("ada", email=SECRET)
            for attack in attacks:
                entry = {key.replace("-", "_"): value for key, value in attack.roster.items()}
                gradebook.add_student(attack.student, **entry)
        for attack in attacks:
            hand_in(attack, place)
        run.output, run.code = _nbgrader(run, "autograde", "1-padding", *options)
        feedback, code = _nbgrader(run, "generate_feedback", "1-padding")
        exported, exit_code = _nbgrader(run, "export")
        run.output, run.code = run.output + feedback + exported, run.code or code or exit_code
        run.scores = _scores(place)
        run.survivors = _survivors()
    return run


def _nbgrader(run: Run, *arguments: str) -> tuple[str, int]:
    place = run.place
    environment = os.environ | {"HOME": str(place.home), "SECRET": SECRET, "PYTHONPATH": str(ROOT)}
    environment["CONVBLOCKS_EXCHANGE"] = str(place.root / "exchange")
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(
        command, cwd=place.course, env=environment, capture_output=True, text=True, errors="replace", timeout=1500
    )
    return done.stdout + done.stderr, done.returncode


def _listen(listener: socket.socket, run: Run) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            run.heard += connection.recv(1000)


def _scores(place: Place) -> dict[str, float | None]:
    found = {}
    with Gradebook(f"sqlite:///{place.course}/gradebook.db") as gradebook:
        for student in gradebook.students:
            try:
                found[student.id] = gradebook.find_submission("1-padding", student.id).score
            except MissingEntry:
                found[student.id] = None
    return found


def _survivors() -> list[str]:
    """Command lines of processes that attacks have started and that are still there."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        said = " ".join(process.info["cmdline"] or [])
        if "attack-" in said or "/course/inside/start_kernel.py" in said:
            found.append(said[:200])
    return found
