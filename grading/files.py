"""Files from strangers: nothing but plain files below the folder handed in is ever read, copied or unpacked."""

import contextlib
import errno
import fcntl
import fnmatch
import functools
import itertools
import json
import mimetypes
import os
import re
import shutil
import stat
import tarfile
import tempfile
import unicodedata
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from nbgrader.api import Gradebook
from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
from nbgrader.utils import parse_utc
from traitlets import Integer

MEGABYTE = 1_000_000
FILE_SIZE = 100 * MEGABYTE
"""A larger file is left out; nbgrader's own limit."""
DEPTH = 10
"""Folders in folders; what is deeper is left out."""
RECORDED = 1_000
"""How many files an extractor tells of later that it has left out."""
NAMED_NOWHERE = 3
"""How doubtful it is whose a file is when nothing but its own name tells; 0 where there is no doubt."""


class LeftOut(Exception):
    """A file that is not taken; its text is the rest of a sentence that begins with the file's name."""


@dataclass
class Allowance:
    """How much one submission may still bring along."""

    files: int = 1_000
    size: int = 200 * MEGABYTE

    def take(self, size: int) -> None:
        """Count one more file. Raises LeftOut when it is too large, or too much with what came before it."""
        if size > FILE_SIZE:
            raise LeftOut(f"is larger than {FILE_SIZE // MEGABYTE} MB")
        if not self.files or size > self.size:
            raise LeftOut("is more than one submission may bring along")
        self.files -= 1
        self.size -= size


def open_plain(path: Path | str, dir_fd: int | None = None) -> BinaryIO:
    """Open a regular file that has one name only, following no link and never waiting for a pipe.

    dir_fd: the open folder that a relative path starts from. Raises FileNotFoundError, and LeftOut for anything else.
    """
    try:
        # The checks are made on what has been opened: what has a name may be exchanged between a look and an opening.
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=dir_fd)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ELOOP:
            raise LeftOut("is a link to somewhere else") from None
        raise LeftOut(f"cannot be opened ({getattr(error, 'strerror', error)})") from None
    status = os.fstat(opened)
    if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
        return open(opened, "rb")
    os.close(opened)
    if stat.S_ISDIR(status.st_mode):
        raise LeftOut("is a folder")
    raise LeftOut(
        "has a second name elsewhere" if stat.S_ISREG(status.st_mode) else "is a pipe or a device, not a file"
    )


def refuse_page(name: str) -> None:
    """Raise LeftOut for what a browser would run where Formgrader serves it: HTML, SVG, XML and archives of pages.

    Servers tell by the name, as here; what they do not know is offered to be kept, not opened.
    """
    kind, packed = mimetypes.guess_type(name)
    if kind and not packed and re.search(r"html|svg|(^|[/+])(xml|xsl)|^multipart/|^message/", kind):
        raise LeftOut("is a page, which a browser would run")


