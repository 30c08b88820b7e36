"""Preprocessors that make release/ and solutions/ from source/ the way this course wants them."""

import argparse
import ast
import contextlib
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from nbgrader import preprocessors
from nbgrader.converters import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution

from grading.course import instead
from grading.mending import called_check


class ClearSolutions(preprocessors.ClearSolutions):
    """nbgrader's own, with a stub of its own for a cell whose metadata give one as `convblocks.stub`.

    The toolbox cell's stub is the call that brings a student's earlier functions over.
    """

    def preprocess_cell(self, cell, resources, cell_index):
        stub = cell.metadata.pop("convblocks", {}).get("stub")
        if stub is None:
            return super().preprocess_cell(cell, resources, cell_index)
        usual, self.code_stub = self.code_stub, {**self.code_stub, resources["language"]: stub}
        try:
            return super().preprocess_cell(cell, resources, cell_index)
        finally:
            self.code_stub = usual


class RefuseUnchecked(NbGraderPreprocessor):
    """Refuses an assignment with a cell that is neither graded by a check, for the cell's points, nor by hand."""

    def preprocess_cell(self, cell, resources, cell_index):
        if not is_grade(cell) or is_solution(cell):
            return cell, resources
        own, notebook = cell.metadata.nbgrader, resources["nbgrader"]["notebook"]
        if not called_check(cell.source)[0]:
            raise NbGraderException(
                f"cell {own.grade_id} of {notebook} is graded, but calls "
                'no check("…", function, points=…): its points could be forged. Let it call one, or grade it by hand.'
            )
        for said in _points_said(cell.source):
            if said != own.points:
                raise NbGraderException(
                    f"cell {own.grade_id} of {notebook} is worth {own.points:g} points, and its call of check says "
                    f"{said:g}: let both say the same."
                )
        return cell, resources


def _points_said(source: str) -> list[float]:
    """The points that calls of `check` hand over, as far as they are numbers; none where the code is no Python."""
    try:
        calls = [one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.Call)]
    except SyntaxError:
        return []
    given = [one for call in calls if ast.unparse(call.func) == "check" for one in call.keywords if one.arg == "points"]
    return [one.value.value for one in given if isinstance(one.value, ast.Constant)]


class RunSolution(preprocessors.Execute):
    """nbgrader's own, in which the course's own code may take as long as it takes: training does on a busy machine."""

    def __init__(self, **settings):
        # Over nbgrader's half a minute, and what a course allows its submissions.
        super().__init__(**settings, timeout_func=lambda cell: None)


class FinishSolutions(NbGraderPreprocessor):
    """After a solution has run: refuse errors, drop what only nbgrader reads and what differs from run to run."""

    MARKERS = ("### BEGIN SOLUTION", "### END SOLUTION")

    def preprocess(self, nb, resources):
        # The version of the Python that ran it would make every machine's solutions differ.
        nb.metadata.language_info = {"name": "python"}
        nb.metadata.pop("widgets", None)
        return super().preprocess(nb, resources)

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type != "code":
            return cell, resources
        for output in cell.outputs:
            if output.output_type == "error":
                raise RuntimeError(
                    f"the solution of {resources['nbgrader']['notebook']} does not run: cell {cell.id} raised "
                    f"{output.ename}: {output.evalue}"
                )
        cell.outputs = [one for one in cell.outputs if one.output_type != "stream" or one.name != "stderr"]
        for output in cell.outputs:
            # A widget's number is another one in each run, and without a kernel only its still picture is left of it.
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
        cell.source = "\n".join(line for line in cell.source.split("\n") if line.strip() not in self.MARKERS)
        cell.metadata.pop("convblocks", None)
        return cell, resources


class NotGenerated(Exception):
    """An assignment cannot be generated; the text names it, and says why in words for its author."""


def main() -> None:
    """Make release/ and solutions/ anew, with nbgrader's own commands, of the assignments that have changed since."""
    parser = argparse.ArgumentParser(prog="python -m grading.generate", description=main.__doc__)
    parser.add_argument("assignments", nargs="*", metavar="assignment", help="to be made anew in any case")
    root = Path(__file__).resolve().parent.parent
    assignments, there = parser.parse_args().assignments, _assignments(root)
    for unknown in sorted({*assignments} - {*there}):
        parser.exit(2, f"Nothing was generated: source/ has no assignment {unknown}{instead(unknown, there)}.\n")
    try:
        generate_course(root, assignments)
    except NotGenerated as reason:
        parser.exit(1, f"{reason}\n")


