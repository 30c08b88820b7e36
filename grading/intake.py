"""Take in what students handed in: use what can be used, say what cannot, and let no file cost another."""

import contextlib
import datetime
import functools
import glob
import hashlib
import itertools
import json
import logging
import os
import pwd
import re
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat.v4 import new_markdown_cell
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.exchange.default import ExchangeCollect
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import find_all_files, parse_utc
from sqlalchemy import Engine, event
from sqlalchemy.exc import DatabaseError
from traitlets import Enum

from grading.execute import require_sandbox
from grading.files import (
    NO_STUDENT,
    Allowance,
    LeftOut,
    copy_plain_files,
    may_be_notebook,
    names_a_student,
    open_plain,
    refuse_page,
    staged,
)
from grading.gradebook import IN_MEMORY, LOCKED, is_locked, unreadable
from grading.mending import Wanted, mend, wanted_notebooks
from grading.reading import CUT_OFF, DIGESTS, FOLDER, UNUSABLE, Unusable, is_missing, read_notebook

__all__ = [
    "AutogradeAll",
    "Collect",
    "MarkGraded",
    "SubmissionExporter",
    "Wanted",
    "digest",
    "find_problem",
    "forget_attempt",
    "graded_attempt",
    "graded_content",
    "holds_back",
    "is_due",
    "is_graded",
    "is_same_attempt",
    "note_attempt",
    "read_submission",
    "read_timestamp",
    "wanted_notebooks",
]

GRADED = "graded"
"""Key of the metadata of a notebook that has been graded to the end: True, or the time stamp of the newest attempt that
was graded since and did not count."""

PATIENCE = 20_000
"""Milliseconds that grading waits for a gradebook that another program has locked; SQLite itself waits five seconds."""


@event.listens_for(Engine, "connect")
def _be_patient(connection, _) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE}")


def take_notebook(path: Path, wanted: Wanted, others: frozenset[str] = frozenset()):
    """The notebook that a student meant to hand in as `path`, and what was mended in reading it, in sentences.

    Where there is no such file, none that can be used, or one in which nothing is written, the only other notebook
    beside it that is recognisably this one is taken; and where there is none, the only such file of another kind, as
    browsers and editors name them, or in a folder. others: file names that belong to other notebooks of the assignment.
    Raises grading.reading.Unusable.
    """
    untouched = None
    try:
        notebook, mended = _recognised(path, wanted)
        if wanted.has_work(notebook):
            return notebook, mended
        untouched, missing, said = (notebook, mended), False, f"{path.name} is as it was handed out"
    except FileNotFoundError:
        missing, said = True, f"{path.name} was not handed in"
    except Unusable as reason:
        missing, said = False, str(reason)
    beside = [name for name in _names(path.parent) if name != "timestamp.txt"]
    notebooks = [name for name in beside if name.endswith(".ipynb")]
    fitting = _fitting(path, [name for name in notebooks if name not in others | {path.name}], wanted)
    fitting = fitting or _fitting(path, _misnamed(path, others), wanted)
    if untouched:
        fitting = {name: one for name, one in fitting.items() if wanted.has_work(one[0])}
    sources = {tuple(cell.source for cell in notebook.cells) for notebook, _ in fitting.values()}
    if len(sources) == 1:
        name, (notebook, mended) = next(iter(fitting.items()))
        if folder := os.path.dirname(name):
            notebook.metadata[FOLDER] = folder
        return notebook, [f"{said}, {_shown(name)} was taken for it.", *mended]
    unclear = f"{said}, and nothing tells which is meant of {', '.join(map(_shown, fitting))}"
    if untouched:
        return untouched[0], [*untouched[1], *[f"{unclear}."] * bool(fitting)]
    if fitting:
        raise Unusable(unclear)
    named = (notebooks or beside)[:5] if missing else []
    raise Unusable(said + f"; there is {', '.join(map(_shown, named))}" * bool(named))


def _fitting(path: Path, names: list[str], wanted: Wanted) -> dict[str, tuple]:
    """What is read from those of these files, in the folder of `path`, that are recognisably this notebook."""
    fitting = {}
    # More would be a flood of files, each to be read.
    for name in names[:10]:
        try:
            fitting[name] = _recognised(path.parent / name, wanted)
        except (Unusable, OSError):
            continue
    return fitting


