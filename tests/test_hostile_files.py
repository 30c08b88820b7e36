"""Files and archives made to do harm, through collect, zip_collect and autograde in one run: the others are graded."""

import io
import json
import os
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, fill, nbgrader, scores

SOLUTION = ROOT / "solutions" / "1-padding" / "padding.ipynb"
GOOD = SOLUTION.read_bytes()
STAMP = "2026-01-01 10:00:00 UTC"


def also(**more) -> bytes:
    """The solution with more on its top level, as written: texts are JSON."""
    return b"{" + "".join(f'"{key}": {value}, ' for key, value in more.items()).encode() + GOOD.lstrip()[1:]


def in_a_cell(text: bytes) -> bytes:
    """The solution with these bytes in a comment of its first function."""
    return GOOD.replace(b"def output_size", text + b"\\ndef output_size", 1)


def text(content: bytes) -> bytes:
    """A cell of text, to be put before others."""
    return b'{"cell_type": "markdown", "metadata": {}, "source": "%s"},' % content


GOOD_CELL = text(b"x" * 900_000)
"""A text of a length that is taken once or twice."""


def photo(size: int) -> bytes:
    """A text with a photo of this many characters in it, as some editors write it."""
    return text(b"![by hand](data:image/jpeg;base64,%s)" % (b"A" * size))


def cells(text: str) -> bytes:
    return b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": ' + text.encode() + b"}"


# name: (the notebook's bytes, points, words said of it)
NOTEBOOKS = {
    "a-million-cells": (lambda: cells("[" + "{}," * 10**6 + "{}]"), 0, "has more than 2,000 cells"),
    "six-million-numbers": (lambda: cells("[" + "0," * 6_000_000 + "0]"), 0, "holds more values than a notebook has"),
    "six-million-texts": (lambda: cells("[" + '"",' * 6_000_000 + '""]'), 0, "holds more values than a notebook has"),
    "deep-in-a-cell": (lambda: cells('[{"source": ' + "[" * 10**5 + "]" * 10**5 + "}]"), 0, "nested too deep"),
    "cells-are-a-dict": (lambda: cells('{"0": {}}'), 0, "it has no cells"),
    "cells-are-texts": (lambda: cells('["x", 1, null]'), 0, "has no cells that can be read"),
    "a-text": (lambda: b'"cells"', 0, "it has no cells"),
    "a-number": (lambda: b"1e999", 0, "it has no cells"),
    "null": (lambda: b"null", 0, "it has no cells"),
    "latin-1": (lambda: in_a_cell(b"# \xe9t\xe9"), 12, "Characters that no file can hold"),
    "half-a-million-empty-lines": (lambda: in_a_cell(b"\\n" * 500_000), 12, ""),
    "three-million-characters": (
        lambda: GOOD.replace(b'"cells": [', b'"cells": [' + GOOD_CELL + GOOD_CELL + GOOD_CELL, 1),
        12,
        "more than 2,000,000 characters. The longest of its cells were left out",
    ),
    "photos-in-texts": (
        lambda: GOOD.replace(b'"cells": [', b'"cells": [' + b"".join(map(photo, (980_000, 985_000, 25_000, 9_000))), 1),
        12,
        "The longest of its cells were left out",
    ),
    "keys-twice": (lambda: also(cells="[]", metadata="{}"), 12, ""),
    "a-number-of-5000-digits": (lambda: also(x="9" * 5000, nbformat="9" * 5000), 12, ""),
    "numbers-that-are-none": (lambda: also(x="[NaN, -Infinity, 1e999, -0]"), 12, ""),
    "nbformat-99": (lambda: GOOD.replace(b'"nbformat": 4', b'"nbformat": 99'), 12, ""),
    "nbformat-is-a-text": (lambda: GOOD.replace(b'"nbformat": 4', b'"nbformat": "four"'), 12, ""),
    "utf-32": (lambda: GOOD.decode().encode("utf-32"), 12, ""),
    "utf-16-without-mark": (lambda: GOOD.decode().encode("utf-16-be"), 12, ""),
    "half-a-grade-id": (lambda: GOOD.replace(b'"grade_id": "pad2d"', b'"grade_id": "\\ud800"'), 12, "Found again"),
}

