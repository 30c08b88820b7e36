"""A course in its folders, its gradebook and the exchange, for commands that show it. Nothing here writes."""

from __future__ import annotations

import contextlib
import difflib
import glob
import json
import logging
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from nbgrader.api import Assignment, Gradebook, GradeCell, Notebook, Student, SubmittedNotebook, TaskCell
from nbgrader.apps import AutogradeApp, ZipCollectApp
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory
from nbgrader.exchange.default import Exchange
from nbgrader.utils import parse_utc
from sqlalchemy import func, make_url
from sqlalchemy.exc import SQLAlchemyError
from traitlets import TraitError
from traitlets.config import Config, Configurable
from traitlets.config.loader import DeferredConfig, LazyConfigValue

from autograde_tests.cases import course_seed
from grading.execute import results_in
from grading.files import Collector, Extractor, LeftOut, names_a_student, open_plain
from grading.gradebook import in_words
from grading.intake import GRADED, is_due, read_timestamp
from grading.reading import NOTES, UNUSABLE
from grading.sanitize import RESULT

CONFIG = Path("nbgrader_config.py")
SOME = 10
"""How many names a sentence has at most of what there is."""


class NoCourse(Exception):
    """There is no course here that can be read; the text is a sentence for a person."""


@dataclass(frozen=True)
class GradedNotebook:
    """One notebook as grading left it.

    results: what each check found, by the id of its cell, as `autograde_tests.checking.Result` tells programs.
    unusable: why the file that was handed in could not be graded, "" where it could. notes: what grading says on top of
    it, by "mended" and "did-not-run". done: whether it was graded to its end.
    """

    results: dict[str, dict] = field(default_factory=dict)
    unusable: str = ""
    notes: dict[str, str] = field(default_factory=dict)
    done: bool = False