def _misnamed(path: Path, others: frozenset[str]) -> list[str]:
    """Files that may be notebooks under another kind of name, and those in folders beside `path`; likely ones first."""
    elsewhere = {f"{one.stem.lower()}.ipynb" for one in map(Path, others - {path.name})}
    named = [
        name
        for name in itertools.islice(_below(path.parent), 1000)
        if may_be_notebook(name)
        and f"{Path(name).name.lower().partition('.')[0]}.ipynb" not in elsewhere
        and ("/" in name or not name.endswith(".ipynb"))
    ]
    return sorted(named, key=lambda name: (".ipynb" not in name.lower(), path.stem not in name, name))


def _below(top: Path) -> Iterator[str]:
    """All files below a folder but hidden ones; none through a link, which would lead to a neighbour's work."""
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (os.path.relpath(os.path.join(folder, name), top) for name in sorted(names) if name[0] != ".")


def _recognised(path: Path, wanted: Wanted):
    """Read one file. Raises Unusable, also for a notebook of another assignment, and FileNotFoundError."""
    notebook, mended = read_notebook(path)
    if not wanted.recognises(notebook):
        nothing = "none of the cells and functions of this assignment are in"
        if not notebook.cells:
            raise Unusable(f"{path.name} has no cells that can be read")
        if any(one.startswith(CUT_OFF) for one in mended):
            raise Unusable(f"{path.name} was cut off or damaged on its way: {nothing} what is left of it")
        raise Unusable(f"{path.name} is another notebook: {nothing} it")
    return notebook, mended


def find_problem(path: Path, wanted: Wanted, others: frozenset[str] = frozenset()) -> str:
    """What makes a submitted file unusable, in a sentence for a person; "" when it can be graded."""
    return taken(path, wanted, others)[2]


def taken(path: Path, wanted: Wanted, others: frozenset[str] = frozenset()) -> tuple:
    """The notebook and what was mended, see `take_notebook`, and "": or None, nothing, and what makes it unusable."""
    try:
        return *take_notebook(path, wanted, others), ""
    except Unusable as reason:
        return None, [], str(reason)
    except Exception as error:
        problem = f"{path.name} is not a notebook that can be read ({type(error).__name__}: {str(error)[:200]})"
        return None, [], problem


def find_problems(folder: Path, wanted: list[Wanted]) -> dict[str, str]:
    """The notebooks of a submission that cannot be graded, by name, with the reason."""
    others = frozenset(f"{one.name}.ipynb" for one in wanted)
    problems = {one.name: find_problem(folder / f"{one.name}.ipynb", one, others) for one in wanted}
    return {name: problem for name, problem in problems.items() if problem}


def holds_back(folder: Path, graded: Path, wanted: list[Wanted], only: str = "*") -> str:
    """Why a submission cannot take the place of the one that is graded in another folder; "" where it can.

    wanted: the notebooks of the assignment. only: the one that is asked for, "*" for all.
    """
    problems = {name: one for name, one in find_problems(folder, wanted).items() if only in ("*", name)}
    made = [graded / f"{name}.ipynb" for name in problems]
    return "; ".join(problems.values()) if any(is_graded(one) and not _is_unusable(one) for one in made) else ""