ANSWERS = {
    "output_size": "def output_size(*given, **named):\n    raise ValueError('\\ud800')",
    "padding_amounts": "def padding_amounts(*given, **named):\n    return '\\udfff'",
    "pad2d": "def pad2d(*given, **named):\n    raise type('\\ud800'.encode(errors='replace').decode(), (Exception,), {})('\\udfff')",
}
"""Functions that speak in halves of characters, which no file can hold."""

PAGES = ("evil.html", "evil.HTM", "evil.svg", "evil.xhtml", "evil.xml", "evil.shtml", "sub/evil.xsl", "evil.mht")
DATA = ("data.npy", "data.csv", "notes.txt", "me.png", "helper.py", "sub/data.json", "aux", "CON.txt", "page.html.gz")
NAMES = (
    b"new\nline.txt",
    b"-rf",
    b" blank",
    b"back\\slash",
    b"\xff\xfe.txt",
    "\u202egnp.txt".encode(),
    b"\x1b[31m.txt",
)


def beside(folder: Path) -> None:
    """Pages, honest data, names that programs stumble over, and what is no file."""
    for name in (*PAGES, *DATA):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("<script>1</script>")
    for name in NAMES:
        with open(os.path.join(os.fsencode(folder), name), "w"):
            pass
    # Where the page of feedback goes.
    (folder / "padding.html").mkdir()
    (folder / "padding.html" / "x.txt").touch()
    os.mkfifo(folder / "pipe.csv")
    (folder / "link.csv").symlink_to("/etc/passwd")
    (folder / "folder").symlink_to("/etc")
    deep = folder.joinpath(*"abcdefghijklm")
    deep.mkdir(parents=True)
    (deep / "deep.txt").write_text("x")
    with (folder / "large.bin").open("wb") as file:
        file.truncate(10**12)


def zipped(*members) -> bytes:
    """A zip archive of (name or ZipInfo, bytes)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(*members, mode="w:gz") -> bytes:
    """A tar archive of (TarInfo, bytes)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def info(name: str, **more) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for key, value in more.items():
        setattr(made, key, value)
    return made


def zip_link(name: str) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.external_attr = (stat.S_IFLNK | 0o777) << 16
    return made


def encrypted() -> bytes:
    """An archive whose only member says that it is encrypted."""
    content = bytearray(zipped(("secret_padding.ipynb", GOOD)))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    return bytes(content)


