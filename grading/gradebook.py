"""nbgrader's gradebook with fewer questions: for one submission it is opened a dozen times and asked the same anew.

Whoever stores in a course waits for their turn.
"""

import asyncio
import contextlib
import fcntl
import functools
import itertools
import logging
import sqlite3
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import IO
from weakref import WeakKeyDictionary, WeakSet

import nbgrader.api
import sqlalchemy
from nbgrader.api import Comment, Grade, Gradebook, SubmittedNotebook
from nbgrader.converters import NbGraderException, autograde
from nbgrader.preprocessors import overwritecells, overwritekernelspec
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import joinedload

IN_MEMORY = "mode=memory"
"""A part of the address of a gradebook that lasts as long as its process, stays as it is, and has no students."""

OF_STUDENTS = {"student", "submitted_assignment", "submitted_notebook", "grade", "comment"}
"""Tables of the gradebook that hold students' work; all others are about the assignments."""

_LOOKED_UP = ((SubmittedNotebook, "assignment_id"), (Grade, "notebook_id"), (Comment, "notebook_id"))
INDEXES = [sqlalchemy.Index(f"ix_{of.__tablename__}_{name}", of.__table__.c[name]) for of, name in _LOOKED_UP]
"""What nbgrader's tables lack: without them every question about one submission looks at those of all others."""

SILENCE = 2.0
"""Seconds that a run waits for its turn without a word."""

_STORING = int.from_bytes(b"convblks")
"""What whoever stores locks in a database; PostgreSQL's advisory locks are numbers that applications agree on."""

_check_course = Gradebook.check_course
_inspect = nbgrader.api.inspect
_CHECKED: WeakKeyDictionary[sqlalchemy.Engine, set[str]] = WeakKeyDictionary()
_WITH_TABLES: WeakSet[sqlalchemy.Engine] = WeakSet()
_MINE = threading.local()

OPEN = 16
"""How many gradebooks a process keeps open; a worker of a cluster outlasts many runs, each with one of its own.

A copy in memory lasts as long as whoever asked for it.
"""

_NUMBERS = itertools.count()


def keep_open() -> None:
    """From now on, in this process: a gradebook is connected to once, and asked once whether it is one."""
    nbgrader.api.create_engine = _engine
    nbgrader.api.Base.metadata.create_all = functools.lru_cache(OPEN)(nbgrader.api.Base.metadata.create_all)
    nbgrader.api.inspect = _inspect_once
    # Each is a class of its own, which takes longer to make than to ask for a student.
    nbgrader.api.sessionmaker = functools.lru_cache(OPEN)(nbgrader.api.sessionmaker)
    Gradebook.check_course = _check_course_once
    for module in (autograde, overwritecells, overwritekernelspec):
        module.Gradebook = _opened
    # nbgrader's way with its objects; nothing that whoever grades can do anything about.
    warnings.filterwarnings("ignore", category=sqlalchemy.exc.SAWarning, module="nbgrader.api")


@functools.lru_cache(OPEN)
def _engine(db_url: str, **options) -> sqlalchemy.Engine:
    """The one engine of this process for a gradebook, with connections that stay.

    A new engine would compile all of its SQL anew each time, and on PostgreSQL a connection takes longer than what is
    asked on it.
    """
    if IN_MEMORY in db_url:
        # Another thread closes what one has left that has ended, as those of Dask's workers do.
        options["connect_args"] = {"check_same_thread": False}
    engine = sqlalchemy.create_engine(db_url, pool_pre_ping=True, **options)
    engine.dispose = lambda: None
    return engine


def _inspect_once(engine: sqlalchemy.Engine):
    """SQLAlchemy's own, which nbgrader asks for a gradebook's tables; once there are some, there are."""
    if engine not in _WITH_TABLES:
        found = _inspect(engine)
        if not found.get_table_names():
            return found
        _WITH_TABLES.add(engine)
    return SimpleNamespace(get_table_names=lambda: ["known"])


def _check_course_once(gradebook: Gradebook, course_id: str = "default_course", **kwargs) -> None:
    """nbgrader's own, which asks for the course and commits that whenever it opens a gradebook."""
    checked = _CHECKED.setdefault(gradebook.engine, set())
    if course_id not in checked:
        _check_course(gradebook, course_id, **kwargs)
        checked.add(course_id)