def _names(folder: Path) -> list[str]:
    """What is in a folder, by name; nothing where there is none."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _shown(name: str) -> str:
    """A name for a page or a log: one line, no markup."""
    return re.sub(r"[^\w .()+/-]", "?", name, flags=re.ASCII)[:80]


class Collect(ExchangeCollect):
    """nbgrader's collect, except that of each student the newest submission *that can be used* is taken.

    Where there is none, the newest is taken as it is, so that its feedback can say what was wrong. Only plain files are
    copied, and what is no submission in the inbox stops nobody. A folder that somebody else owns is not taken where
    there is one that the student owns.
    """

    def init_src(self):
        super().init_src()
        wanted_notebooks.cache_clear()
        self._wanted = wanted_notebooks(self.coursedir.db_url, self.coursedir.assignment_id)
        # A large class' inbox is read once.
        self._handed_in: dict[str, list[dict]] = {}
        for record in map(self._path_to_record, _names(Path(self.inbound_path))):
            if record["filename"].startswith(f"{record['username']}+{self.coursedir.assignment_id}+"):
                self._handed_in.setdefault(record["username"], []).append(record)
        self.src_records = [self._newest_usable(record) for record in self.src_records if self._is_submission(record)]

    def _path_to_record(self, path):
        try:
            return super()._path_to_record(path)
        except Exception:
            return {"username": "", "filename": os.path.basename(path), "timestamp": datetime.datetime.min}

    def _sort_by_timestamp(self, records):
        """Newest first; of one student's records only folders that the student owns, or else only folders.

        The inbox is writable by everybody, but nobody can make a folder that is another's.
        """
        folders = [one for one in records if self._is_folder(one)]
        own = [one for one in folders if self._is_own(one)]
        return super()._sort_by_timestamp(own or folders or records)

    def _is_own(self, record: dict) -> bool:
        """Whether the student owns it that it is named after; always where nbgrader is told not to check that."""
        if not self.check_owner:
            return True
        try:
            return pwd.getpwuid(self._status(record).st_uid).pw_name == record["username"]
        except (OSError, KeyError):
            return False

    def _is_folder(self, record: dict) -> bool:
        try:
            return stat.S_ISDIR(self._status(record).st_mode)
        except OSError:
            # Gone since the inbox was listed.
            return False

    def _status(self, record: dict) -> os.stat_result:
        return os.stat(os.path.join(self.inbound_path, record["filename"]), follow_symlinks=False)

    def _is_submission(self, record: dict) -> bool:
        """Whether this is the folder of a student; where it is not, that is said."""
        student = record["username"]
        if self._is_folder(record) and names_a_student(student):
            return True
        reason = f" ({student!a} {NO_STUDENT}; rename the folder)" if student and not names_a_student(student) else ""
        self.log.error("%s in the inbox is not a submission%s: left out.", ascii(record["filename"]), reason)
        return False

    def _newest_usable(self, newest: dict) -> dict:
        handed_in = self._handed_in.get(newest["username"], [])
        records = self._sort_by_timestamp(handed_in)
        kept = {one["filename"] for one in records}
        for one in handed_in:
            if one["filename"] not in kept and self._is_submission(one):
                said = "%s in the inbox is not owned by %s, who has another there: left out."
                self.log.error(said, ascii(one["filename"]), one["username"])
        if self._stays(newest):
            # To look at all again would take the longer the more there are.
            return newest
        records = [one for one in records if one["timestamp"] <= newest["timestamp"] and self._is_submission(one)]
        fewest, best = len(self._wanted), newest
        for record in records:
            problems = find_problems(Path(self.inbound_path, record["filename"]), self._wanted)
            if problems:
                said = "; ".join(problems.values())
                self.log.error("%s, submitted at %s: %s", record["username"], record["timestamp"], said)
            # Newest first, so of equally good ones the newest is taken.
            if len(problems) < fewest:
                fewest, best = len(problems), record
            if not problems:
                break
        return best

    def _stays(self, newest: dict) -> bool:
        """Whether nbgrader leaves what was collected, as there is nothing newer."""
        coursedir = self.coursedir
        there = Path(coursedir.format_path(coursedir.submitted_directory, newest["username"], coursedir.assignment_id))
        if self.before_duedate or not there.is_dir():
            return False
        collected = read_timestamp(there / "timestamp.txt")
        return not self.update or (collected is not None and newest["timestamp"] <= collected)

    def do_copy(self, src, dest, log=None):
        """Copy the plain files of a submission, with the time stamp that its folder is named by.

        Whoever grades or collects meanwhile, or after this was stopped, finds all of it or nothing.
        """
        record, parent = self._path_to_record(src), Path(dest).parent
        parent.mkdir(parents=True, exist_ok=True)
        with staged(parent) as staging:
            new = staging / "new"
            new.mkdir()
            copy_plain_files(
                Path(src),
                new,
                functools.partial(_say_left_out, self.log, record["username"], self.coursedir.assignment_id),
                self.coursedir.ignore,
                first=["timestamp.txt", *(f"{one.name}.ipynb" for one in self._wanted)],
            )
            stamp = new / "timestamp.txt"
            if read_timestamp(stamp) is None:
                stamp.unlink(missing_ok=True)
                stamp.write_text(record["timestamp"].isoformat(" ") + " UTC")
            if self.coursedir.groupshared:
                for folder, _, names in os.walk(new):
                    os.chmod(folder, 0o2770 | os.stat(folder).st_mode & 0o777)
                    for name in names:
                        os.chmod(os.path.join(folder, name), 0o660)
            try:
                new.rename(dest)
            except OSError:
                # Another one that collects at the same time was there first, with all of it.
                if not os.path.isdir(dest):
                    raise


def _say_left_out(log, student: str, assignment: str, name: str, reason: str) -> None:
    log.warning("%s, %s: %s %s. It was left out.", student, assignment, ascii(name), reason)


SAYS_NOTHING = (
    # Of every cell whose hidden tests are put back, and of those that were mended.
    "Attribute 'checksum'",
    # What is the matter with the submission is said of it by name.
    "No submitted file: ",
    "Kernel died while waiting for execute reply",
    # Of which cell, they do not say; Execute does.
    "Timeout waiting for execute reply",
    "Interrupting kernel",
    # Of whom, it does not say; the gradebook does.
    "Late submission penalty: ",
)
"""How messages of nbgrader and nbclient begin that tell an instructor nothing."""

LATE = re.compile(r"SubmittedAssignment<.*> is [\d.]+ seconds late")
"""Another one, of which a worker knows no extension."""


def _tells(record: logging.LogRecord) -> bool:
    """Whether a message tells an instructor something; where nbgrader guesses why, what is known is put instead."""
    said = record.getMessage()
    if said.startswith("There was an error accessing the nbgrader database") and is_locked(sys.exception()):
        record.msg, record.args = LOCKED, ()
    return not said.startswith(SAYS_NOTHING) and not LATE.fullmatch(said)


def read_timestamp(path: Path) -> datetime.datetime | None:
    """The time in a file timestamp.txt; None where there is none that can be read."""
    try:
        with open_plain(path) as file:
            return parse_utc(file.read(100).decode().strip())
    except (LeftOut, OSError, ValueError, OverflowError, TypeError):
        return None


def digest(folder: Path) -> str:
    """What tells one submission from another where no time does: its files by name and content, wherever it lies."""
    found, allowance = hashlib.sha256(), Allowance()
    # More is not taken either.
    for name in itertools.islice(_below(folder), allowance.files):
        if name == "timestamp.txt":
            continue
        found.update(os.fsencode(name) + b"\0")
        with contextlib.suppress(LeftOut, OSError), open_plain(folder / name) as file:
            allowance.take(os.fstat(file.fileno()).st_size)
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()


def is_due(submitted: Path, graded: Path, content: str = "") -> bool:
    """Whether what lies in one folder came after what was graded in another, which has been graded to its end.

    Times decide where both are known. Else all that is not what was graded is due, and what was graded before its time
    was known; where nothing tells what that was, as grading kept no digests once, a submission with a time is, after
    one without. content: its digest, where `submitted` is not the folder that was handed in.
    """
    stamp = read_timestamp(submitted / "timestamp.txt")
    for known, graded_content in _attempts(graded):
        if stamp and known:
            if stamp <= known:
                return False
        elif graded_content:
            content = content or digest(submitted)
            # Without a time nobody could see that it was late.
            if content == graded_content and not stamp:
                return False
        elif not stamp:
            return False
    return True


def is_same_attempt(one: Path, graded: Path, content: str = "") -> bool:
    """Whether a submission is the one that was graded in another folder: of the same time, or else the same files.

    content: its digest, where `one` is not the folder that was handed in.
    """
    stamp, (known, graded_content) = read_timestamp(one / "timestamp.txt"), _attempts(graded)[0]
    if (stamp and known) or not graded_content:
        return stamp == known
    return (content or digest(one)) == graded_content


def graded_attempt(graded: Path) -> tuple[datetime.datetime | None, str]:
    """Time and digest of the submission that a folder has graded, where they are known."""
    return _attempts(graded)[0]


def graded_content(graded: Path) -> str:
    """The digest of the submission that a folder has graded; "" where it was not kept."""
    return graded_attempt(graded)[1]


def graded_contents(graded: Path) -> set[str]:
    """The digests that the notebooks of a folder have of the submissions they were graded of, where these were kept."""
    return {_metadata(path).get(DIGESTS, "").split(" ")[0] for path in graded.glob("*.ipynb")} - {""}


def _attempts(graded: Path) -> list[tuple[datetime.datetime | None, str]]:
    """Time and digest, where known, of the attempt that a folder has graded, and of a newer one that lost to it."""
    metadata = _metadata(_marked(graded))
    newest, digests = metadata.get(GRADED), metadata.get(DIGESTS, "").split(" ")
    found = [(read_timestamp(graded / "timestamp.txt"), digests[0])]
    if isinstance(newest, str) or len(digests) > 1:
        found.append((parse_utc(newest) if isinstance(newest, str) else None, digests[1] if digests[1:] else ""))
    return found


def note_attempt(graded: Path, ran: Path) -> None:
    """Keep with what counts of a student that a newer attempt, graded in the folder `ran`, does not count."""
    stamp = read_timestamp(ran / "timestamp.txt")
    _note(graded, f"{stamp} UTC" if stamp else True, [graded_content(graded), graded_content(ran)])


def forget_attempt(graded: Path) -> None:
    """Have a newer attempt that lost to what counts graded once more, as with another deadline it may be the better."""
    if len(_attempts(graded)) > 1:
        _note(graded, True, [graded_content(graded)])


def _note(graded: Path, mark: str | bool, digests: list[str]) -> None:
    marked = _marked(graded)
    notebook = json.loads(marked.read_text(encoding="utf-8"))
    notebook["metadata"] |= {GRADED: mark, DIGESTS: " ".join(digests)}
    new = marked.with_suffix(".new")
    # What a killed run has left may be read alone.
    new.unlink(missing_ok=True)
    new.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    # Feedback is no older than what it is about.
    shutil.copystat(marked, new)
    new.replace(marked)


def _marked(graded: Path) -> Path:
    """Of a graded submission, the notebook whose mark says it for all of them."""
    return min(graded.glob("*.ipynb"), default=graded / "none")


def _folders(converter: Autograde) -> list[str]:
    """Folders of all submissions that a command of nbgrader's is about, whatever is in them."""
    coursedir = converter.coursedir
    return sorted(glob.glob(converter._format_source(coursedir.assignment_id, coursedir.student_id)))