@dataclass(frozen=True)
class Download:
    """What came out of a learning platform for `nbgrader zip_collect`.

    newer: whether something was put there since it was last unpacked; unpacked: whether anything of it was. students:
    whose work is in what was unpacked; left: what of it was not taken and is not in submitted/ by hand, by name, and
    why. These two are known of platforms' ways of naming alone. closed: of what nothing came when it was unpacked, by
    name, and why.
    """

    newer: bool = False
    unpacked: bool = False
    students: set[str] = field(default_factory=set)
    left: dict[str, str] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Course:
    """A course to be read.

    coursedir: nbgrader's own, with the names of all folders. exchange: the course's folder there; None where the
    exchange is another one than nbgrader's folders. config: what stands in its nbgrader_config.py.
    """

    coursedir: CourseDirectory
    exchange: Path | None
    config: Config

    def folder(self, step: str, student: str, assignment: str) -> Path:
        """Where nbgrader keeps an assignment of a student; step: such as `coursedir.submitted_directory`."""
        return Path(self.coursedir.format_path(step, student, assignment))

    def students(self, step: str, assignment: str) -> list[str]:
        """Whose folders there are of an assignment, sorted."""
        found = glob.glob(self.coursedir.format_path(step, "*", glob.escape(assignment)))
        return sorted(Path(folder).parts[-2] for folder in found)

    def assignments(self) -> list[str]:
        """All assignments, of the folder source/ and of the gradebook, sorted."""
        found = {Path(one).name for one in glob.glob(self.coursedir.format_path(self._source, ".", "*") + "/")}
        # A folder of headers, or of pictures, is none.
        found = set(filter(self.has_source, found))
        with self.gradebook() as gradebook:
            found |= {name for (name,) in gradebook.db.query(Assignment.name)} if gradebook else set()
        return sorted(found)

    def has_source(self, assignment: str) -> bool:
        """Whether its author's notebooks are here."""
        return bool(self.notebooks(self._source, assignment))

    def notebooks(self, step: str, assignment: str) -> list[Path]:
        """The notebooks of an assignment in source/ or release/, sorted."""
        return sorted(self.folder(step, ".", assignment).glob("*.ipynb"))

    def is_released(self, assignment: str) -> bool:
        """Whether students find it in the exchange."""
        return assignment in self._outbound()

    def is_given_out(self, assignment: str) -> bool:
        """Whether students have it, as far as can be known: where none is released, they get it in another way."""
        generated = self.notebooks(self.coursedir.release_directory, assignment)
        return self.is_released(assignment) or (bool(generated) and not self._outbound())

    def _outbound(self) -> set[str]:
        folders = glob.glob(f"{glob.escape(str(self.exchange))}/outbound/*/") if self.exchange else []
        return {Path(one).name for one in folders}

    @property
    def _source(self) -> str:
        return self.coursedir.source_directory

    @contextlib.contextmanager
    def gradebook(self) -> Iterator[Gradebook | None]:
        """nbgrader's gradebook; None where there is none yet. Raises NoCourse where it cannot be read."""
        if not has_gradebook(self.coursedir):
            yield None
            return
        try:
            with Gradebook(self.coursedir.db_url) as gradebook:
                yield gradebook
        except SQLAlchemyError as error:
            raise NoCourse(f"the gradebook cannot be read {in_words(error)}") from error

    def inbound(self, assignment: str) -> dict[str, list[tuple[datetime, Path]]]:
        """What each student has handed in of an assignment through the exchange, collected or not.

        When (UTC) and the folder of each, the newest first. What grading.intake.Collect passes over is not there.
        """
        found: dict[str, list[tuple[datetime, Path]]] = {}
        for folder in glob.glob(f"{glob.escape(str(self.exchange))}/inbound/*") if self.exchange else []:
            # As nbgrader's collect takes the name apart: an id may have a + in it.
            student, *rest = Path(folder).name.rsplit("+", 3)
            if len(rest) < 2 or rest[0] != assignment or not names_a_student(student):
                continue
            if os.path.islink(folder) or not os.path.isdir(folder):
                continue
            with contextlib.suppress(ValueError, OverflowError, TypeError):
                stamp = parse_utc(rest[1])
                found.setdefault(student, []).append((stamp, Path(folder)))
        return {student: sorted(each, reverse=True) for student, each in found.items()}

    def download(self, assignment: str, gradebook: Gradebook | None) -> Download:
        """What lies in downloaded/ of an assignment; whose it is where there is a gradebook, in which that stands."""
        # Where it lies, and whose each file is, says the command that takes it in.
        app = ZipCollectApp(config=self.config)
        app.coursedir = CourseDirectory(parent=app, assignment_id=assignment)
        archive, extracted = map(app._format_collect_path, (app.archive_directory, app.extracted_directory))
        newest = _newest(archive)
        if not newest:
            return Download()
        if not os.path.isdir(extracted):
            return Download(newer=True)
        # The folder is written when it is unpacked; what is moved to the archives may be older, but not their folder.
        newer = newest > os.stat(extracted).st_mtime_ns
        found, left, closed = set(), {}, {}
        if gradebook and issubclass(app.collector_plugin, Collector):
            found, left = app.collector_plugin(parent=app).sort_out()
        if not newer and issubclass(app.extractor_plugin, Extractor):
            closed = app.extractor_plugin(parent=app).left_out(extracted)
        by_hand = self._by_hand(assignment, found) if left else {}
        left = {name: why for name, why in left.items() if not _take_same(Path(extracted, name), by_hand)}
        return Download(newer, bool(os.listdir(extracted)), found, left, closed)

    def _by_hand(self, assignment: str, downloaded: set[str]) -> dict[int, list[Path]]:
        """By size, the files in submitted/ of those students of whom no download has anything that was taken."""
        found = {}
        for student in set(self.students(self.coursedir.submitted_directory, assignment)) - downloaded:
            for folder, _, names in os.walk(self.folder(self.coursedir.submitted_directory, student, assignment)):
                for path in (Path(folder, name) for name in names):
                    with contextlib.suppress(OSError):
                        found.setdefault(path.lstat().st_size, []).append(path)
        return found

    def collected(self, assignment: str) -> dict[str, datetime | None]:
        """When what lies in submitted/ was handed in (UTC), by student; None where nothing says so."""
        step = self.coursedir.submitted_directory
        folders = {one: self.folder(step, one, assignment) for one in self.students(step, assignment)}
        return {one: read_timestamp(folder / "timestamp.txt") for one, folder in folders.items()}

    def is_due(self, student: str, assignment: str) -> bool:
        """Whether what lies in submitted/ came after what has been graded, see `grading.intake.is_due`."""
        steps = self.coursedir.submitted_directory, self.coursedir.autograded_directory
        return is_due(*(self.folder(step, student, assignment) for step in steps))

    def graded_notebooks(self, student: str, assignment: str) -> dict[str, GradedNotebook]:
        """What grading left of a submission, by the name of the notebook; about a quarter of a millisecond each."""
        folder = self.folder(self.coursedir.autograded_directory, student, assignment)
        return {path.stem: _read(path) for path in sorted(folder.glob("*.ipynb"))}

    def checks(self, assignment: str, gradebook: Gradebook) -> dict[tuple[str, str], float]:
        """Points of each graded cell, by notebook and id, in the order in which students meet them."""
        found = {}
        for kind in (GradeCell, TaskCell):
            rows = gradebook.db.query(Notebook.name, kind.name, kind.max_score)
            rows = rows.join(kind, kind.notebook_id == Notebook.id).join(Assignment)
            found |= {(name, cell): points for name, cell, points in rows.filter(Assignment.name == assignment)}
        places = {one: place for place, one in enumerate(self._source_cells(assignment))}
        return dict(sorted(found.items(), key=lambda one: (places.get(one[0], len(places)), one[0])))

    def differing_points(self, assignment: str, gradebook: Gradebook) -> list[str]:
        """Ids of graded cells that are worth something else in source/ than in the gradebook."""
        source = self._source_cells(assignment)
        return [
            cell
            for (notebook, cell), points in self.checks(assignment, gradebook).items()
            if source.get((notebook, cell), {}).get("points", points) != points
        ]

    def _source_cells(self, assignment: str) -> dict[tuple[str, str | None], dict]:
        """nbgrader's metadata of cells in source/, by notebook and id."""
        found = {}
        for path in self.notebooks(self._source, assignment):
            for cell in _cells(path):
                metadata = cell.get("metadata", {}).get("nbgrader", {})
                found[path.stem, metadata.get("grade_id")] = metadata
        return found


