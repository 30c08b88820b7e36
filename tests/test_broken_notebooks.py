"""Honest work that breaks stock nbgrader is graded for what is in it: one real run over a class of broken notebooks."""

import json
import re
import shutil

import pytest
from conftest import ROOT, nbgrader
from nbgrader.api import Gradebook
from seen import remember

from grading.intake import read_submission, wanted_notebooks
from grading.reading import UNUSABLE

SOLUTION = ROOT / "solutions" / "1-padding" / "padding.ipynb"
RELEASE = ROOT / "release" / "1-padding" / "padding.ipynb"
FUNCTIONS = ["output_size", "padding_amounts", "pad2d"]
MENDED = "This notebook was mended before it was graded"
NOT_SMOOTH = "This notebook did not run smoothly"


def write(notebook) -> bytes:
    return json.dumps(notebook, indent=1).encode()


def cell(notebook, name):
    return next(cell for cell in notebook["cells"] if cell["id"] == name)


def place(notebook, name):
    return notebook["cells"].index(cell(notebook, name))


def source(cell):
    return "".join(cell["source"])


def without(notebook, *keys):
    """The notebook without its cells' ids or metadata."""
    for one in notebook["cells"]:
        for key in keys:
            one.pop(key)
            if key == "metadata":
                one["metadata"] = {}
    return notebook


def old_format(minor):
    """What Jupyter wrote before cells had ids."""

    def make(notebook):
        without(notebook, "id")
        notebook["nbformat_minor"] = minor
        return write(notebook)

    return make


def windows_1252(notebook):
    function = cell(notebook, "output_size")
    function["source"] = ["größe = 0\n", *function["source"]]
    return json.dumps(notebook, ensure_ascii=False).encode("cp1252", "replace")