class AutogradeAll(Autograde):
    """nbgrader's autograde, which takes folders without a notebook for submissions also where there are no others."""

    def init_notebooks(self) -> None:
        self.assignments, self.notebooks = {folder: [] for folder in _folders(self)}, []
        if not self.assignments:
            super().init_notebooks()


class SubmissionExporter(NotebookExporter):
    """Reads submissions for nbgrader's autograde.

    What is damaged is mended, and said so on top. A file that cannot be used is replaced, for grading, by the released
    notebook with the reason on top: no points, but a feedback page that says why. Where an earlier submission of that
    notebook has been graded, that one stays instead. What an interrupted run left half-done is graded anew.
    """

    refused: dict[str, str]
    """Folders that nothing can be done with before a person has done something, and why."""
    counts = Enum(
        ("last", "best"),
        "last",
        help="Of several attempts, the one that counts; the best is so after late penalties. What was graded and did "
        "not count is graded again with --force alone.",
    ).tag(config=True)

    def __init__(self, config=None, **kwargs):
        super().__init__(config=config, **kwargs)
        # The converter makes its exporter before it removes anything, which is the moment to hold submissions back.
        if isinstance(self.parent, Autograde):
            require_sandbox(self.config, self.log)
            self._prepare(self.parent)

    def _prepare(self, converter: Autograde) -> None:
        converter.log.addFilter(_tells)
        coursedir = converter.coursedir
        if IN_MEMORY not in coursedir.db_url:
            # As they are now: assignments may have been generated anew since the last run in this process.
            wanted_notebooks.cache_clear()
        self._left_out: list[str] = []
        self._digest = ""
        self.refused: dict[str, str] = {}
        # nbgrader's own waits for ever where the file is a pipe, and gives up where it holds no time.
        coursedir.get_existing_timestamp = lambda folder: read_timestamp(Path(folder, "timestamp.txt"))
        # nbgrader would copy what links point at. This is called before it copies, for each student.
        before = converter.pre_convert_hook
        converter.pre_convert_hook = functools.partial(
            self._copy_plain_files, converter, before, list(coursedir.ignore)
        )
        for folder in _folders(converter):
            # nbgrader has left out those without a notebook.
            converter.assignments.setdefault(folder, [])
            try:
                converter.assignments[folder] = self._notebooks_to_grade(converter, folder)
            except DatabaseError as error:
                said = unreadable(error)
                self.log.error(said)
                raise NbGraderException(said) from None
            except Exception as error:
                self.refused[folder] = f"it could not be looked at ({error!r}), and is left as it is"
                self.log.error("%s: %s.", ascii(folder), self.refused[folder])
                converter.assignments[folder] = []
            if not converter.assignments[folder]:
                del converter.assignments[folder]

    def _notebooks_to_grade(self, converter: Autograde, folder: str) -> list[str]:
        """The notebooks of a submission, whether there is a file or not; none for a submission that is held back."""
        assignment, student = _ids(converter, folder)
        if not names_a_student(student):
            self.refused[folder] = f"{student!a} {NO_STUDENT}. Rename the folder, and run this again."
            self.log.error("%s: %s", ascii(folder), self.refused[folder])
            return []
        only = converter.coursedir.notebook_id
        everything = wanted_notebooks(converter.coursedir.db_url, assignment)
        wanted = [one for one in everything if only in ("*", one.name)]
        if not everything or not wanted:
            return converter.assignments[folder]
        source = Path(converter.coursedir.root, folder)
        if not stat.S_ISDIR(os.stat(source, follow_symlinks=False).st_mode):
            raise LeftOut("is not a folder")
        made = Path(converter.coursedir.root, converter._format_dest(assignment, student))
        made_before = any(is_graded(made / f"{one.name}.ipynb") for one in wanted)
        # Where nothing would have to give way to it, there is time to look when it is read; or it is left as it is.
        finished = all(is_graded(made / f"{one.name}.ipynb") for one in wanted)
        looked_at = made_before and (converter.force or not finished or is_due(source, made))
        if problem := holds_back(source, made, everything, only) if looked_at else "":
            said = "%s, %s: %s. The submission graded before stays as it is."
            self.log.error(said, student, assignment, problem)
            return []
        excluded = converter.coursedir.student_id_exclude.split(",")
        # nbgrader's own command and Formgrader grade what is not there, and remove what they replace before they know
        # what the new one is worth.
        removes = type(converter) is Autograde and made.exists() and student not in excluded
        if removes and not finished:
            self.log.warning("%s, %s: grading was interrupted, so it is done anew.", student, assignment)
            if only == "*":
                shutil.rmtree(made)
            else:
                (made / f"{only}.ipynb").unlink(missing_ok=True)
        if removes and made.exists() and self.counts == "best" and not is_same_attempt(source, made):
            said = "of several attempts the best counts, which `convblocks grade` finds. This one stays as it is."
            self.log.error("%s, %s: another attempt was graded, and %s", student, assignment, said)
            return []
        return sorted(f"{folder}/{one.name}.ipynb" for one in wanted)

    def _copy_plain_files(self, converter: Autograde, before, ignore: list[str], **arguments) -> None:
        """Copy a submission's other files in nbgrader's place; a hook of nbgrader's, called for each student."""
        coursedir = converter.coursedir
        folder = os.path.dirname(converter.notebooks[0])
        # Before anything of it is read: what changes from now on is not what was graded.
        self._digest = digest(Path(coursedir.root, folder))
        # An absolute path matches this folder alone: nbgrader copies nothing of it, and all of the course's own files.
        coursedir.ignore = [*ignore, re.sub(r"([*?[])", r"[\1]", os.path.join(coursedir.root, folder))]
        assignment, student = _ids(converter, folder)
        source = coursedir.format_path(coursedir.source_directory, ".", assignment)
        kept = set(converter.exclude_overwriting.get(assignment, []))
        course = {os.path.relpath(path, source) for path in find_all_files(source, [*ignore, "*.ipynb"])} - kept
        parents = {str(parent) for path in course for parent in Path(path).parents}

        def skip(path: str) -> bool:
            mine = {path, *map(str, Path(path).parents)}
            return path in parents or bool(mine & course) or any(one.endswith(".ipynb") for one in mine)

        self._left_out = []

        def left_out(name: str, reason: str) -> None:
            _say_left_out(self.log, student, assignment, name, reason)
            if len(self._left_out) < 20:
                self._left_out.append(f"{_shown(name)} {reason}. It was left out.")

        copy_plain_files(
            Path(coursedir.root, folder),
            Path(converter._format_dest(assignment, student)),
            left_out,
            ignore,
            first=["timestamp.txt"],
            skip=skip,
            # Formgrader serves what lies beside a graded notebook.
            refuse=refuse_page,
        )
        if before:
            before(**arguments)

    def from_filename(self, filename, resources=None, **kwargs):
        converter = self.parent
        if not (isinstance(converter, Autograde) and converter._sanitizing):
            return super().from_filename(filename, resources=resources, **kwargs)
        ids = resources["nbgrader"]
        known = {one.name: one for one in wanted_notebooks(ids["db_url"], ids["assignment"])}
        notebook, mended = read_submission(
            Path(filename),
            known[ids["notebook"]],
            Path(converter.coursedir.format_path(converter.coursedir.release_directory, ".", ids["assignment"])),
            frozenset(f"{name}.ipynb" for name in known),
            self._left_out,
        )
        notebook.metadata[DIGESTS] = self._digest
        if problem := notebook.metadata.get(UNUSABLE):
            said = "%s, %s: %s. It gets no points, and feedback that says so."
            self.log.error(said, ids["student"], ids["assignment"], problem)
        if mended:
            self.log.warning("%s, %s, %s: %s", ids["student"], ids["assignment"], ids["notebook"], " ".join(mended))
        return self.from_notebook_node(notebook, resources=resources, **kwargs)