def corrupt(kind: int, *members) -> bytes:
    """A zip archive of which the first member's compressed bytes are none."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, content in members:
            archive.writestr(name, content)
    content = bytearray(buffer.getvalue())
    # Behind the member's header and its name; LZMA has a header of nine bytes more.
    start = 30 + len(members[0][0]) + (9 if kind == zipfile.ZIP_LZMA else 0)
    content[start : start + 8] = b"\xff" * 8
    return bytes(content)


def nested(depth: int) -> bytes:
    content = zipped(("nest_padding.ipynb", GOOD))
    for _ in range(depth):
        content = zipped(("inner.zip", content))
    return content


# file: (content, whether the student's own notebook in it arrives, words in the log)
ARCHIVES = {
    "slip_a.zip": (
        lambda: zipped(
            ("../../../../submitted/ada/1-padding/slip.txt", "x"), ("..\\slip.txt", "x"), ("slip_padding.ipynb", GOOD)
        ),
        True,
        "would be written outside of the folder",
    ),
    "absolute_a.zip": (
        lambda: zipped(("/tmp/convblocks-absolute.txt", "x"), ("absolute_padding.ipynb", GOOD)),
        True,
        "would be written outside of the folder",
    ),
    "ziplink_a.zip": (
        lambda: zipped((zip_link("out"), "/tmp"), ("out/convblocks-link.txt", "x"), ("ziplink_padding.ipynb", GOOD)),
        True,
        "is a link",
    ),
    "bomb_a.zip": (
        lambda: zipped(("bomb_padding.ipynb", GOOD), ("zeros.bin", bytes(150_000_000))),
        True,
        "is larger than 100 MB",
    ),
    "flood_a.zip": (
        lambda: zipped(("flood_padding.ipynb", GOOD), *((f"{n}.txt", "") for n in range(3_000))),
        True,
        "",
    ),
    "nest_a.zip": (lambda: nested(6), False, ""),
    "secret_a.zip": (encrypted, False, "is encrypted"),
    "deflate_a.zip": (
        lambda: corrupt(zipfile.ZIP_DEFLATED, ("bad.txt", "x" * 1000), ("deflate_padding.ipynb", GOOD)),
        True,
        "cannot be unpacked (error: Error -3",
    ),
    "lzma_a.zip": (
        lambda: corrupt(zipfile.ZIP_LZMA, ("bad.txt", "x" * 1000), ("lzma_padding.ipynb", GOOD)),
        True,
        "cannot be unpacked (LZMAError",
    ),
    "cut_a.zip": (lambda: zipped(("cut_padding.ipynb", GOOD))[:-30], False, "is not an archive that can be unpacked"),
    "nothing_a.zip": (lambda: b"", False, "is not an archive that can be unpacked"),
    "names_a.zip": (
        lambda: zipped(("a\nb.txt", "x"), ("\u202egnp.txt", "x"), ("names_padding.ipynb", GOOD)),
        True,
        "has a name that programs stumble over",
    ),
    "twice_a.zip": (lambda: zipped(("twice_padding.ipynb", GOOD), ("sub/twice_padding.ipynb", GOOD)), True, "twice"),
    "tarslip_a.tar.gz": (
        lambda: tarred((info("../../tarslip.txt"), b"x"), (info("tarslip_padding.ipynb"), GOOD)),
        True,
        "would be written outside of the folder",
    ),
    "tarlinks_a.tar.gz": (
        lambda: tarred(
            (info("out", type=tarfile.SYMTYPE, linkname="/tmp"), b""),
            (info("out/convblocks-tar.txt"), b"x"),
            (info("hard.txt", type=tarfile.LNKTYPE, linkname="/etc/passwd"), b""),
            (info("pipe", type=tarfile.FIFOTYPE), b""),
            (info("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3), b""),
            (info("tarlinks_padding.ipynb"), GOOD),
        ),
        True,
        "is not a plain file",
    ),
    "tarmode_a.tar.gz": (
        lambda: tarred((info("run.sh", mode=0o6777), b"x"), (info("tarmode_padding.ipynb", mode=0), GOOD)),
        True,
        "",
    ),
    "tarcut_a.tar.gz": (
        lambda: tarred((info("tarcut_padding.ipynb"), GOOD))[:400],
        False,
        "is not an archive that can be unpacked",
    ),
    "zoe_a.zip": (lambda: zipped(("zoe_padding.ipynb", GOOD)), True, ""),
}


def hand_in(course: Path, student: str, content: bytes) -> Path:
    """A submission in the exchange, as `nbgrader submit` leaves it."""
    folder = course / "exchange" / "convblocks" / "inbound" / f"{student}+1-padding+{STAMP}"
    folder.mkdir(parents=True)
    (folder / "timestamp.txt").write_text(STAMP)
    (folder / "padding.ipynb").write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def run(generated_course, tmp_path_factory):
    """The course after all of it, with the logs of zip_collect, collect and autograde."""
    course = Path(shutil.copytree(generated_course, tmp_path_factory.mktemp("hostile") / "course"))
    archive = course / "downloaded" / "1-padding" / "archive"
    archive.mkdir(parents=True)
    for name, (make, _, _) in ARCHIVES.items():
        (archive / name).write_bytes(make())
    os.mkfifo(archive / "pipe_a.zip")
    (archive / "link_padding.ipynb").symlink_to(SOLUTION)
    regexp = r"--FileNameCollectorPlugin.named_regexp=.*/(?P<student_id>[^/_]+)_(?P<file_id>\w+)"
    logs = {"zip_collect": nbgrader(course, "zip_collect", "1-padding", regexp)}
    arrived = {path.parts[-3]: path.read_bytes() for path in course.glob("submitted/*/1-padding/padding.ipynb")}
    # They are the solution, every one: one of them is enough to grade.
    for student in set(arrived) - {"zoe"}:
        shutil.rmtree(course / "submitted" / student)

    for student, (make, _, _) in {"ada": (lambda: GOOD, 12, ""), **NOTEBOOKS}.items():
        hand_in(course, student, make())
    beside(hand_in(course, "beside", GOOD))
    fill(hand_in(course, "halves", GOOD) / "padding.ipynb", **ANSWERS)
    late = hand_in(course, "pipe-stamp", GOOD) / "timestamp.txt"
    late.unlink()
    os.mkfifo(late)
    inbox = course / "exchange" / "convblocks" / "inbound"
    (inbox / "no-folder+1-padding+2026-01-01 10:00:00 UTC").write_text("x")
    (inbox / "linked+1-padding+2026-01-01 10:00:00 UTC").symlink_to("/etc")
    (inbox / "no-time+1-padding+never").mkdir()
    (inbox / "..+1-padding+2026-01-01 10:00:00 UTC").mkdir()
    (inbox / "new\nline+1-padding+2026-01-01 10:00:00 UTC").mkdir()
    logs["collect"] = nbgrader(course, "collect", "1-padding", "--ExchangeCollect.check_owner=False")
    logs["autograde"] = nbgrader(course, "autograde", "1-padding")
    nbgrader(course, "generate_feedback", "1-padding")
    return course, logs, arrived, scores(course)


def page(course: Path, student: str) -> str:
    return (course / "feedback" / student / "1-padding" / "padding.html").read_text()


def test_the_neighbours_have_all_their_points(run):
    assert (run[3]["ada"], run[3]["zoe"]) == (12, 12)


@pytest.mark.parametrize("student", NOTEBOOKS)
def test_a_hostile_notebook_is_graded_for_what_is_in_it_or_named(run, student):
    course, logs, _, found = run
    _, points, words = NOTEBOOKS[student]
    assert found[student] == points
    assert words in page(course, student)
    said = [line for line in logs["autograde"].splitlines() if f"{student}, 1-padding" in line]
    assert any(words in line for line in said) if words else not said


@pytest.mark.parametrize("name", ARCHIVES)
def test_of_an_archive_what_is_the_students_own_arrives_and_nothing_else(run, name):
    _, logs, arrived, _ = run
    _, arrives, words = ARCHIVES[name]
    student = name.partition("_")[0]
    assert (arrived.get(student) == GOOD) == arrives
    assert any(student in line and words in line for line in logs["zip_collect"].splitlines())
    # What was cut off in its middle comes as far as it goes.
    assert arrives or GOOD.startswith(arrived.get(student, b""))
    assert set(arrived) <= {one.partition("_")[0] for one in ARCHIVES}


def test_nothing_was_written_outside(run):
    course = run[0]
    places = {path.relative_to(course).parts[0] for path in course.rglob("*slip.txt")}
    assert places == set()
    assert not list(Path("/tmp").glob("convblocks-*.txt"))
    assert not [path for path in (course / "downloaded" / "1-padding" / "extracted").rglob("*") if path.is_symlink()]


def test_what_a_browser_would_run_stays_out_of_the_graded_folder_and_honest_data_come_along(run):
    course, logs, _, found = run
    assert found["beside"] == 12
    graded = course / "autograded" / "beside" / "1-padding"
    files = {path.relative_to(graded).as_posix() for path in graded.rglob("*") if path.is_file()}
    assert files == {"padding.ipynb", "timestamp.txt", *DATA}
    for name in (*PAGES, "padding.html"):
        assert (course / "submitted" / "beside" / "1-padding" / name).exists()
        assert f"'{name}' is a page, which a browser would run" in logs["autograde"]
        assert f"{name} is a page, which a browser would run" in page(course, "beside")
    for reason in (
        "a pipe or a device",
        "a link to somewhere else",
        "larger than 100 MB",
        "folders deep",
        "stumble over",
    ):
        assert reason in logs["collect"]


def test_functions_that_speak_in_halves_of_characters_stop_nobody(run):
    course, _, _, found = run
    assert found["halves"] == 0
    assert "it raised ValueError: \ufffd" in page(course, "halves")
    assert "it returned the text" in page(course, "halves")
    assert "it raised ?: \ufffd" in page(course, "halves")


def test_what_is_no_submission_in_the_inbox_is_named_and_left(run):
    course, logs, _, found = run
    assert found["pipe-stamp"] == 12
    for name in ("no-folder", "linked", "new\\nline"):
        assert f"{name}+1-padding" in logs["collect"]
    assert not {"no-folder", "linked", ".."} & set(found)
    assert json.loads((course / "submitted" / "ada" / "1-padding" / "padding.ipynb").read_bytes())


BY_NAME = r".*/(?P<student_id>\w+?)_(?P<file_id>\w+)\.ipynb"
BY_FOLDER = r".*/(?P<student_id>[^/]+)/(?P<file_id>\w+)\.ipynb"
BY_LONG_FOLDER = r".*/(?P<student_id>\w+?)_\d+_assignsubmission_file_\w*/(?P<file_id>padding)\.ipynb"
BY_ATTEMPT = r".*ps1_(?P<student_id>[a-z]+)_attempt_(?P<timestamp>[0-9-]+)_(?P<file_id>\w+)\.ipynb"
MAYBE_TIMED = r".*/(?P<student_id>[a-z]+)(_(?P<timestamp>[0-9-]+))?_(?P<file_id>[\w.]+?)\.ipynb"

RIGHT = ("padding.ipynb", GOOD)
ADAS, BOBS, ZOES = ((f"{student}_padding.ipynb", GOOD) for student in ("ada", "bob", "zoe"))
FORGED = ("zoe_padding.ipynb", b"")
FORGED_LATER = ("ps1_zoe_attempt_2030-01-01-10-00-00_padding.ipynb", b"")

# name: (regular expression, downloads, students of whom the right notebook arrives, what is said of what does not)
DOWNLOADS = {
    "the class' archive": (BY_NAME, [("all.zip", zipped(ADAS, ZOES))], "ada zoe", ""),
    "the class' archive, named like a student's": (BY_NAME, [("ps_1.zip", zipped(ADAS, ZOES))], "ada zoe", ""),
    "an archive of each student": (
        BY_NAME,
        [("all.zip", zipped(("ada_x.zip", zipped(ADAS)), ("zoe_x.zip", zipped(ZOES)))), ("bob_x.zip", zipped(BOBS))],
        "ada bob zoe",
        "",
    ),
    "an archive of each student, of any name": (
        BY_NAME,
        [("all.zip", zipped(("1.zip", zipped(ADAS)), ("2.zip", zipped(ZOES)))), ("3.zip", zipped(BOBS))],
        "ada bob zoe",
        "",
    ),
    "a folder of each student": (
        BY_FOLDER,
        [("all.zip", zipped(("ada/padding.ipynb", GOOD), ("zoe.zip", zipped(RIGHT)))), ("bob.zip", zipped(RIGHT))],
        "ada bob zoe",
        "",
    ),
    "a folder of each student, with more in its name": (
        BY_LONG_FOLDER,
        [
            ("ada_2_assignsubmission_file_.zip", zipped(RIGHT)),
            ("all.zip", zipped(("zoe_1_assignsubmission_file_homework.zip", zipped(RIGHT)))),
        ],
        "ada zoe",
        "",
    ),
    "two attempts": (
        BY_ATTEMPT,
        [
            ("1.zip", zipped(("ps1_zoe_attempt_2026-01-02-10-00-00_padding.ipynb", GOOD))),
            ("2.zip", zipped(("ps1_zoe_attempt_2026-01-01-10-00-00_padding.ipynb", b""))),
        ],
        "zoe",
        "",
    ),
    "forged, beside": (
        BY_NAME,
        [ADAS, ZOES, ("bob_x.zip", zipped(BOBS, FORGED))],
        "ada bob zoe",
        "bob_x/zoe_padding.ipynb' lies in an archive that is bob's by its name and a file in it: left out.",
    ),
    "forged, in the class' archive": (
        BY_NAME,
        [("all.zip", zipped(("bob_x.zip", zipped(BOBS, FORGED)), ZOES))],
        "bob zoe",
        "bob_x/zoe_padding.ipynb' lies in an archive that is bob's by its name: left out.",
    ),
    "forged, in the class' archive, named like a student's": (
        BY_NAME,
        [("ps_1.zip", zipped(("bob_x.zip", zipped(BOBS, FORGED)), ZOES))],
        "bob zoe",
        "bob_x/zoe_padding.ipynb' lies in an archive that is bob's by its name: left out.",
    ),
    "forged, of one who handed nothing in": (
        BY_NAME,
        [ADAS, ("bob_x.zip", zipped(BOBS, FORGED))],
        "ada bob",
        "bob_x/zoe_padding.ipynb' lies in an archive that is bob's by its name and a file in it: left out.",
    ),
    "forged, beside the class' archive": (
        BY_NAME,
        [("all.zip", zipped(ZOES)), ("bob_x.zip", zipped(FORGED))],
        "zoe",
        "bob_x/zoe_padding.ipynb' lies in an archive that does not name zoe, of whom there is a file elsewhere: left",
    ),
    "forged, in an archive in an archive": (
        BY_NAME,
        [
            ("bob_x.zip", zipped(("zoe_x.zip", zipped(FORGED)), ("y.zip", zipped(BOBS)))),
            ("zoe_x.zip", zipped(("y.zip", zipped(ZOES)))),
        ],
        "bob zoe",
        "bob_x/zoe_x/zoe_padding.ipynb' lies in an archive that does not name zoe, of whom there is a file elsewhere",
    ),
    "forged, where no name tells": (
        BY_NAME,
        [("all.zip", zipped(("1.zip", zipped(BOBS, FORGED)), ("2.zip", zipped(ZOES))))],
        "bob",
        "2/zoe_padding.ipynb' lies in an archive that does not name zoe, of whom there is a file elsewhere: left out.",
    ),
    "forged, as a folder": (
        BY_FOLDER,
        [("bob.zip", zipped(RIGHT, ("zoe/padding.ipynb", b""))), ("zoe.zip", zipped(RIGHT))],
        "bob zoe",
        "bob/zoe/padding.ipynb' lies in an archive that is bob's by its name and a file in it: left out.",
    ),
    "forged, as a folder in the class' archive": (
        BY_FOLDER,
        [("all.zip", zipped(("bob.zip", zipped(RIGHT, ("zoe/padding.ipynb", b""))), ("zoe/padding.ipynb", GOOD)))],
        "bob zoe",
        "bob/zoe/padding.ipynb' lies in an archive that is bob's by its name: left out.",
    ),
    "forged, of a later time": (
        BY_ATTEMPT,
        [("ps1_zoe_attempt_2026-01-01-10-00-00_padding.ipynb", GOOD), ("x.zip", zipped(FORGED_LATER))],
        "zoe",
        "_padding.ipynb' lies in an archive that does not name zoe, of whom there is a file elsewhere: left out.",
    ),
    "a time that is none": (
        BY_ATTEMPT,
        [
            ("ps1_zoe_attempt_2026-01-01-10-00-00_padding.ipynb", GOOD),
            (
                "ps1_bob_attempt_2026-01-01-10-00-00_homework.zip",
                zipped(
                    ("ps1_bob_attempt_2026-99-99-15-00-00_padding.ipynb", b""),
                    (f"ps1_bob_attempt_{'9' * 40}_padding.ipynb", b""),
                    ("ps1_bob_attempt_2026-01-01-09-00-00_padding.ipynb", GOOD),
                ),
            ),
        ],
        "bob zoe",
        "_padding.ipynb' has a time stamp that is no time ('2026-99-99-15-00-00'): left out.",
    ),
    "one file with a time, one without": (
        MAYBE_TIMED,
        [("bob_2026-01-01_padding.x.ipynb", GOOD), ("bob_padding.ipynb", b""), ZOES],
        "bob zoe",
        "bob_padding.ipynb' has been handed in twice by bob, this is the second: left out.",
    ),
}


@pytest.mark.parametrize("name", DOWNLOADS)
def test_a_download_takes_nobody_elses_place_and_stops_nobody(course, name):
    regexp, downloads, students, words = DOWNLOADS[name]
    archive = course / "downloaded" / "1-padding" / "archive"
    archive.mkdir(parents=True)
    for file, content in downloads:
        (archive / file).write_bytes(content)
    log = nbgrader(course, "zip_collect", "1-padding", f"--FileNameCollectorPlugin.named_regexp={regexp}")
    arrived = {path.parts[-3]: path.read_bytes() for path in course.glob("submitted/*/1-padding/padding.ipynb")}
    assert arrived == dict.fromkeys(students.split(), GOOD)
    assert words in log if words else "left out" not in log
    assert not [path for path in course.glob("submitted/*/1-padding/timestamp.txt") if "2030" in path.read_text()]