def generate_course(course: Path, assignments: Sequence[str] = ()) -> None:
    """Make release/ and solutions/ of these assignments in `course` without touching a class' gradebook.

    Without names: of all of which a file has changed since they were last made here, or one that goes into all of them.
    Solutions that would differ in nothing but what differs from run to run stay as they are.

    Raises NotGenerated; what there was of that assignment is there then as it was.
    """
    made = course / ".cache" / "generated"
    made.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as aside:
        # A gradebook with submissions refuses changes of cells, and this is about files alone.
        database = f"--db=sqlite:///{aside}/generate.db"
        for assignment in assignments or _assignments(course):
            mark = made / assignment
            if not assignments and mark.is_file() and mark.read_text() == _fingerprint(course, assignment):
                continue
            solutions = course / "solutions" / assignment
            before = {path: path.read_text(encoding="utf-8") for path in solutions.glob("*.ipynb")}
            with _kept(Path(aside), *(course / room / assignment for room in ("release", "solutions"))):
                for command in ("generate_assignment", "generate_solution"):
                    print(f"{command} {assignment}", flush=True)
                    _nbgrader(course, command, assignment, database)
            for path, text in before.items():
                # One with the marks of a merge that met conflicts is no notebook.
                with contextlib.suppress(FileNotFoundError, nbformat.reader.NotJSONError):
                    if lasting(text) == lasting(path.read_text(encoding="utf-8")):
                        path.write_text(text, encoding="utf-8")
            mark.write_text(_fingerprint(course, assignment))


def _assignments(course: Path) -> list[str]:
    return sorted(folder.name for folder in (course / "source").iterdir() if folder.is_dir())


@contextlib.contextmanager
def _kept(aside: Path, *folders: Path) -> Iterator[None]:
    """Put these folders back as they were where what is done to them fails; nbgrader removes before it makes."""
    with tempfile.TemporaryDirectory(dir=aside) as copies:
        there = {folder: Path(copies, str(place)) for place, folder in enumerate(folders) if folder.exists()}
        for folder, copy in there.items():
            shutil.copytree(folder, copy)
        try:
            yield
        except BaseException:
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)
                if folder in there:
                    shutil.copytree(there[folder], folder)
            raise


def _nbgrader(course: Path, command: str, assignment: str, database: str) -> None:
    """Run one of nbgrader's commands and show what it logs. Raises NotGenerated, with the reason alone."""
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", command, assignment, "--force", "--log-level=WARN", database],
        cwd=course,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        said = f"{assignment} was not generated, and release/ and solutions/ have of it what they had"
        raise NotGenerated(f"{said}: {_reason(done.stdout)}")
    print(done.stdout, end="", file=sys.stderr, flush=True)


# A traceback ends so; nbgrader's log sets it in by four.
_RAISED = re.compile(r"(?: {4})?(?:[\w.]*\.)?([A-Za-z_]\w*): (.+)")
# What the steps above say is a sentence of its own.
_SAYS_ALL = ("RuntimeError", NbGraderException.__name__)


def _reason(log: str) -> str:
    """Why nbgrader failed: the last error that was raised, or else what it said last."""
    if raised := [found for found in map(_RAISED.fullmatch, log.splitlines()) if found]:
        name, text = raised[-1].groups()
        return text if name in _SAYS_ALL else f"{name}: {text}"
    return " ".join(log.rpartition("| ERROR] ")[2].split()) or "nbgrader ended without a word"


def lasting(solution: str) -> nbformat.NotebookNode:
    """A solution's notebook without what comes from training or from the system's Graphviz, in cells tagged as that."""
    nb = nbformat.reads(solution, as_version=4)
    for cell in nb.cells:
        if "machine-dependent" in cell.metadata.get("tags", []):
            cell.outputs = [output.output_type for output in cell.outputs]
    return nb


def _fingerprint(course: Path, assignment: str) -> str:
    """Of all that goes into an assignment's release/ and solutions/, and of what has come out."""
    folders = [course / "convblocks", *(course / room / assignment for room in ("source", "release", "solutions"))]
    files = [course / "nbgrader_config.py", course / "requirements.lock", Path(__file__)]
    files += [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    digest = hashlib.sha256()
    for path in files:
        # What Python and JupyterLab leave beside them goes nowhere.
        if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts):
            digest.update(f"{path.name} {path.stat().st_size} ".encode() + path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