def read_submission(
    path: Path, wanted: Wanted, release: Path, others: frozenset[str] = frozenset(), left_out: Iterable[str] = ()
):
    """A submitted notebook ready for grading and what was mended, in sentences; both said on top of the notebook.

    For an unusable file it is the released notebook, with the reason on top. release: the folder with the assignment as
    it was released. others: file names that belong to other notebooks of the assignment. left_out: sentences on
    files beside it.
    """
    notebook, mended, problem = taken(path, wanted, others)
    if problem:
        notebook = nbformat.read(release / f"{wanted.name}.ipynb", as_version=4)
        became, to_do = "could not be graded", "Your own file is untouched; hand it in again"
        if is_missing(problem):
            became, to_do = "was not handed in", "Hand it in"
        text = (
            f"## This notebook {became}\n\n**{problem}.**\n\nWhat follows is the assignment as it was "
            f"released. {to_do}, as {wanted.name}.ipynb, and it will be graded."
        )
        notebook.cells.insert(0, new_markdown_cell(text, id="unusable"))
        notebook.metadata[UNUSABLE] = problem
        return notebook, []
    mended += [*mend(notebook, wanted), *left_out]
    notebook.metadata |= nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    if mended:
        text = "## This notebook was mended before it was graded\n\n" + "\n".join(f"- {one}" for one in mended)
        notebook.cells.insert(0, new_markdown_cell(text, id="mended" + "-" * 50))
    return notebook, mended