def has_gradebook(coursedir: CourseDirectory) -> bool:
    """Whether there is a gradebook: to open one that is not there would make it."""
    address = make_url(coursedir.db_url)
    return address.get_backend_name() != "sqlite" or Path(address.database or "").is_file()


def open_app(*arguments: str) -> AutogradeApp:
    """nbgrader's command with these arguments, for the course of the folder it was given in. Raises NoCourse.

    So it does for an nbgrader_config.py that cannot be read to its end, or has a value that cannot be.
    """
    if not CONFIG.is_file():
        raise NoCourse(f"there is no {CONFIG} here: run this in the folder of a course, or begin one with that file")
    app = AutogradeApp()
    app.raise_config_file_errors = True
    # What it would log, and exit for, is said by whoever catches NoCourse.
    app.log.addFilter(_says_nothing)
    try:
        # nbgrader logs how it reads its configuration.
        app.initialize([*arguments, "--log-level=50"])
        _check_values(app.config)
        # Its driver, too, is one that is installed.
        make_url(app.coursedir.db_url).get_dialect().import_dbapi()
        course_seed()
    except (Exception, SystemExit) as error:
        raise _unusable(error.__context__ if isinstance(error, SystemExit) and error.__context__ else error) from error
    finally:
        app.log.removeFilter(_says_nothing)
    return app


def open_course() -> Course:
    """The course of the folder that the command was given in. Raises NoCourse."""
    app = open_app()
    try:
        made = ExchangeFactory(config=app.config).exchange(coursedir=app.coursedir, parent=app)
    except Exception as error:
        raise _unusable(error) from error
    root = Path(made.root, app.coursedir.course_id) if isinstance(made, Exchange) else None
    return Course(app.coursedir, root, app.config)


def _unusable(error: BaseException) -> NoCourse:
    said = " ".join(str(error).split()).rstrip(".")
    return NoCourse(f"{CONFIG} cannot be used ({type(error).__name__}: {said})")


def _says_nothing(record: logging.LogRecord) -> bool:
    return False