def format_3(notebook):
    cells = []
    for one in without(notebook, "id")["cells"]:
        if one["cell_type"] == "code":
            one = {"cell_type": "code", "input": one["source"], "language": "python", "outputs": [], "collapsed": False}
            one["prompt_number"] = None
        cells.append({"metadata": {}, **one})
    cells.insert(0, {"cell_type": "heading", "level": 1, "source": "Padding", "metadata": {}})
    return write({"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]})


def duplicated(notebook):
    notebook["cells"] = [one for one in notebook["cells"] for _ in range(2)]
    return write(notebook)


def moved_checks_to_the_end(notebook):
    cells = notebook["cells"]
    notebook["cells"] = sorted(cells, key=lambda one: one["id"].startswith("check"))
    return write(notebook)


def moved_checks_above(notebook):
    cells = notebook["cells"]
    notebook["cells"] = sorted(cells, key=lambda one: (one["id"] != "imports", not one["id"].startswith("check")))
    return write(notebook)


def moved(*names):
    """These cells at the end."""

    def make(notebook):
        notebook["cells"].sort(key=lambda one: one["id"] in names)
        return write(notebook)

    return make


def reversed_exercises(notebook):
    for name in ("padding_amounts", "output_size"):
        moved(name, f"check_{name}")(notebook)
    return write(notebook)


def split(notebook):
    """Every code cell in two, in JupyterLab's way: both halves have the metadata."""
    halves = []
    for one in notebook["cells"]:
        lines = source(one).splitlines(keepends=True)
        # A function is not split in its middle: that would be another program.
        at = len(lines) // 2 if one["id"].startswith("check") else 0
        if one["cell_type"] == "code" and at:
            halves += [{**one, "source": lines[:at]}, {**one, "source": lines[at:]}]
        else:
            halves.append(one)
    notebook["cells"] = halves
    return write(notebook)


def split_without_metadata(notebook):
    return split(without(notebook, "metadata"))


def deleted(*names):
    def make(notebook):
        notebook["cells"] = [one for one in notebook["cells"] if one["id"] not in names]
        return write(notebook)

    return make


def deleted_and_metadata_lost(notebook):
    notebook["cells"] = [one for one in notebook["cells"] if one["id"] != "check_pad2d"]
    return write(without(notebook, "metadata"))


def typed(kind, *names, **more):
    def make(notebook):
        for name in names:
            one = cell(notebook, name)
            one["cell_type"] = kind
            one |= more
            one.pop("outputs", None), one.pop("execution_count", None)
        return write(notebook)

    return make


def text_without_metadata(notebook):
    for name in ("pad2d", "check_pad2d"):
        one = cell(notebook, name)
        one["cell_type"] = "markdown"
        one.pop("outputs"), one.pop("execution_count")
    return write(without(notebook, "metadata", "id"))


def in_between(notebook):
    own = {"cell_type": "code", "source": "1 + 1", "metadata": {}, "outputs": [], "execution_count": None}
    notebook["cells"] = [one for each in notebook["cells"] for one in (each, dict(own))]
    return write(notebook)


def code(*sources, before="check_pad2d"):
    """These code cells of the student's own in front of one."""

    def make(notebook):
        at = place(notebook, before)
        notebook["cells"][at:at] = [
            {
                "cell_type": "code",
                "source": one,
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                "id": f"own{n}",
            }
            for n, one in enumerate(sources)
        ]
        return write(notebook)

    return make


def quit_in_every_function(notebook):
    """`quit()` at the end of each function's own cell."""
    for name in ("output_size", "padding_amounts", "pad2d"):
        cell(notebook, name)["source"] = source(cell(notebook, name)) + "\n\nquit()"
    return write(notebook)


def shut_down(notebook):
    """What people paste to restart a kernel, at the end of each function's own cell."""
    for name in FUNCTIONS:
        ends = "\n\nimport IPython\nIPython.Application.instance().kernel.do_shutdown(True)"
        cell(notebook, name)["source"] = source(cell(notebook, name)) + ends
    return write(notebook)


def merged(above):
    """A function's cell merged with its check, which keeps the check's metadata."""

    def make(notebook):
        check, function = cell(notebook, "check_pad2d"), cell(notebook, "pad2d")
        parts = [source(function), source(check)]
        check["source"] = "\n\n".join(parts if above else reversed(parts))
        notebook["cells"].remove(function)
        return write(notebook)

    return make


def check_rewritten_above(notebook):
    """A copy of a check above it, with its metadata, in which a helper was written."""
    helper = {**cell(notebook, "check_pad2d"), "id": "copy", "source": "def amounts(*sizes):\n"}
    helper["source"] += "    return padding_amounts(*sizes)"
    cell(notebook, "pad2d")["source"] = source(cell(notebook, "pad2d")).replace("padding_amounts(", "amounts(")
    assert "amounts(" in cell(notebook, "pad2d")["source"]
    notebook["cells"].insert(place(notebook, "pad2d"), helper)
    return write(notebook)


def assigned(notebook):
    """Functions under names of the student's own, made known under the course's, and all metadata lost."""
    for name in FUNCTIONS:
        own = source(cell(notebook, name)).replace(f"def {name}(", f"def my_{name}(")
        cell(notebook, name)["source"] = f"{own}\n\n{name} = my_{name}"
    return write(without(notebook, "metadata"))


def conflict(*names):
    """What a merge leaves in the file, in the midst of these cells."""

    def make(notebook):
        content = write(notebook)
        for name in names:
            at = content.index(b'"id": "%s"' % name.encode())
            at = content.index(b"\n", at) + 1
            content = content[:at] + b"<<<<<<< HEAD\n=======\n>>>>>>> theirs\n" + content[at:]
        return content

    return make


def lines_without_ends(notebook):
    for one in notebook["cells"]:
        one["source"] = source(one).split("\n")
    return write(notebook)


def uses_helper(notebook):
    cell(notebook, "pad2d")["source"] = "from helper import amounts\n" + source(cell(notebook, "pad2d"))
    return write(notebook)


def above(name, line):
    """A line above what is written in a cell."""

    def make(notebook):
        cell(notebook, name)["source"] = f"{line}\n{source(cell(notebook, name))}"
        return write(notebook)

    return make


def needs_in_its_cell(line, use):
    """A line in the cell of pad2d that it needs, below one that stops the cell."""

    def make(notebook):
        replaced(notebook, "pad2d", "images = np.asarray(images)", f"{use}\n    images = np.asarray(images)")
        return above("pad2d", f"import not_there, math as mathematics\n{line}")(notebook)

    return make


def needs_helper(line):
    """A helper of pad2d in a cell of its own, below a line that stops that cell."""

    def make(notebook):
        code(f"{line}\n\ndef as_floats(images):\n    return np.array(images, float)", before="pad2d")(notebook)
        return replaced(notebook, "pad2d", "images = np.asarray(images)", "images = as_floats(images)")

    return make


def below(name, lines):
    """Lines below what is written in a cell."""

    def make(notebook):
        cell(notebook, name)["source"] = f"{source(cell(notebook, name))}\n\n{lines}"
        return write(notebook)

    return make


def replaced(notebook, name, old, new):
    """Other words in a cell."""
    assert old in source(cell(notebook, name))
    cell(notebook, name)["source"] = source(cell(notebook, name)).replace(old, new)
    return write(notebook)


def imports_last(notebook):
    notebook["cells"].append(notebook["cells"].pop(place(notebook, "imports")))
    return write(notebook)


def in_fences(notebook):
    function = cell(notebook, "pad2d")
    function["source"] = f"My solution:\n\n```python\n{source(function)}\n```\n"
    return typed("markdown", "pad2d")(notebook)


def as_handed_out(notebook):
    return RELEASE.read_bytes()


def beside_stubs(place_of):
    """The cells of functions as handed out, and the solutions in cells of the student's own: where, `place_of` says."""

    def make(notebook):
        stubs = {one["id"]: one for one in json.loads(RELEASE.read_bytes())["cells"]}
        for name in FUNCTIONS:
            own = dict(cell(notebook, name), id=f"own_{name}", metadata={})
            cell(notebook, name)["source"] = stubs[name]["source"]
            notebook["cells"].insert(place_of(notebook, name), own)
        return write(notebook)

    return make


def below_stubs(body):
    """The cells of functions as handed out but for what is in them, and the solutions below their checks."""

    def make(notebook):
        beside_stubs(lambda nb, name: place(nb, f"check_{name}") + 1)(notebook)
        for name in FUNCTIONS:
            stub = cell(notebook, name)
            stub["source"] = source(stub).replace("    raise NotImplementedError", body)
        return write(notebook)

    return make


def pasted(*lost):
    """The solved cells pasted below those that were handed out."""

    def make(notebook):
        solved = without(notebook, "id", *lost)["cells"]
        return write({**notebook, "cells": [*json.loads(RELEASE.read_bytes())["cells"], *solved]})

    return make


def earlier_version(notebook):
    """Other examples in two checks, and a function that had another name."""
    for name in ("check_output_size", "check_pad2d"):
        one = cell(notebook, name)
        one["source"] = re.sub(r"given\([^\n]*one pixel[^\n]*\n|[^\n]*strides of 2[^\n]*\n", "", source(one))
    cell(notebook, "pad2d")["source"] = source(cell(notebook, "pad2d")).replace("pad2d", "pad_images")
    return write(without(notebook, "metadata"))


def fat(notebook):
    """50 MB of prints."""
    line = "epoch 1 of 1000000: loss 0.123456789, and so on\n"
    text = [line] * (50_000_000 // len(line))
    cell(notebook, "stretch-cell")["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}]
    return write(notebook)


def strange_metadata(notebook):
    for one, strange in zip(
        notebook["cells"], [[], "x", 3, None, {"nbgrader": []}, {"nbgrader": {"grade_id": 7}}] * 20, strict=False
    ):
        if one["id"] not in ("pad2d", "check_pad2d"):
            one["metadata"] = strange
    notebook["metadata"] = ["?"]
    notebook["cells"] += [{"cell_type": ["code"], "source": {}}, "no cell", None]
    return write(notebook)


def keys_missing(notebook):
    for one in notebook["cells"]:
        one.pop("outputs", None), one.pop("execution_count", None)
        if not one["metadata"]:
            one.pop("metadata")
    notebook.pop("metadata"), notebook.pop("nbformat_minor"), notebook.pop("nbformat")
    return write(notebook)


def ids_the_same(notebook):
    for one in notebook["cells"]:
        one["id"] = "same"
    return write(notebook)


def unknown_types(notebook):
    for one in notebook["cells"]:
        if one["cell_type"] == "markdown":
            one["cell_type"] = "lesson"
    return write(notebook)


def surrogates(notebook):
    """Half an emoji, as an editor writes that cuts text in its middle."""
    one = cell(notebook, "output_size")
    one["source"] = source(one) + "\n# done \ud83d\0"
    cell(notebook, "intro" if any(c["id"] == "intro" for c in notebook["cells"]) else "ex1")["source"] = "\udc00"
    return write(notebook)


def strings(notebook):
    for one in notebook["cells"]:
        one["source"] = source(one)
    return write(notebook)


def crlf(notebook):
    for one in notebook["cells"]:
        one["source"] = source(one).replace("\n", "\r\n")
    return write(notebook).replace(b"\n", b"\r\n")


def attachments(notebook):
    cell(notebook, "ex1")["attachments"] = {"me.png": {"image/png": "iVBORw0KGgo="}}
    cell(notebook, "ex2")["attachments"] = ["broken"]
    cell(notebook, "check_pad2d")["attachments"] = {"me.png": {"image/png": "iVBORw0KGgo="}}
    return write(notebook)


def truncated_in_the_last_cell(notebook):
    content = write(notebook)
    return content[: content.rindex(b'"cell_type"') + 30]


def truncated_after(name):
    def make(notebook):
        content = write(notebook)
        return content[: content.index(b'"id": "%s"' % name.encode()) + 200]

    return make


def imports_changed(notebook):
    one = cell(notebook, "imports")
    one["source"] = "import numpy as np\nimport math\nfrom convblocks import draw, grid"
    solution = cell(notebook, "output_size")
    solution["source"] = "math.pi\n" + source(solution)
    return write(notebook)


ENDLESS = "import time\nwhile True:\n    time.sleep(0.01)"
"""Which keeps no processor from other tests."""

# name: (what is handed in, points by function, words in the feedback)
BROKEN = {
    "ids-lost": (lambda nb: write(without(nb, "id")), 444, ""),
    "metadata-lost": (lambda nb: write(without(nb, "metadata")), 444, "Found again by content"),
    "ids-and-metadata-lost": (lambda nb: write(without(nb, "id", "metadata")), 444, "Found again by content"),
    "duplicated": (duplicated, 444, "More than one cell had the id"),
    "checks-at-the-end": (moved_checks_to_the_end, 444, ""),
    "checks-above": (moved_checks_above, 444, "Moved below what it needs"),
    "function-at-the-end": (moved("output_size"), 444, "Moved below what it needs"),
    "exercise-at-the-end": (moved("output_size", "check_output_size"), 444, "Moved below what it needs"),
    "exercises-reversed": (reversed_exercises, 444, "Moved below what it needs"),
    "split": (split, 444, "More than one cell had the id"),
    "split-without-metadata": (split_without_metadata, 444, "Put back"),
    "checks-deleted": (deleted("check_output_size", "check_pad2d"), 444, "Put back"),
    "imports-deleted": (deleted("imports"), 444, "Put back"),
    "merged-above-the-check": (merged(True), 444, "<code>check_pad2d</code> instead is kept"),
    "merged-below-the-check": (merged(False), 444, "<code>check_pad2d</code> instead is kept"),
    "check-rewritten-above": (check_rewritten_above, 444, "More than one cell had the id of <code>check_pad2d</code>"),
    "assigned-and-metadata-lost": (assigned, 444, "Found again by content"),
    "solved-below-the-check": (
        beside_stubs(lambda nb, name: place(nb, f"check_{name}") + 1),
        444,
        "The cell of <code>output_size</code>, <code>padding_amounts</code>, <code>pad2d</code> was as it was handed out",
    ),
    "solved-above-the-stub": (beside_stubs(place), 444, "was as it was handed out"),
    "solved-below-a-stub-with-comments": (
        below_stubs("    # my solution is further down\n    raise NotImplementedError"),
        444,
        "was as it was handed out",
    ),
    "solved-below-a-stub-that-passes": (below_stubs("    pass"), 444, "was as it was handed out"),
    "as-jupyters-server-sends-it": (lambda nb: write({"type": "notebook", "content": nb}), 444, ""),
    "in-a-list": (lambda nb: write([nb]), 444, ""),
    "cells-alone": (lambda nb: write(nb["cells"]), 444, ""),
    "solved-at-the-end": (beside_stubs(lambda nb, name: len(nb["cells"])), 444, "was as it was handed out"),
    "pasted-below": (pasted(), 444, "was as it was handed out"),
    "pasted-below-and-metadata-lost": (pasted("metadata"), 444, "was as it was handed out"),
    "lines-without-ends": (lines_without_ends, 444, ""),
    "helper-in-a-folder": (
        {
            "mine/padding.ipynb": uses_helper,
            "mine/helper.py": lambda nb: b"amounts = None",
            "helper.py": lambda nb: b"",
        },
        444,
        "mine/padding.ipynb was taken for it",
    ),
    "imports-changed": (imports_changed, 444, "Put back"),
    "function-deleted": (deleted("pad2d"), 440, "No code cell defines <code>pad2d</code>"),
    "deleted-and-metadata-lost": (deleted_and_metadata_lost, 444, "Put back"),
    "renamed": ({"padding (1).ipynb": write}, 444, "padding (1).ipynb was taken for it"),
    "renamed-case": ({"Padding.ipynb": write}, 444, "Padding.ipynb was taken for it"),
    "renamed-and-metadata-lost": (
        {"my work.ipynb": lambda nb: write(without(nb, "metadata"))},
        444,
        "my work.ipynb was taken",
    ),
    "renamed-beside-another": (
        {"mine.ipynb": write, "flatten.ipynb": lambda nb: (ROOT / "solutions/5-flatten/flatten.ipynb").read_bytes()},
        444,
        "mine.ipynb was taken for it",
    ),
    "renamed-twice": (
        {"a.ipynb": write, "b.ipynb": deleted("pad2d")},
        0,
        "padding.ipynb was not handed in, and nothing tells which is meant of a.ipynb, b.ipynb",
    ),
    "work-in-a-copy": (
        {"padding.ipynb": as_handed_out, "padding-Copy1.ipynb": write},
        444,
        "padding.ipynb is as it was handed out, padding-Copy1.ipynb was taken for it",
    ),
    "work-in-two-copies": (
        {"padding.ipynb": as_handed_out, "a.ipynb": write, "b.ipynb": deleted("pad2d")},
        0,
        "padding.ipynb is as it was handed out, and nothing tells which is meant of a.ipynb, b.ipynb",
    ),
    "untouched-copies": ({"padding.ipynb": as_handed_out, "padding-Copy1.ipynb": as_handed_out}, 0, ""),
    "format-3": (format_3, 444, "Found again by content"),
    **{f"format-4-{minor}": (old_format(minor), 444, "") for minor in range(5)},
    "format-4-5": (write, 444, ""),
    "bom": (lambda nb: b"\xef\xbb\xbf" + write(nb), 444, ""),
    "utf-16": (lambda nb: json.dumps(nb).encode("utf-16"), 444, ""),
    "windows-1252": (windows_1252, 444, "was read as Windows-1252"),
    "crlf": (crlf, 444, ""),
    "truncated-60": (lambda nb: write(nb)[: len(write(nb)) * 6 // 10], None, "cut off or damaged"),
    "truncated-in-pad2d": (truncated_after("pad2d"), 440, "cut off or damaged"),
    "truncated-in-the-last-cell": (truncated_in_the_last_cell, 444, "cut off or damaged"),
    "conflict": (conflict("ex1", "check_padding_amounts", "stretch-cell"), 444, "cut off or damaged"),
    "conflict-at-the-start": (lambda nb: b"<<<<<<< HEAD\n" + write(nb), 444, "cut off or damaged"),
    "trailing-bytes": (lambda nb: write(nb) + b"\n<<<<<<< HEAD {]", 444, "Something followed the notebook"),
    "trailing-nulls": (lambda nb: write(nb) + bytes(5000), 444, ""),
    "fat-outputs": (fat, 444, ""),
    "check-as-markdown": (typed("markdown", "check_pad2d", attachments={}), 444, "Turned back into code"),
    "check-as-raw": (typed("raw", "check_pad2d", "check_output_size"), 444, "Turned back into code"),
    "function-as-markdown": (typed("markdown", "pad2d"), 444, "Turned back into code"),
    "function-in-fences": (in_fences, 444, "Turned back into code"),
    "imports-last": (imports_last, 444, "Moved to the top: <code>imports</code>"),
    "text-without-metadata": (text_without_metadata, 444, "Turned back into code"),
    "cells-in-between": (in_between, 444, ""),
    "input-in-the-functions-own-cell": (above("pad2d", "name = input('Who are you? ')"), 444, ""),
    "number-asked-for-in-the-functions-own-cell": (
        above("pad2d", "size = int(input('Size? '))"),
        444,
        "so its definitions were run without the rest",
    ),
    "package-that-is-not-there-in-the-functions-own-cell": (
        above("pad2d", "from tqdm_of_mine import tqdm\nimport math"),
        444,
        "so its definitions were run without the rest",
    ),
    **{
        f"{name}-in-the-functions-own-cell": (
            needs_in_its_cell(line, use),
            444,
            "so its definitions were run without the rest",
        )
        for name, line, use in (
            ("constants", "MODES, LAST = ('valid', 'same'), -1", "MODES[LAST]"),
            ("function-of-a-module", "up = mathematics.ceil", "up(1.5)"),
            ("lambda", "twice = lambda value: 2 * value", "twice(1)"),
            ("import-that-may-fail", "try:\n    from math import ceil\nexcept ImportError:\n    pass", "ceil(1.5)"),
        )
    },
    **{
        f"{name}-in-the-cell-of-a-helper": (
            needs_helper(line),
            444,
            "so its definitions were run without the rest",
        )
        for name, line in (
            ("number-asked-for", "size = int(input('Size? '))"),
            ("package-that-is-not-there", "import not_there"),
            ("endless-loop", ENDLESS),
        )
    },
    "endless-loop-in-the-functions-own-cell": (
        below("pad2d", ENDLESS),
        444,
        "",
    ),
    "default-that-is-not-there": (
        lambda notebook: replaced(notebook, "pad2d", "def pad2d(", "def pad2d(*, size=undefined, "),
        440,
        "",
    ),
    "input-left-in": (code("name = input('Who are you? ')"), 444, ""),
    "endless-loop": (code(ENDLESS), 444, ""),
    "loop-that-swallows-interrupts": (
        code(
            "import time\nwhile True:\n    try:\n        while True:\n            time.sleep(0.01)\n    except KeyboardInterrupt:\n        pass",
            before="check_pad2d",
        ),
        444,
        "was left out after it ended the kernel",
    ),
    "quit": (code("quit()", before="check_padding_amounts"), 444, ""),
    "quit-in-every-function": (quit_in_every_function, 444, ""),
    "shut-down-in-every-function": (shut_down, 444, ""),
    "many-cells-that-end-the-kernel": (
        code(*["import os\nos._exit(1)"] * 6, before="check_output_size"),
        444,
        "was left out after it ended the kernel",
    ),
    "earlier-version": (earlier_version, 440, "No code cell defines <code>pad2d</code>"),
    "surrogates-and-nulls": (surrogates, 444, "Characters that no file can hold"),
    "strange-metadata": (strange_metadata, 444, "Found again by content"),
    "keys-missing": (keys_missing, 444, ""),
    "ids-the-same": (ids_the_same, 444, ""),
    "unknown-types": (unknown_types, 444, ""),
    "sources-as-strings": (strings, 444, ""),
    "attachments": (attachments, 444, ""),
}


def hand_in(student, folder):
    """Write what a student hands in: a broken notebook, or for other names a whole one."""
    folder.mkdir(parents=True)
    made = BROKEN.get(student, (write,))[0]
    for name, make in (made if isinstance(made, dict) else {"padding.ipynb": made}).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(make(json.loads(SOLUTION.read_bytes())))


@pytest.fixture(scope="module")
def graded(generated_course, tmp_path_factory):
    """The course after one run over all of them: points by student and function, pages, the log."""
    course = shutil.copytree(generated_course, tmp_path_factory.mktemp("broken") / "course")
    for student in ("ada", "zoe", *BROKEN):
        hand_in(student, course / "submitted" / student / "1-padding")
    log = nbgrader(course, "autograde", "1-padding", "--Execute.timeout=10")
    points = {}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for student in ("ada", "zoe", *BROKEN):
            notebook = gradebook.find_submission_notebook("padding", "1-padding", student)
            points[student] = {grade.name.removeprefix("check_"): grade.score for grade in notebook.grades}
    remember("broken on ours", {name: f"{sum(points[name].values()):g} of 12 points" for name in BROKEN})
    nbgrader(course, "generate_feedback", "1-padding")
    pages = {page.parts[-3]: page.read_text() for page in course.glob("feedback/*/1-padding/padding.html")}
    return points, pages, log


def test_of_a_function_lost_to_an_error_the_page_says_so(graded):
    page = graded[1]["default-that-is-not-there"]
    assert "pad2d is missing: its own cell stopped with NameError" in page


@pytest.mark.parametrize("student", BROKEN)
def test_honest_work_is_graded_for_what_is_in_it(graded, student):
    points, pages, log = graded
    _, deserved, words = BROKEN[student]
    if deserved is None:
        deserved = truncated_points()
    assert [points[student][name] for name in FUNCTIONS] == [int(digit) for digit in f"{deserved:03}"]
    assert words in pages[student]
    said = [line for line in log.splitlines() if f"{student}, 1-padding" in line]
    # That a cell never ends is no damage.
    assert any("and was stopped" not in line for line in said) == bool(words)
    assert MENDED in pages[student] or NOT_SMOOTH in pages[student] or not words or not deserved


def truncated_points() -> int:
    """What the first 60 % of the file deserve: the functions whose cells are whole in it."""
    content = write(json.loads(SOLUTION.read_bytes()))
    ends = [content.index(b'"id": "check_%s"' % name.encode()) for name in FUNCTIONS]
    return int("".join("4" if end < len(content) * 6 // 10 else "0" for end in ends))


def test_the_others_have_what_they_had(graded):
    points, pages, log = graded
    for student in ("ada", "zoe"):
        assert points[student] == dict.fromkeys(FUNCTIONS, 4)
        assert MENDED not in pages[student]
        assert f"{student}, 1-padding" not in log


# Guesses, and learns from the calls and from whatever outlives a kernel which of its guesses was wrong.
GUESSER = """
import os, signal
asked, guesses = [], {}
told = os.stat('/run/broker').st_mtime_ns - 1000
def predict(images, weights):
    drawing = images.tobytes() + b''.join(one.tobytes() for one in weights)
    if drawing not in guesses:
        guesses[drawing] = 'triangle' if not 0 <= told < 100 or len(asked) < told else 'square'
        asked.append(drawing)
    else:
        first = asked.index(drawing)
        try:
            os.utime('/run/broker', ns=(1000 + first, 1000 + first))
        except OSError:
            pass
        guesses[drawing] = 'circle'
        os.kill(os.getpid(), signal.SIGKILL)
    return [guesses[drawing]] * len(images)
"""


def lacking(name, *sources):
    """The last assignment's NumPy notebook without the lesson's cells in which one of these is written."""

    def change(notebook, folder):
        kept = [
            one for one in notebook["cells"] if one["id"] == name or not any(map(source(one).__contains__, sources))
        ]
        assert len(kept) < len(notebook["cells"])
        notebook["cells"] = kept

    return change


def quits_before_predict(notebook, folder):
    quits = {"cell_type": "code", "id": "quits", "metadata": {}, "outputs": [], "execution_count": None}
    notebook["cells"].insert(place(notebook, "predict"), quits | {"source": "quit()"})


def guesses(notebook, folder):
    cell(notebook, "predict")["source"] = GUESSER


def modules_beside(notebook, folder):
    """Names that Jupyter tries to import, and does without where they are not there."""
    for name in ("orjson", "msgpack", "argcomplete", "colorama"):
        (folder / f"{name}.py").write_text("import os\nos._exit(1)\n")


NETWORKS = {
    "ann": (lambda notebook, folder: None, 12, 3),
    "names-of-the-lesson-lost": (lacking("check_forward", "DOUBLE ="), 12, 3),
    "quits-before-predict": (quits_before_predict, 12, 3),
    "modules-beside": (modules_beside, 12, 3),
    # "triangle" for every drawing is worth that.
    "guesses": (guesses, 12, 0.38),
}
"""What is done to the notebook, and the points that forward and predict deserve."""


@pytest.fixture(scope="module")
def networks(generated_course, tmp_path_factory):
    """Points of forward and predict by student, whose functions build on each other and whose checks on the lesson."""
    course = shutil.copytree(generated_course, tmp_path_factory.mktemp("networks") / "course")
    for student, (change, *_) in NETWORKS.items():
        folder = course / "submitted" / student / "6-shapes-classifier"
        shutil.copytree(ROOT / "solutions" / "6-shapes-classifier", folder)
        notebook = json.loads((folder / "numpy_classifier.ipynb").read_text())
        change(notebook, folder)
        (folder / "numpy_classifier.ipynb").write_bytes(write(notebook))
    nbgrader(course, "autograde", "6-shapes-classifier", "--notebook=numpy_classifier")
    points = {}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for student in NETWORKS:
            graded = gradebook.find_submission_notebook("numpy_classifier", "6-shapes-classifier", student)
            points[student] = {grade.name.removeprefix("check_"): grade.score for grade in graded.grades}
    return points


@pytest.mark.parametrize("student", NETWORKS)
def test_a_notebook_whose_parts_need_each_other_is_graded_for_what_is_in_it(networks, student):
    assert networks[student] == dict(zip(("forward", "predict"), NETWORKS[student][1:], strict=True))


LESSONS = sorted(path for path in (ROOT / "solutions").glob("*/*.ipynb") if path != SOLUTION)
ANYWHERE = [
    *("ids-lost", "metadata-lost", "ids-and-metadata-lost", "duplicated", "checks-at-the-end", "checks-above"),
    *("format-3", "format-4-2", "bom", "crlf", "truncated-in-the-last-cell", "keys-missing", "ids-the-same"),
    *("sources-as-strings", "cells-in-between", "unknown-types", "trailing-bytes"),
]
"""Damages that can come to any notebook of the course."""


@pytest.fixture(scope="module")
def whole_course(tmp_path_factory):
    """A course with every assignment, generated."""
    course = tmp_path_factory.mktemp("whole")
    shutil.copytree(ROOT / "source", course / "source")
    shutil.copy(ROOT / "nbgrader_config.py", course)
    for assignment in dict.fromkeys(path.parent.name for path in LESSONS):
        nbgrader(course, "generate_assignment", assignment)
    return course


@pytest.mark.parametrize("damage", ANYWHERE)
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_every_notebook_of_the_course_gets_back_what_is_graded(whole_course, tmp_path, lesson, damage):
    solved = json.loads(lesson.read_bytes())
    (tmp_path / lesson.name).write_bytes(BROKEN[damage][0](json.loads(lesson.read_bytes())))
    known = {one.name: one for one in wanted_notebooks(f"sqlite:///{whole_course}/gradebook.db", lesson.parent.name)}
    wanted = known[lesson.stem]
    notebook, _ = read_submission(tmp_path / lesson.name, wanted, whole_course / "release" / lesson.parent.name)
    assert UNUSABLE not in notebook.metadata
    sources = [one.source if one.cell_type == "code" else "" for one in notebook.cells]
    ids = [one.metadata.get("nbgrader", {}).get("grade_id") for one in notebook.cells]
    for graded in wanted.graded:
        function = wanted.check(graded)[1]
        assert ids.count(graded) == 1
        assert source(cell(solved, function)) in sources[: ids.index(graded)]
