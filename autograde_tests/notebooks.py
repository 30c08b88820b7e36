"""The course's notebooks outside of nbgrader: their solutions, their visible checks without a kernel, their scores.

`pytest autograde_tests --notebook PATH` scores any one notebook with the hidden checks.
"""

import ast
import contextlib
import functools
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from unittest import mock

import nbformat
from nbclient import NotebookClient
from traitlets.config import PyFileConfigLoader

from autograde_tests.cases import SEED_VARIABLE
from autograde_tests.checking import Result
from autograde_tests.misconceptions import load_bank
from convblocks.checks import NotWrittenYet, VisibleCheckFailed
from convblocks.table import Line

ROOT = Path(__file__).resolve().parent.parent


def source_notebooks() -> list[Path]:
    """All notebooks of the course, in order."""
    return sorted(path for path in (ROOT / "source").glob("*/*.ipynb"))


@dataclass(frozen=True)
class Lesson:
    """What a solutions notebook holds for one function, without a kernel.

    folder: where its cells run. before, source, between, check: the cells up to the function's solution, the solution,
    the cells from there to its visible check, and the visible check.
    """

    folder: Path
    before: list
    source: str
    between: list
    check: str

    @functools.cached_property
    def names(self) -> dict:
        """What is defined once the solution has run; the cells are run for it, their figures left out."""
        names = {"__name__": "lesson"}
        with _quietly(self.folder):
            for cell in [*self.before, self.source]:
                exec(_without_figures(cell), names)
        return names


@functools.cache
def lesson(name: str) -> Lesson:
    """The lesson of the function `name`. Raises KeyError for a function that no notebook asks for."""
    for source in source_notebooks():
        path = ROOT / "solutions" / source.relative_to(ROOT / "source")
        cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        places = {_grade_id(cell): place for place, cell in enumerate(cells) if "nbgrader" in cell.metadata}
        if f"check_{name}" in places:
            solution, check = places[name], places[f"check_{name}"]
            sources = [cell.source for cell in cells]
            before, between = sources[:solution], sources[solution + 1 : check]
            return Lesson(path.parent, before, sources[solution], between, sources[check])
    raise KeyError(f"no notebook asks for {name!r}")


def visible_result(check_name: str, function: Callable) -> str:
    """What the visible check says of `function` in place of the solution: "" when every example agrees.

    Everything around it in the notebook is the solution's. Raises KeyError for a function that no notebook asks for.
    """
    of = lesson(check_name)
    names = of.names | {check_name: function}
    with _quietly(of.folder):
        for cell in of.between:
            # In a notebook, too, the check is reached when a cell before it fails.
            with contextlib.suppress(Exception):
                exec(_without_figures(cell), names)
        try:
            exec(of.check, names)
        except (VisibleCheckFailed, NotWrittenYet) as error:
            return str(error)
    return ""


@contextlib.contextmanager
def _quietly(folder: Path):
    """In the folder, as a kernel is; as a student runs it, since autograding no visible check raises."""
    student = {name: value for name, value in os.environ.items() if name != "NBGRADER_EXECUTION"}
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(io.StringIO()),
        mock.patch.dict(os.environ, student, clear=True),
    ):
        yield


def _without_figures(cell: str) -> CodeType:
    """A cell without the lines that draw, print or check: all that leave nothing behind."""
    tree = ast.parse(cell)
    tree.body = [node for node in tree.body if not isinstance(node, ast.Expr)]
    return compile(tree, "cell", "exec")


def score_notebook(path: Path) -> Iterator[Result]:
    """Run a notebook with the source's graded cells in place of its own; a Result for each, in the lesson's order.

    The notebook is told from its name: `padding.ipynb`, wherever it lies. It is read, never written.
    Raises ValueError when no notebook of the course has that name, OSError or nbformat's errors when it cannot be read.
    """
    sources = {source.stem: source for source in source_notebooks()}
    if path.stem not in sources:
        raise ValueError(f"no notebook of the course is called {path.name}; known are {', '.join(sources)}")
    graded = [cell for cell in nbformat.read(sources[path.stem], as_version=4).cells if _is_graded(cell)]
    notebook = nbformat.read(path, as_version=4)
    own = {_grade_id(cell): place for place, cell in enumerate(notebook.cells) if _is_graded(cell)}
    for cell in graded:
        if _grade_id(cell) in own:
            notebook.cells[own[_grade_id(cell)]] = cell
        else:
            notebook.cells.append(cell)
    environment = os.environ | {"NBGRADER_EXECUTION": "autograde", SEED_VARIABLE: configured_seed()}
    client = NotebookClient(
        notebook,
        timeout=300,
        allow_errors=True,
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
    )
    client.execute(env=environment)
    for cell in graded:
        yield _result(cell)


def configured_seed() -> str:
    """The seed that nbgrader_config.py gives the course."""
    with mock.patch.dict(os.environ):
        PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
        return os.environ[SEED_VARIABLE]


def _is_graded(cell) -> bool:
    return cell.metadata.get("nbgrader", {}).get("grade", False)


def _grade_id(cell) -> str:
    return cell.metadata.nbgrader.grade_id


def _result(cell) -> Result:
    for output in cell.outputs:
        data = output.get("data", {}).get("application/vnd.convblocks.result+json")
        if data:
            lines = [Line(one["case"], one["agrees"], one["sentence"], one["worth"]) for one in data["cases"]]
            causes = [tuple(load_bank()[data["check"], one["name"]] for one in cause) for cause in data["causes"]]
            return Result(data["check"], data["points"], data["score"], lines, data["written"], data["note"], causes)
    errors = [f"{output.ename}: {output.evalue}" for output in cell.outputs if output.output_type == "error"]
    name = _grade_id(cell).removeprefix("check_")
    sentence = f"the cell stopped with {errors[0]}" if errors else "the cell gave no result"
    return Result(name, cell.metadata.nbgrader.points, 0, [Line("the check could not run", False, sentence)])