def _check_values(config: Config) -> None:
    """Whether each value may be one, now and not where a class is first used; of our classes, whether it is a setting.

    Raises TraitError.
    """
    kinds = list(_below(Configurable))
    ours = {kind.__name__ for kind in kinds if kind.__module__.startswith("grading.")}
    for name in config.keys() - {kind.__name__ for kind in kinds}:
        # It may be of a program that is not running; what is nearly a name of ours is meant to be one.
        if close := difflib.get_close_matches(name, ours, 1, 0.8):
            raise TraitError(f"c.{name} is of nothing here ({', '.join(config[name])}); perhaps c.{close[0]} is meant")
    for kind in kinds:
        traits = kind.class_traits(config=True) if kind.__name__ in config else {}
        for name, value in config[kind.__name__].items() if traits else ():
            if name not in traits:
                if kind.__module__.startswith("grading."):
                    raise TraitError(f"c.{kind.__name__} has no {name}{instead(name, traits)}")
                continue
            # What is added to a list, or comes from the command line, has no value of its own yet.
            if isinstance(value, LazyConfigValue | DeferredConfig):
                continue
            try:
                # To make one of them properly may take a folder, a database, or another object.
                traits[name]._validate(kind.__new__(kind), value)
            except TraitError as error:
                raise TraitError(f"c.{kind.__name__}.{name}: {error}") from error


def _below(kind: type) -> Iterator[type]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def students(gradebook: Gradebook | None) -> dict[str, str]:
    """The names of all students in the gradebook, by id; the id itself where there is no name."""
    if gradebook is None:
        return {}
    rows = gradebook.db.query(Student.id, Student.first_name, Student.last_name).order_by(Student.id)
    return {one: " ".join(filter(None, (first, last))) or one for one, first, last in rows}


def penalties(gradebook: Gradebook) -> dict[str, float]:
    """Points that lateness has cost, by the database's id of a submission; of the whole class in one query."""
    lost = func.sum(SubmittedNotebook.late_submission_penalty)
    rows = gradebook.db.query(SubmittedNotebook.assignment_id, lost).group_by(SubmittedNotebook.assignment_id)
    return {submission: points or 0.0 for submission, points in rows}


def instead(wanted: str, there: Collection[str]) -> str:
    """What somebody may have meant, or else the first few names of what there is."""
    if close := difflib.get_close_matches(wanted, there, 1):
        return f"; perhaps {close[0]} is meant"
    first, more = sorted(there)[:SOME], len(there) - SOME
    return f", only {', '.join(first)}" + f" and {more} more" * (more > 0) if there else ", and nothing else"


def label(grade_id: str) -> str:
    """What people call a graded cell: the function that it checks, as on the feedback page."""
    return re.sub(r"^check_", "", grade_id)


def _newest(top: str) -> int:
    """When a folder was last written, or one in it, or a file, in nanoseconds; 0 where there is no file."""
    times, files = [], 0
    for folder, _, names in os.walk(top):
        # What file managers leave is hidden.
        paths = [os.path.join(folder, name) for name in names if not name.startswith(".")]
        times += [os.lstat(one).st_mtime_ns for one in (folder, *paths)]
        files += len(paths)
    return max(times) if files else 0


def _take_same(path: Path, files: dict[int, list[Path]]) -> bool:
    """Whether a file of the same content is among these, by size. It is taken out: it stands for one alone."""
    with contextlib.suppress(OSError):
        for one in files.get(path.stat().st_size, []):
            with contextlib.suppress(LeftOut), open_plain(path) as first, open_plain(one) as second:
                if first.read() == second.read():
                    files[path.stat().st_size].remove(one)
                    return True
    return False


def _cells(path: Path) -> list[dict]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _read(path: Path) -> GradedNotebook:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells, metadata = notebook["cells"], notebook["metadata"]
        notes = {cell["id"].rstrip("-"): "".join(cell["source"]) for cell in cells[: len(NOTES)]}
        return GradedNotebook(
            {cell: data[RESULT] for cell, data in results_in(cells).items()},
            metadata.get(UNUSABLE, ""),
            {name: text for name, text in notes.items() if name in NOTES},
            bool(metadata.get(GRADED)),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return GradedNotebook()