def copy_plain_files(
    source: Path,
    target: Path,
    left_out: Callable[[str, str], None],
    ignore: Iterable[str] = (),
    first: Iterable[str] = (),
    skip: Callable[[str], bool] = lambda path: False,
    refuse: Callable[[str], None] = lambda name: None,
) -> None:
    """Copy the plain files of a submission.

    left_out: told the name and the reason of each file that is not taken. ignore: patterns of names that are passed
    over in silence, as nbgrader's CourseDirectory.ignore. first: names in `source` that must not suffer from a lack of
    space, nor from `ignore`. skip: whether a path relative to `source` is passed over, in silence too. refuse: raises
    LeftOut for a name that is not taken either.
    """
    allowance, ignore, first = Allowance(), list(ignore), set(first)
    for folder, folders, files, descriptor in os.fwalk(source, follow_symlinks=False):
        below = Path(os.path.relpath(folder, source))
        for name in list(folders):
            reason = _strange(name)
            if stat.S_ISLNK(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                reason = "is a link to somewhere else"
            elif len(below.parts) >= DEPTH:
                reason = f"is more than {DEPTH} folders deep"
            try:
                # Where it goes, a page of feedback may have that name.
                refuse(name)
            except LeftOut as refused:
                reason = reason or str(refused)
            if reason or any(fnmatch.fnmatch(name, one) for one in ignore):
                folders.remove(name)
            if reason:
                left_out(name, reason)
        for name in sorted(files, key=lambda name: (name not in first, not name.endswith(".ipynb"), name)):
            path = below / name
            ignored = path.as_posix() not in first and any(fnmatch.fnmatch(name, one) for one in ignore)
            if ignored or skip(path.as_posix()):
                continue
            try:
                if _strange(name):
                    raise LeftOut(_strange(name))
                refuse(name)
                with open_plain(name, descriptor) as file:
                    allowance.take(os.fstat(file.fileno()).st_size)
                    _write(file, target / path)
            except (LeftOut, OSError) as reason:
                left_out(path.as_posix(), str(reason))


STAGING = ".grading-"
"""How folders begin of what is under way; in each the file "lock" is locked as long as that lasts."""


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A folder in another one, for what is not to be seen there yet; what killed processes have left is removed."""
    for left in folder.glob(f"{STAGING}*"):
        # One that somebody is just making has no such file.
        with contextlib.suppress(OSError), (left / "lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
    place = Path(tempfile.mkdtemp(prefix=STAGING, dir=folder))
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _strange(name: str) -> str:
    """Why a name cannot be taken over; "" for an ordinary one."""
    if not name.isprintable() or name.startswith("-") or name != name.strip() or "\\" in name:
        return "has a name that programs stumble over"
    return ""


NO_STUDENT = "cannot be the id of a student, which is printable and has none of / \\ \" ' < > & ` * ? [ ] in it"
"""What is said of a name for which `names_a_student` is false."""


def names_a_student(name: str) -> bool:
    """Whether a student can be called so.

    That is one folder, nothing that ends a text in Formgrader's pages and scripts, and no pattern, which nbgrader would
    look for in the student's place.
    """
    return bool(name) and name not in (".", "..") and not _outside(name) and not re.search(r"""[/"'<>&`*?[\]]""", name)


def may_be_notebook(path: str | Path) -> bool:
    """Whether a file may be a notebook by its name, as browsers and editors change it; what is in it tells."""
    path = Path(path)
    return ".ipynb" in path.name.lower() or path.suffix.lower() in ("", ".json", ".txt")


def _write(file: BinaryIO, target: Path) -> None:
    """Write no more than a file may have, also when it grows meanwhile or says that it is smaller."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as copy:
        size = 0
        while piece := file.read(MEGABYTE):
            size += len(piece)
            if size > FILE_SIZE:
                break
            copy.write(piece)
    if size > FILE_SIZE:
        target.unlink()
        raise LeftOut(f"is larger than {FILE_SIZE // MEGABYTE} MB")


class Extractor(ExtractorPlugin):
    """nbgrader's own for zip_collect, except that archives cannot write elsewhere, fill the disk, or stop the others.

    Links, devices, absolute names and names with `..` are left out, and so is what exceeds the limits.
    """

    max_files = Integer(100_000, help="How many files may be unpacked in all.").tag(config=True)
    max_megabytes = Integer(10_000, help="How much may be unpacked in all.").tag(config=True)

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.archives: dict[Path, tuple[Path, ...]] = {}
        """Of each file: the archives that it was in, outermost first, as the folders that they were unpacked to."""
        self.extracted = Path()
        """Where all of it goes."""
        self._left: dict[str, str] = {}

    def extract(self, archive_path, extracted_path):
        self.extracted = Path(extracted_path)
        self._left = {}
        budget = Allowance(self.max_files, self.max_megabytes * MEGABYTE)
        for folder, _, names, descriptor in os.fwalk(archive_path, follow_symlinks=False):
            place = Path(extracted_path, os.path.relpath(folder, archive_path))
            for name in sorted(names):
                try:
                    if _strange(name):
                        raise LeftOut(_strange(name))
                    with open_plain(name, descriptor) as file:
                        self._take(file, place / name, budget)
                except (LeftOut, OSError) as reason:
                    self._say(name, reason)
        # Nothing else tells later what was there. That it cannot be kept costs nobody's work.
        with contextlib.suppress(OSError):
            _record(extracted_path).write_text(json.dumps(dict(itertools.islice(self._left.items(), RECORDED))))

    def _take(self, file: BinaryIO, target: Path, budget: Allowance, around: tuple[Path, ...] = ()) -> None:
        """Copy a file; where it is an archive, unpack it into a folder of its name, and the archives in it likewise.

        around: the archives that it was in, see `archives`.
        """
        if not around and not self._is_archive(target) and target.suffix.lower() in PACKED:
            raise LeftOut("is an archive of a kind that is not unpacked; put a .zip in its place")
        if not self._is_archive(target) or len(around) > 2:
            budget.take(os.fstat(file.fileno()).st_size)
            self.archives.setdefault(target, around)
            return _write(file, target)
        folder = target.parent / target.name.removesuffix(target.suffix).removesuffix(".tar")
        # The archive of a whole class may be large; what one student put into it may not.
        allowance = Allowance() if around else budget
        try:
            for name, member in _members(file, target.suffix.lower()):
                place = folder / name
                try:
                    if isinstance(member, str):
                        raise LeftOut(member)
                    # Also where it cannot be unpacked to its end: what there is of it counts.
                    self.archives.setdefault(place, (*around, folder))
                    _write(member, place)
                    for one in {id(one): one for one in (budget, allowance)}.values():
                        one.take(place.stat().st_size)
                    if self._is_archive(place):
                        with place.open("rb") as inner:
                            self._take(inner, place, budget, (*around, folder))
                        place.unlink()
                # Every kind of compression has errors of its own.
                except Exception as reason:
                    full = "more than" in str(reason)
                    if full:
                        place.unlink(missing_ok=True)
                    why = reason if isinstance(reason, LeftOut) else _damaged(reason)
                    self._say(f"{target.name}: {name}", why, None if isinstance(member, str) else place)
                    if full:
                        break
            if not os.path.exists(folder):
                raise LeftOut("is an archive of which nothing can be unpacked")
        except LeftOut:
            raise
        except Exception as error:
            raise LeftOut(
                f"is not an archive that can be unpacked ({type(error).__name__}: {error}); get it anew"
            ) from None

    def left_out(self, extracted_path: str) -> dict[str, str]:
        """What of an earlier `extract` nothing is there, by name, and why; nothing where another extractor was used."""
        try:
            with open_plain(_record(extracted_path)) as file:
                return {str(name): str(reason) for name, reason in json.load(file).items()}
        except (LeftOut, OSError, ValueError, AttributeError, RecursionError):
            return {}

    def _is_archive(self, path: Path) -> bool:
        return path.suffix.lower() in self.zip_ext

    def _say(self, name: str, reason: object, place: Path | None = None) -> None:
        """Name what is left out. place: where there may be something of it, of which the collector says more."""
        self.log.error("%s %s: left out.", ascii(name), reason)
        if not place or not os.path.exists(place):
            self._left[name] = str(reason)


def _record(extracted_path: str) -> Path:
    """The file that tells what was left out, beside the folder: nbgrader unpacks to an empty one alone."""
    return Path(extracted_path).with_name(f".{Path(extracted_path).name}-left-out.json")


def _members(file: BinaryIO, suffix: str) -> Iterator[tuple[str, BinaryIO | str]]:
    """The members of an archive with their names: a stream of each plain file, or why it is left out."""
    if suffix == ".zip":
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    link = stat.S_ISLNK(info.external_attr >> 16)
                    reason = _outside(info.filename) or ("is a link" if link else _too_large(info.file_size))
                    if reason or info.flag_bits & 1:
                        yield info.filename, reason or "is encrypted"
                        continue
                    with archive.open(info) as member:
                        yield info.filename, member
    else:
        with tarfile.open(fileobj=file, mode="r:*") as archive:
            for info in archive:
                if not info.isdir():
                    reason = _outside(info.name) or (
                        "is not a plain file" if not info.isreg() else _too_large(info.size)
                    )
                    yield info.name, reason or archive.extractfile(info)


def _damaged(error: Exception) -> str:
    return f"cannot be unpacked ({type(error).__name__}: {error})"


def _too_large(size: int) -> str:
    """What is said of a file of this size, before it is unpacked; no more than it claims is ever read of it."""
    return f"is larger than {FILE_SIZE // MEGABYTE} MB" if size > FILE_SIZE else ""


def _outside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        return "would be written outside of the folder"
    return next(filter(None, map(_strange, path.parts)), "")


TIME = r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d"
PLATFORMS = {
    # Ada Lovelace_12345_assignsubmission_file/padding.ipynb, also with _ or _padding.ipynb behind the first part.
    # https://github.com/moodle/moodle/blob/main/mod/assign/classes/downloader.php
    "Moodle": re.compile(r"(?P<who>[^_]+)_(?P<number>\d+)_assignsubmission_file(_(?P<file>.*))?"),
    # 1-padding_ada_attempt_2026-11-20-10-00-00_padding.ipynb
    # https://nbgrader.readthedocs.io/en/stable/user_guide/managing_assignment_files_manually.html
    "Blackboard": re.compile(rf"(?P<who>.+?)_attempt_(?P<time>{TIME})(_(?P<file>.+)|\..*)"),
    # lovelaceada_12345_67890_padding.ipynb, or lovelaceada_LATE_12345_67890_padding.ipynb
    # https://github.com/instructure/canvas-lms/blob/master/lib/content_zipper.rb
    "Canvas": re.compile(r"(?P<who>.+?_(?P<number>\d+))_\d+_(?P<file>.+)"),
}
"""How learning platforms name what they hand out to teachers: whose it is, then what the student has called it."""


PACKED = (".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zip")
"""How archives end, of any kind: what is left of them is what could not be unpacked."""


def _plain(name: str) -> str:
    """A person's name without what platforms leave out, join or write in another way."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name).casefold())


class Collector(FileNameCollectorPlugin):
    """nbgrader's own for zip_collect, except that no file stops the others or takes the place of somebody else's.

    No name leads elsewhere, a file handed in twice or at no possible time is left out, and what comes out of a
    student's archive is that student's. Without a regular expression it takes a download from Canvas, Moodle or
    Blackboard, and finds in the gradebook whose each file is. Beside `valid_ext` it takes what may be a notebook under
    another ending. What it leaves out is named, and stays where it is.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._seen: dict[tuple[str, str], str] = {}
        self._strangers: dict[Path, str] | None = None
        self._unnumbered: set[str] = set()

    def collect(self, submitted_file):
        try:
            return self._take(Path(submitted_file))
        except LeftOut as reason:
            self.log.error("%s %s: left out.", ascii(submitted_file), reason)
            return None

    def sort_out(self) -> tuple[set[str], dict[str, str]]:
        """Of a platform's download as it was unpacked: whose files are in it, and why others are left out, by name.

        Both are empty for another download: a regular expression may have been given with the command alone.
        """
        students, left = set(), {}
        if self.named_regexp or not any(self._fit(within, self._platform[1])[1] for within in self._all):
            return students, left
        # In the order in which nbgrader asks: of two that are handed in as one, the second is left out.
        for file in sorted((Path(self._extracted, *within) for within in self._all), key=str):
            try:
                if found := self._take(file):
                    students.add(found["student_id"])
            except LeftOut as reason:
                left[file.relative_to(self._extracted).as_posix()] = str(reason)
        return students, left

    def _take(self, file: Path) -> dict[str, str] | None:
        """As what a file is taken in; None for one of which there is nothing to say. Raises LeftOut for all others."""
        if not self._takes(file) and self._is_hidden(file):
            # File managers and programs leave these.
            return None
        if not self.named_regexp:
            found = self._find_owner(file)
        elif self._takes(file):
            found = self._match(str(file))
        else:
            raise LeftOut(self._no_notebook(file))
        if not found:
            return None
        if self._strangers is None:
            # What lies in a student's part of a download is the student's, whatever names are in it.
            self._strangers = self._find_strangers() if self.named_regexp else {}
        self._check(file, *(found.get(key) or "" for key in ("student_id", "file_id", "timestamp")))
        return found

    def _takes(self, file: Path) -> bool:
        """Whether a file is taken in for its ending: as nbgrader is told, or as it may be that of a notebook."""
        if file.suffix in self.valid_ext:
            return True
        if self._is_hidden(file):
            return False
        # A regular expression may find a student in the name of any text.
        return may_be_notebook(file.name) and (not self.named_regexp or ".ipynb" in file.name.lower())

    def _is_hidden(self, file: Path) -> bool:
        return any(part.startswith(".") for part in file.relative_to(self._extracted).parts)

    def _no_notebook(self, file: Path, students: Iterable[str] = ()) -> str:
        """Why a file is left out for its ending. students: whose it is."""
        whose = "".join(f"is {student}'s, and " for student in students)
        if file.suffix.lower() in PACKED:
            return f"{whose}cannot be unpacked; get it anew, as a .zip"
        ask = "; ask for one where there is none beside it" if whose else ""
        return f"{whose}is no notebook by its name{ask} (c.FileNameCollectorPlugin.valid_ext says what else is taken)"

    def _check(self, file: Path, student: str, name: str, timestamp: str) -> None:
        """Raise LeftOut for a file that cannot be collected under what its name tells."""
        if not names_a_student(student):
            raise LeftOut(f"does not lead to the folder of a student ({student!a} {NO_STUDENT})")
        if not name or _outside(name):
            raise LeftOut("does not lead to a file in the folder of a student")
        if file in self._strangers:
            raise LeftOut(self._strangers[file])
        try:
            parse_utc(timestamp or None)
        except (ValueError, OverflowError, TypeError):
            raise LeftOut(f"has a time stamp that is no time ({timestamp!a})") from None
        # As nbgrader names it in the student's folder.
        place = student, os.path.splitext(name)[0] + file.suffix
        if file.suffix not in self.valid_ext and PurePosixPath(place[1]).parts[0].casefold() == "timestamp.txt":
            raise LeftOut("would say when it was handed in, which a student cannot")
        # nbgrader compares time stamps, and gives up where there are none.
        if place in self._seen and not (timestamp and self._seen[place]):
            raise LeftOut(f"has been handed in twice by {student}, this is the second")
        self._seen[place] = timestamp

    def _find_owner(self, file: Path) -> dict[str, str]:
        """Whose a file of a learning platform's download is. Raises LeftOut where nobody can say."""
        name, pattern = self._platform
        within = file.relative_to(self._extracted).parts
        place, found = self._fit(within, pattern)
        if not found and not self._takes(file):
            raise LeftOut(self._no_notebook(file))
        if not found:
            other = "a regular expression, --FileNameCollectorPlugin.named_regexp, tells of other names"
            raise LeftOut(f"is not named as Canvas, Moodle or Blackboard name what they hand out; {other}")
        # What is in a student's archive does without the archive's name.
        path = "/".join(within[place + 1 :]) or found["file"]
        if name == "Blackboard" and not path and file.suffix == ".txt":
            # Blackboard's own, one of each attempt.
            return {}
        students = self._whose[name](found)
        if not self._takes(file):
            raise LeftOut(self._no_notebook(file, students if len(students) == 1 else ()))
        says = f"{name} says {found['who']!a}; {self._advice(students, path or file.name)}"
        if len(students) != 1:
            whose = "can be " + " or ".join(f"{one}'s" for one in sorted(students)) if students else "is nobody's here"
            raise LeftOut(f"{whose} ({says})")
        student = students.pop()
        if len(self._claims[student]) > 1:
            raise LeftOut(f"can be {student}'s or somebody else's who is called so ({says})")
        time = re.sub(r"(.{10})-(..)-(..)-(..)", r"\1 \2:\3:\4 UTC", found.groupdict().get("time") or "")
        return {"student_id": student, "file_id": path} | ({"timestamp": time} if time else {})

    def _advice(self, students: set[str], name: str) -> str:
        """What gets a file to its student. students: those whose it can be; name: what the student has called it."""
        coursedir = self.parent.coursedir
        folder = coursedir.format_path(coursedir.submitted_directory, "STUDENT", coursedir.assignment_id)
        # In the download itself nothing lasts: it is unpacked anew.
        by_hand = f"copy it to {os.path.relpath(folder, coursedir.root)}/{name}"
        # Canvas' numbers tell apart people of one name.
        if students and not (self._platform[0] == "Canvas" and students <= self._unnumbered):
            return f"the roster cannot tell: {by_hand}"
        known_by = "first_name and last_name" if self._platform[0] == "Moodle" else "lms_user_id"
        return f"import the roster, {known_by} in it, with `convblocks roster`, or {by_hand}"

    @functools.cached_property
    def _extracted(self) -> Path:
        return Path(self.parent._format_collect_path(self.parent.extracted_directory))

    @functools.cached_property
    def _platform(self) -> tuple[str, re.Pattern]:
        """The platform that a download is from: the one whose way of naming fits most of its files.

        A student could give one file a name that is another platform's way to name somebody else's.
        """
        counts = Counter(
            name for within in self._all for name, pattern in PLATFORMS.items() if self._fit(within, pattern)[1]
        )
        name = max(PLATFORMS, key=lambda one: counts[one])
        return name, PLATFORMS[name]

    @functools.cached_property
    def _all(self) -> list[tuple[str, ...]]:
        """Every file of the download, as folders and name."""
        paths = (Path(folder, name) for folder, _, names in os.walk(self._extracted) for name in names)
        return [path.relative_to(self._extracted).parts for path in paths]

    @staticmethod
    def _fit(within: tuple[str, ...], pattern: re.Pattern) -> tuple[int, re.Match | None]:
        """Which part of a path is the platform's: the outermost that fits. Behind it, names are students' choice."""
        fits = ((place, pattern.fullmatch(part)) for place, part in enumerate(within))
        return next(((place, found) for place, found in fits if found), (0, None))

    @functools.cached_property
    def _claims(self) -> dict[str, set[str | None]]:
        """By student, the numbers under which the platform has files: where names alone tell, of people of one name."""
        name, pattern = self._platform
        claims = defaultdict(set)
        for found in (self._fit(within, pattern)[1] for within in self._all):
            students = self._whose[name](found) if found else ()
            # One that can be several people's keeps nobody else's back.
            if len(students) == 1:
                claims[students.pop()].add(found.groupdict().get("number"))
        return claims

    @functools.cached_property
    def _whose(self) -> dict[str, Callable[[re.Match], set[str]]]:
        """By platform, what finds the ids of the students to whom a file of such a name can belong."""
        coursedir = self.parent.coursedir
        numbers, usernames, names, unnumbered = (defaultdict(set) for _ in range(4))
        with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
            for one in gradebook.students:
                first, last = one.first_name or "", one.last_name or ""
                numbers[one.lms_user_id].add(one.id)
                usernames[one.lms_user_id or one.id].add(one.id)
                for name in {_plain(first + last), _plain(last + first)} - {""}:
                    names[name].add(one.id)
                    if not one.lms_user_id:
                        unnumbered[name].add(one.id)
        self._unnumbered = set().union(*unnumbered.values())

        def in_canvas(found: re.Match) -> set[str]:
            name, _, number = found["who"].rpartition("_")
            # A student may be called "x_12" there; the number of the file is then the student's.
            further = re.match(r"_(\d+)_\d+_", found.string[found.end("who") :])
            return numbers.get(number, unnumbered[_plain(name.removesuffix("_LATE"))]) | (
                numbers.get(further[1], set()) if further else set()
            )

        def in_blackboard(found: re.Match) -> set[str]:
            # An assignment's title may have a _ in it, and a username too.
            parts = found["who"].split("_")
            return set().union(*(usernames.get("_".join(parts[first:]), ()) for first in range(len(parts))))

        return {
            "Canvas": in_canvas,
            "Moodle": lambda found: set(names[_plain(found["who"])]),
            "Blackboard": in_blackboard,
        }

    def _find_strangers(self) -> dict[Path, str]:
        """Files out of archives that are not of the student whom they name, with the reason.

        The name of a student's archive is given by whoever hands out the downloads; the names in it are the student's
        choice. An archive in another is a student's. One that is in no other is a student's where it is named after
        one of whom a file is in it; else it may hold everybody's files, and yields to what is named more clearly.
        """
        extractor = self.parent.extractor_plugin_inst
        archives = getattr(extractor, "archives", {})
        students = {file: self._student(str(file)) for file in archives if self._takes(file)}
        own = {(around, students.get(file)) for file, around in archives.items() if len(around) == 1}
        strangers, claims = {}, defaultdict(list)
        for file, student in students.items():
            around = archives[file]
            owners = [self._owner(*pair, file) for pair in zip((extractor.extracted, *around), around, strict=False)]
            outer, inner = [*owners, "", ""][:2]
            if not around or outer == student:
                claims[student].append((0, file))
            elif outer and (around[:1], outer) in own:
                strangers[file] = f"lies in an archive that is {outer}'s by its name and a file in it"
            elif len(around) == 1 or inner == student:
                claims[student].append((1 + bool(outer), file))
            elif inner:
                strangers[file] = f"lies in an archive that is {inner}'s by its name"
            else:
                claims[student].append((NAMED_NOWHERE, file))
        for student, found in claims.items():
            best = min(doubt for doubt, _ in found)
            unclear = best == NAMED_NOWHERE and len({archives[file][1] for _, file in found}) > 1
            for doubt, file in found:
                if doubt > best or unclear:
                    strangers[file] = (
                        f"lies in an archive that does not name {student}, of whom there is a file elsewhere"
                    )
        return strangers

    def _owner(self, above: Path, archive: Path, file: Path) -> str:
        """Whom an archive is named after, by its own name or by a folder below `above` that it lies in; "" for nobody.

        file: one that is in it, of which the name alone matters.
        """
        return self._student(str(archive / file.name), len(str(above)), len(str(archive))) or self._student(
            f"{archive}{file.suffix}", len(str(archive.parent)), len(str(archive))
        )

    def _student(self, path: str, begin: int = 0, end: int | None = None) -> str:
        """Whom the regular expression finds between two places of a path; "" for nobody."""
        found = re.match(self.named_regexp, path)
        if not found or not found.groupdict().get("student_id"):
            return ""
        first, last = found.span("student_id")
        return found["student_id"] if first > begin and last <= (end or len(path)) else ""