class MarkGraded(NbGraderPreprocessor):
    """A notebook without this mark is one that an interrupted run left behind: it is written after the last step."""

    def preprocess(self, nb, resources):
        nb.metadata[GRADED] = True
        return nb, resources


def _ids(converter: Autograde, folder: str) -> tuple[str, str]:
    """Assignment and student that a folder of submissions belongs to. Raises ValueError where there is no telling."""
    pattern = converter._format_source("(?P<assignment>.*)", "(?P<student>.*)", escape=True)
    found = re.match(pattern, folder)
    if not found:
        raise ValueError("its name is not that of a student")
    return found["assignment"], found["student"]


def _metadata(path: Path) -> dict:
    """The metadata of a graded notebook; empty where there is none, or not all of it."""
    try:
        found = path.stat()
        return _read_metadata(path, found.st_ino, found.st_mtime_ns)
    except (OSError, ValueError, KeyError):
        return {}


@functools.lru_cache(1024)
def _read_metadata(path: Path, inode: int, written: int) -> dict:
    """What was there when it was written, which is asked for several times in a row."""
    return json.loads(path.read_text(encoding="utf-8"))["metadata"]


def is_graded(path: Path) -> bool:
    """Whether there is a notebook that has been graded to the end."""
    return GRADED in _metadata(path)


def _is_unusable(path: Path) -> bool:
    """Whether a graded notebook stands for a file that could not be used."""
    return UNUSABLE in _metadata(path)