def add_indexes(db_url: str) -> None:
    """Give a gradebook that was made without them its INDEXES; where it cannot be written, it stays as it is."""
    with contextlib.suppress(Exception):
        for one in INDEXES:
            one.create(_engine(db_url), checkfirst=True)


def copy_cells(db_url: str, path: Path) -> None:
    """Write a gradebook with the assignments of another one, and no students."""
    tables = [one for one in nbgrader.api.Base.metadata.sorted_tables if one.name not in OF_STUDENTS]
    target = sqlalchemy.create_engine(f"sqlite:///{path}")
    nbgrader.api.Base.metadata.create_all(target)
    with sqlalchemy.create_engine(db_url).connect() as source, target.begin() as copy:
        for table in tables:
            if rows := source.execute(sqlalchemy.select(table)).mappings().all():
                copy.execute(sqlalchemy.insert(table), [dict(row) for row in rows])
    target.dispose()


@functools.lru_cache(OPEN)
def in_memory(cells: str) -> tuple[str, sqlite3.Connection]:
    """The address of a copy in memory of what `copy_cells` has written, which is there as long as the connection is."""
    # No URL for SQLite, but SQLAlchemy's for one.
    address = f"file:cells-{next(_NUMBERS)}?{IN_MEMORY}&cache=shared&uri=true"
    kept = sqlite3.connect(address.removesuffix("&uri=true"), uri=True, check_same_thread=False)
    with contextlib.closing(sqlite3.connect(cells)) as original:
        original.backup(kept)
    return f"sqlite:///{address}", kept


def _opened(db_url: str, course_id: str = "default_course") -> Gradebook:
    """A gradebook; of one in memory always the same."""
    if IN_MEMORY not in db_url:
        return Gradebook(db_url, course_id)
    # SQLAlchemy's sessions are a thread's own.
    mine = _MINE.__dict__
    if db_url not in mine:
        # Of an earlier run.
        mine.clear()
        mine[db_url] = Cells(db_url, course_id)
    return mine[db_url]


class Cells(Gradebook):
    """A gradebook of assignments that nobody changes, with no students: who stores what is theirs has another one."""

    def __init__(self, db_url: str, course_id: str):
        super().__init__(db_url, course_id)
        for name in ("find_assignment", "find_notebook", "find_source_cell", "find_graded_cell"):
            setattr(self, name, functools.cache(getattr(self, name)))

    def __exit__(self, kind, *error) -> None:
        """It stays open."""
        if kind:
            self.db.rollback()

    def update_or_create_student(self, name: str, **about) -> None:
        """Nothing."""

    def update_or_create_submission(self, assignment: str, student: str, **about) -> SimpleNamespace:
        """What nbgrader's autograde asks of a submission. Raises MissingEntry where there is no such assignment."""
        self.find_assignment(assignment)
        return SimpleNamespace(total_seconds_late=0)

    def find_submission_notebook(self, notebook: str, assignment: str, student: str) -> SimpleNamespace:
        """What nbgrader's autograde asks of one that was not handed in."""
        return SimpleNamespace(grades=[])


class WholeNotebook(Gradebook):
    """The gradebook while a notebook's scores are saved: all of them are stored together when it is closed, or none.

    nbgrader would ask for each, and commit each, which takes longer than all else.
    """

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self._commit, self.db.commit = self.db.commit, self.db.flush
        self._found = functools.cache(self._find)

    def __exit__(self, kind, *error) -> None:
        try:
            if kind is None:
                self._commit()
        finally:
            super().__exit__(kind, *error)

    def find_grade(self, grade_cell: str, *notebook: str) -> Grade:
        """As nbgrader's: notebook is its name, the assignment's and the student's. Raises MissingEntry."""
        return self._found(Grade, *notebook).get(grade_cell) or super().find_grade(grade_cell, *notebook)

    def find_comment(self, solution_cell: str, *notebook: str) -> Comment:
        """As nbgrader's: notebook is its name, the assignment's and the student's. Raises MissingEntry."""
        return self._found(Comment, *notebook).get(solution_cell) or super().find_comment(solution_cell, *notebook)

    def _find(self, kind: type, *notebook: str) -> dict[str, Grade | Comment]:
        """All grades or comments of a submitted notebook, by the name of their cell."""
        whole = self.find_submission_notebook(*notebook)
        found = self.db.query(kind).options(joinedload(kind.cell, innerjoin=True)).filter(kind.notebook_id == whole.id)
        return {one.cell.name: one for one in found}


