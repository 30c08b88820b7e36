"""Take in what students handed in: use what can be used, say what cannot, and let no file cost another."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.exchange.default import ExchangeCollect

UNUSABLE = "unusable_submission"
"""Key of the metadata of a notebook that stands for a file that could not be used."""


@dataclass
class Wanted:
    """A notebook of the assignment as the gradebook knows it.

    cells: for every cell that nbgrader knows, by its grade_id, its `source` and its nbgrader `metadata`.
    """

    name: str
    cells: dict[str, dict] = field(default_factory=dict)

    @property
    def graded(self) -> list[str]:
        """The ids of the graded cells."""
        return [name for name, cell in self.cells.items() if cell["metadata"]["grade"]]

    @property
    def own(self) -> set[str]:
        """The ids that no other notebook has, functions and their checks."""
        return set(self.cells) - {"toolbox", "imports"}


def wanted_notebooks(db_url: str, assignment: str) -> list[Wanted]:
    """The notebooks that an assignment consists of; empty for an assignment that was never generated."""
    with Gradebook(db_url) as gradebook:
        try:
            notebooks = gradebook.find_assignment(assignment).notebooks
        except MissingEntry:
            return []
        return [_wanted(notebook) for notebook in notebooks]


def _wanted(notebook) -> Wanted:
    points = {cell.name: cell.max_score for cell in notebook.grade_cells}
    solutions = {cell.name for cell in notebook.solution_cells}
    wanted = Wanted(notebook.name)
    for cell in notebook.source_cells:
        metadata = {
            "grade": cell.name in points,
            "grade_id": cell.name,
            "locked": bool(cell.locked),
            "schema_version": 3,
            "solution": cell.name in solutions,
            "task": False,
            "cell_type": str(cell.cell_type),
        }
        metadata |= {"points": points[cell.name]} if cell.name in points else {}
        wanted.cells[cell.name] = {"source": cell.source, "metadata": metadata}
    return wanted


def find_problem(path: Path, wanted: Wanted) -> str:
    """What makes a submitted file unusable, in a sentence for a person; "" when it can be graded."""
    if not path.is_file():
        others = sorted(other.name for other in path.parent.glob("*.ipynb")) if path.parent.is_dir() else []
        beside = f"; there is {', '.join(others)}" if others else ""
        return f"{path.name} was not handed in{beside}"
    text = path.read_bytes()
    if not text.strip():
        return f"{path.name} is an empty file"
    try:
        notebook = nbformat.reads(text.decode("utf-8-sig"), as_version=4)
        sources = [str(cell.source) for cell in notebook.cells]
        ids = {_grade_id(cell) for cell in notebook.cells}
    except (UnicodeDecodeError, json.JSONDecodeError, nbformat.reader.NotJSONError):
        return f"{path.name} is not a notebook: its content is not JSON, perhaps cut off on its way"
    except Exception as error:
        return f"{path.name} is not a notebook that can be read ({type(error).__name__}: {str(error)[:200]})"
    theirs = {name for name in ids - {None, "toolbox", "imports"} if isinstance(name, str)}
    functions = "|".join(re.escape(name) for name in wanted.own - set(wanted.graded))
    defined = re.compile(rf"^\s*def\s+({functions})\s*\(", re.MULTILINE)
    # Names of functions count where nbgrader's ids are lost; elsewhere they may have come over from other notebooks.
    if not theirs & wanted.own and (theirs or not any(defined.search(source) for source in sources)):
        return f"{path.name} is another notebook: none of the cells and functions of this assignment are in it"
    return ""


class Collect(ExchangeCollect):
    """nbgrader's collect, except that of each student the newest submission *that can be used* is taken.

    Where there is none, the newest is taken as it is, so that its feedback can say what was wrong.
    """

    def init_src(self):
        super().init_src()
        wanted = wanted_notebooks(self.coursedir.db_url, self.coursedir.assignment_id)
        self.src_records = [self._newest_usable(record, wanted) for record in self.src_records]

    def _newest_usable(self, newest: dict, wanted: list[Wanted]) -> dict:
        folders = Path(self.inbound_path).glob(f"{newest['username']}+{self.coursedir.assignment_id}+*")
        records = self._sort_by_timestamp([self._path_to_record(str(folder)) for folder in folders])
        fewest, best = len(wanted), newest
        for record in [one for one in records if one["timestamp"] <= newest["timestamp"]]:
            folder = Path(self.inbound_path) / record["filename"]
            problems = list(filter(None, (find_problem(folder / f"{one.name}.ipynb", one) for one in wanted)))
            if problems:
                self.log.error("%s, submitted at %s: %s", record["username"], record["timestamp"], "; ".join(problems))
            # Newest first, so of equally good ones the newest is taken.
            if len(problems) < fewest:
                fewest, best = len(problems), record
            if not problems:
                break
        return best


class SubmissionExporter(NotebookExporter):
    """Reads submissions for nbgrader's autograde.

    A file that cannot be used is replaced, for grading, by the released notebook with the reason on top: no points, but
    a feedback page that says why. Where an earlier submission of that notebook has been graded, that one stays instead.
    Graded cells that a student lost are added at the end.
    """

    def __init__(self, config=None, **kwargs):
        super().__init__(config=config, **kwargs)
        # The converter makes its exporter before it removes anything, which is the moment to hold submissions back.
        if isinstance(self.parent, Autograde):
            self._prepare(self.parent)

    def _prepare(self, converter: Autograde) -> None:
        only = converter.coursedir.notebook_id
        for folder in list(converter.assignments):
            assignment, student = _ids(converter, folder)
            wanted = wanted_notebooks(converter.coursedir.db_url, assignment)
            paths = {one.name: Path(converter.coursedir.root, folder, f"{one.name}.ipynb") for one in wanted}
            problems = {one.name: find_problem(paths[one.name], one) for one in wanted if only in ("*", one.name)}
            problems = {name: problem for name, problem in problems.items() if problem}
            graded = Path(converter.coursedir.root, converter._format_dest(assignment, student))
            if any(_is_graded(graded / f"{name}.ipynb") for name in problems):
                self.log.error(
                    "%s, %s: %s. The submission graded before stays as it is.",
                    student,
                    assignment,
                    "; ".join(problems.values()),
                )
                del converter.assignments[folder]
                continue
            for problem in problems.values():
                self.log.error(
                    "%s, %s: %s. It gets no points, and feedback that says so.", student, assignment, problem
                )
            # A notebook that was not handed in is graded like one that cannot be read.
            missing = {f"{folder}/{name}.ipynb" for name in problems}
            converter.assignments[folder] = sorted({*converter.assignments[folder], *missing})

    def from_filename(self, filename, resources=None, **kwargs):
        converter = self.parent
        if not (isinstance(converter, Autograde) and converter._sanitizing):
            return super().from_filename(filename, resources=resources, **kwargs)
        ids = resources["nbgrader"]
        known = {one.name: one for one in wanted_notebooks(ids["db_url"], ids["assignment"])}
        notebook = read_submission(
            Path(filename),
            known[ids["notebook"]],
            Path(converter.coursedir.format_path(converter.coursedir.release_directory, ".", ids["assignment"])),
        )
        return self.from_notebook_node(notebook, resources=resources, **kwargs)


def read_submission(path: Path, wanted: Wanted, release: Path) -> nbformat.NotebookNode:
    """A submitted notebook ready for grading; for an unusable file the released one, with the reason on top.

    release: the folder with the assignment as it was released.
    """
    problem = find_problem(path, wanted)
    if problem:
        notebook = nbformat.read(release / f"{wanted.name}.ipynb", as_version=4)
        text = (
            f"## This notebook could not be graded\n\n**{problem}.**\n\nWhat follows is the assignment as it was "
            "released. Your own file is untouched; hand it in again and it will be graded."
        )
        notebook.cells.insert(0, new_markdown_cell(text, id="unusable"))
        notebook.metadata[UNUSABLE] = problem
        return notebook
    notebook = nbformat.reads(path.read_bytes().decode("utf-8-sig"), as_version=4)
    seen: set[str] = set()
    for cell in notebook.cells:
        name = _grade_id(cell)
        # Whatever happened to the metadata on the way, the gradebook knows what it was; of copies the first one counts.
        cell.metadata.pop("nbgrader", None)
        if name in wanted.cells and name not in seen:
            cell.metadata["nbgrader"] = NotebookNode(wanted.cells[name]["metadata"])
            seen.add(name)
    lost = [name for name in wanted.graded if name not in seen]
    if lost:
        said = ", ".join(f"`{name}`" for name in lost)
        text = f"These graded cells were missing and have been put back: {said}."
        notebook.cells.append(new_markdown_cell(text, id="lost"))
    for name in lost:
        cell = new_code_cell(wanted.cells[name]["source"], id=f"restored-{name}"[:64].replace("_", "-"))
        cell.metadata["nbgrader"] = NotebookNode(wanted.cells[name]["metadata"])
        notebook.cells.append(cell)
    return notebook


def _grade_id(cell) -> str | None:
    """The grade_id of a cell, None where there is none that is a text."""
    metadata = cell.metadata.get("nbgrader")
    name = metadata.get("grade_id") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else None


def _ids(converter: Autograde, folder: str) -> tuple[str, str]:
    """Assignment and student that a folder of submissions belongs to."""
    pattern = converter._format_source("(?P<assignment>.*)", "(?P<student>.*)", escape=True)
    found = re.match(pattern, folder)
    return found["assignment"], found["student"]


def _is_graded(path: Path) -> bool:
    """Whether there is a graded notebook that came from a file that could be used."""
    try:
        return UNUSABLE not in json.loads(path.read_text())["metadata"]
    except (OSError, ValueError, KeyError):
        return False
