"""Score any one notebook with the hidden checks, outside of nbgrader: what `pytest autograde_tests --notebook PATH` does."""

import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import PyFileConfigLoader

from autograde_tests.cases import SEED_VARIABLE
from autograde_tests.checking import Result
from convblocks.report import Line

ROOT = Path(__file__).resolve().parent.parent


def source_notebooks() -> list[Path]:
    """All notebooks of the course, in order."""
    return sorted(path for path in (ROOT / "source").glob("*/*.ipynb"))


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
    environment = os.environ | {"NBGRADER_EXECUTION": "autograde", SEED_VARIABLE: course_seed()}
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


def course_seed() -> str:
    """The seed that nbgrader_config.py gives the course."""
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
            lines = [Line(one["case"], one["agrees"], one["sentence"]) for one in data["cases"]]
            return Result(data["check"], data["points"], data["score"], lines, data["written"])
    errors = [f"{output.ename}: {output.evalue}" for output in cell.outputs if output.output_type == "error"]
    name = _grade_id(cell).removeprefix("check_")
    sentence = f"the cell stopped with {errors[0]}" if errors else "the cell gave no result"
    return Result(name, cell.metadata.nbgrader.points, 0, [Line("the check could not run", False, sentence)])