LOCKED = "another program is using the gradebook. Once it has ended, the same command goes on where this one stopped."


def is_locked(error: BaseException | None) -> bool:
    """Whether an error says that a gradebook is used by somebody else."""
    return isinstance(error, OperationalError) and "locked" in str(error.orig)


def in_words(error: SQLAlchemyError) -> str:
    """What a gradebook's error says, in brackets, and what is to be done where it is in use or damaged."""
    said = f"({str(getattr(error, 'orig', None) or error).splitlines()[0]})"
    if is_locked(error):
        return f"{said}: another program is using it"
    # SQLite's words for a file that is none of its own, and for one of which a part is.
    if any(words in str(error) for words in ("not a database", "malformed")):
        kept = "What was handed in and what was graded is still in submitted/ and autograded/"
        return f"{said}. Put back a copy of gradebook.db, made before it was damaged. {kept}"
    return said


def unreadable(error: SQLAlchemyError) -> str:
    """What is said where a gradebook's error has kept it from being read."""
    return f"the gradebook cannot be read {in_words(error)}. Nothing was changed."


@contextlib.contextmanager
def turn(course: Path, db_url: str, log: logging.Logger) -> Iterator[None]:
    """Nobody else stores what is graded in a course while the `with` block lasts.

    course: its folder. db_url: its gradebook, which in PostgreSQL may be that of other folders too. Raises
    NbGraderException where this person may not, where there is no such gradebook, and instead of waiting in a Jupyter
    server, which would do nothing else meanwhile.
    """
    try:
        file = (course / ".grading.lock").open("w")
    except OSError as error:
        shared = "`chmod -R g+w` on the course's folder, and `umask 002` from then on"
        raise NbGraderException(
            f"{error.filename} cannot be written ({error.strerror}), and without it nothing is stored. "
            f"People who grade in one folder need a group in common that may write all of it: {shared}."
        ) from None
    with file, contextlib.ExitStack() as stack:
        _wait_for(functools.partial(_lock_folder, file), log)
        if sqlalchemy.make_url(db_url).get_backend_name() == "postgresql":
            stack.enter_context(_turn_in_database(db_url, log))
        yield


@contextlib.contextmanager
def _turn_in_database(db_url: str, log: logging.Logger) -> Iterator[None]:
    """The same for all who store in one database of PostgreSQL, in whatever folder."""
    try:
        # No transaction, which the server may end when nothing happens in it.
        connection = _engine(db_url).connect().execution_options(isolation_level="AUTOCOMMIT")
    except SQLAlchemyError as error:
        raise NbGraderException(unreadable(error)) from None
    with connection:
        try:
            _wait_for(functools.partial(_lock_database, connection), log)
        except SQLAlchemyError as error:
            raise NbGraderException(unreadable(error)) from None
        try:
            yield
        finally:
            try:
                connection.execute(sqlalchemy.select(sqlalchemy.func.pg_advisory_unlock(_STORING)))
            except SQLAlchemyError:
                # The lock was lost with the connection.
                connection.invalidate()


def _lock_folder(file: IO, wait: bool = False) -> bool:
    """Whether an open file could be locked until it is closed."""
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return True
    return False


def _lock_database(connection: sqlalchemy.Connection, wait: bool = False) -> bool:
    """Whether _STORING could be locked in a database of PostgreSQL until it is unlocked on the same connection."""
    wanted = sqlalchemy.select(sqlalchemy.func.pg_try_advisory_lock(_STORING))
    # One that waits itself may be ended by the server.
    while not (locked := connection.scalar(wanted)) and wait:
        time.sleep(0.05)
    return locked


def _wait_for(lock: Callable[..., bool], log: logging.Logger) -> None:
    """Wait until `lock` has been done, after a while with a word, or not at all in a server."""
    deadline = time.monotonic() + SILENCE
    while not lock():
        if time.monotonic() < deadline:
            time.sleep(0.01)
            continue
        if in_server():
            raise NbGraderException("Another run is grading in this course. Try again when it has ended.")
        log.warning("Another run is storing what it grades in this course, and this one waits for it.")
        lock(wait=True)
        return


def in_server() -> bool:
    """Whether this process' own loop is waiting for this, as that of a Jupyter server with Formgrader."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
