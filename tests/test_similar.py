"""Similar work is found under other names and layouts; the usual way, the lesson's own code and independent answers are not."""

import itertools
import json
import math
import random
import re
import shutil

import pytest
from conftest import CONVBLOCKS, ROOT, run
from nbgrader.coursedir import CourseDirectory

from benchmarks.similar import assignments, copies_found, disguised, hand_in, held_out
from grading import similar

INDEPENDENT = similar.independent_answers()


class Course:
    """A course folder to which submissions are added."""

    def __init__(self, place, assignment="4-max-pool"):
        self.place, self.assignment = place, assignment
        shutil.copytree(ROOT / "release" / assignment, place / "release" / assignment)
        (self.notebook,) = (place / "release" / assignment).glob("*.ipynb")

    def folder(self, student, step="submitted"):
        return self.place / step / student / self.assignment

    def add(self, student, step="submitted", **functions):
        hand_in(self.folder(student, step), self.notebook, functions)

    def read(self):
        return similar.read(CourseDirectory(root=str(self.place)), self.assignment)


@pytest.fixture
def pooling(tmp_path):
    """A class in which everybody has an answer of their own."""
    course = Course(tmp_path)
    for place, source in enumerate(INDEPENDENT["max_pool2d"]):
        course.add(f"student{place}", max_pool2d=source)
    return course


def _numbers(source, function):
    return [one.number for one in similar.fragments(source, function)]


def test_names_comments_docstrings_and_layout_do_not_count():
    for function, sources in INDEPENDENT.items():
        for source in sources:
            spaced = re.sub(r"^(    .*)$", r"\1  # said", source, count=1, flags=re.MULTILINE)
            assert _numbers(disguised(source), function) == _numbers(source, function) == _numbers(spaced, function)
    plain = "def f(x):\n    " + "\n    ".join(f"y = x.a{number} + 1" for number in range(8)) + "\n    return y"
    dressed = plain.replace("(x):", '(x: "int") -> float:\n    """Says."""').replace("y = x.a0", "y: float = x.a0")
    summed = plain.replace("y", "sum")
    assert _numbers(plain, "f") == _numbers(dressed, "f") == _numbers(summed, "f") != []
    assert _numbers("import numpy as np\n" + INDEPENDENT["conv2d"][0], "conv2d") == _numbers(
        "import numpy as n\n" + INDEPENDENT["conv2d"][0].replace("np.", "n."), "conv2d"
    )


def test_other_code_is_other_fragments():
    one, other = INDEPENDENT["max_pool2d"][:2]
    assert len(set(_numbers(one, "max_pool2d")) & set(_numbers(other, "max_pool2d"))) < 5
    assert _numbers(one, "max_pool2d") != _numbers(one.replace("np.full", "np.zeros"), "max_pool2d")


def test_a_shared_run_is_never_missed():
    rng, lines = random.Random(1), [f"a = b.c{number}(d, {number})" for number in range(40)]
    for _ in range(50):
        # Three lines are 21 parts of syntax.
        start = rng.randrange(37)
        sources = ["\n".join([*rng.sample(lines, 5), *lines[start : start + 3], *rng.sample(lines, 5)]) for _ in "ab"]
        assert set(_numbers(sources[0], "f")) & set(_numbers(sources[1], "f"))
    whole = _numbers("\n".join(lines), "f")
    every = similar.shown(["\n".join(lines)], "f")
    assert set(whole) < every and len(every) / 4 < len(whole) < len(every) / 2, "winnowing keeps two of five"


def test_rare_fragments_count_and_usual_ones_do_not():
    few = similar.weights([{1, 2, 3}, {1, 2}, {1}, {1, 4}])
    assert few == {1: 0, 2: 1}
    many = similar.weights([{1}] * similar.USUAL + [{2}] * (similar.USUAL + 1))
    assert set(many) == {1} and 0 < many[1] < 1


def test_a_disguised_copy_is_found_and_nobody_else(pooling):
    pooling.add("anna", max_pool2d=INDEPENDENT["max_pool2d"][0])
    assert similar.compare(pooling.read())[0].students == ("anna", "student0")
    source = INDEPENDENT["max_pool2d"][4]
    pooling.add("anna", max_pool2d=disguised(source) + "\n\n\nx = 1")
    handed = pooling.read()
    (pair,) = similar.compare(handed)
    assert pair.students == ("anna", "student4") and list(pair.alike) == ["max_pool2d"]
    assert pair.score > similar.ALIKE
    ours, theirs = similar._side_by_side(handed, pair, "max_pool2d")
    assert [text for _, text, _ in theirs] == source.split("\n")
    assert not ours[-1][2] and not theirs[0][2], "neither what one alone has nor what all were given"
    assert sum(marked for *_, marked in ours) > len(ours) / 2


def test_without_a_copy_nobody_is_found_and_the_usual_way_says_nothing(pooling, tmp_path):
    assert similar.compare(pooling.read()) == []
    # What all but those with an answer of their own have written, however long it is.
    for student in range(30):
        pooling.add(f"usual{student}", max_pool2d=INDEPENDENT["max_pool2d"][-1])
    assert similar.compare(pooling.read()) == []
    # And what two have written alone, where it is short.
    short = Course(tmp_path / "short", "1-padding")
    for student in "ab":
        short.add(student, padding_amounts=INDEPENDENT["padding_amounts"][1], output_size=INDEPENDENT["output_size"][0])
    assert similar.compare(short.read()) == []


def test_the_skeleton_and_what_the_lesson_shows_are_nobodys(tmp_path):
    course = Course(tmp_path, "1-padding")
    cells = json.loads(course.notebook.read_text())["cells"]
    code = "".join(f"{''.join(cell['source'])}\n" for cell in cells if cell["cell_type"] == "code")
    for student in "ab":
        course.add(student, pad2d=code)
        course.add(f"untouched-{student}")
    handed = course.read()
    assert len(handed.cells["a"]["pad2d"][0]) > 3000 and handed.pairs == 1
    assert similar.compare(handed) == []


def test_functions_in_one_cell_count_once(tmp_path):
    course = Course(tmp_path, "1-padding")
    code = "\n".join(INDEPENDENT[name][0] for name in ("output_size", "padding_amounts", "pad2d"))
    apart, together = (similar.fragments(code, "pad2d", (), others) for others in ((), ("output_size",)))
    assert len(together) < len(apart)
    for student in "ab":
        course.add(student, pad2d=code)
    (pair,) = similar.compare(course.read())
    once = similar.weights([set(_numbers(code, "pad2d"))] * 2)
    assert pair.score < len(once) + similar.RUN


def test_what_cannot_be_read_is_named_and_the_others_are_compared(pooling):
    pooling.add("copy", max_pool2d=disguised(INDEPENDENT["max_pool2d"][0]))
    pooling.add("typo", max_pool2d="def max_pool2d(images:\n", unchanged_fraction="def unchanged_fraction(a): return 1")
    pooling.add("magic", max_pool2d="%matplotlib inline\n" + disguised(INDEPENDENT["max_pool2d"][0]))
    pooling.add("deep", max_pool2d="def max_pool2d(x): return " + "(" * 5000 + ")" * 5000)
    pooling.add("shell", max_pool2d="!def max_pool2d(x)\nmax_pool2d?\ndef max_pool2d(x): return x\n" * 600)
    pooling.add("long", max_pool2d="def max_pool2d(x): return x\n" * 5000)
    pooling.folder("nothing").mkdir(parents=True)
    for student, content in {
        "empty": b"",
        "torn": pooling.notebook.read_bytes()[:300],
        "binary": bytes(range(256)),
    }.items():
        pooling.folder(student).mkdir(parents=True)
        (pooling.folder(student) / pooling.notebook.name).write_bytes(content)
    handed = pooling.read()
    assert set(handed.skipped) == {"typo", "deep", "shell", "long", "nothing", "empty", "torn", "binary"}
    assert handed.skipped["typo"] == ["the cell of max_pool2d is no Python that can be read"]
    assert handed.skipped["empty"] == ["max_pool.ipynb is an empty file"]
    assert "unchanged_fraction" in handed.cells["typo"]
    found = {pair.students for pair in similar.compare(handed)}
    assert found == {("copy", "magic"), ("copy", "student0"), ("magic", "student0")}


def test_cells_without_their_metadata_are_found_and_what_was_graded_is_read_too(pooling):
    pooling.add("late", step="autograded", max_pool2d=disguised(INDEPENDENT["max_pool2d"][0]))
    pooling.add("bare", max_pool2d=INDEPENDENT["max_pool2d"][0])
    path = pooling.folder("bare") / pooling.notebook.name
    content = json.loads(path.read_text())
    for cell in content["cells"]:
        cell["metadata"] = {}
    path.write_text(json.dumps(content))
    assert {("bare", "late"), ("bare", "student0"), ("late", "student0")} == {
        pair.students for pair in similar.compare(pooling.read())
    }


def test_independent_answers_are_not_alike_and_copies_are():
    """What page and README say is measured here, and the threshold lies above it."""
    whole = similar.chance(INDEPENDENT)
    assert whole.alike == 0 and 10 < whole.most < similar.ALIKE
    alike, pairs, most = held_out()
    assert alike == 0 and most < similar.ALIKE
    assert all(similar.chance(functions).submissions == 0 for functions in assignments().values())
    copies = {name: f"{copies_found(assignments()[name]):.0%}" for name in ("2-conv-forward", "5-flatten")}
    # Which authors of exercises add to.
    assert whole.pairs >= 500 and pairs >= 1200
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert "none of 500 pairs of independent right answers, and none of 1,200 with a wrong one" in readme
    assert (
        f"shows {copies['5-flatten']} (`5-flatten`, whose functions are short) to {copies['2-conv-forward']}" in readme
    )


def test_chance_is_that_of_all_submissions_that_can_be_put_together(monkeypatch):
    lists = [[0, 0, 20.0], [1.0, 24.0], [0, 1.0, 5.0]]
    sums = [sum(one) for one in itertools.product(*lists)]
    assert similar.share_alike(lists) == pytest.approx(sum(one >= similar.ALIKE for one in sums) / len(sums))
    monkeypatch.setattr(similar, "ALIKE", 15)
    two = similar.chance(["max_pool2d", "unchanged_fraction"])
    assert (two.alike, two.pairs) == (1, math.comb(9, 2) + math.comb(8, 2)) and two.submissions == pytest.approx(1 / 36)
    every = similar.chance(INDEPENDENT)
    # Wilson's interval by its own equation: the bound is where the measured share lies 1.645 deviations away.
    upper = every.bound / len(INDEPENDENT)
    assert upper - every.alike / every.pairs == pytest.approx(1.645 * math.sqrt(upper * (1 - upper) / every.pairs))
    assert similar.chance(["no such function"]).pairs == 0


def test_the_page_is_one_file_in_which_nothing_runs_and_no_verdict(tmp_path):
    course = Course(tmp_path)
    attack = "</mark><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}\u202e"
    names = ["<script>alert(2)", 'b" onclick="alert(3)']
    for name in names:
        course.add(name, max_pool2d=INDEPENDENT["max_pool2d"][0] + f"\n# {attack}")
    course.add("'><b>", max_pool2d="def max_pool2d(<script>")
    handed = course.read()
    pairs = similar.compare(handed)
    page = similar.page(handed, pairs)
    tags = set(re.findall(r"<(\w+)", page))
    assert not tags & {"script", "img", "a", "link", "iframe"} and "{{ 7 * 7 }}" in page
    assert not re.search(
        r"<[^>]* on\w+=|src=|href=|url\(|@import", re.sub(r"<span.*?</span>|<mark.*?</mark>", "", page)
    )
    assert "default-src 'none'" in page and "bidi-override" in page
    assert "&lt;script&gt;alert(1)" in page and "&lt;script&gt;alert(2)" in page and "&#39;&gt;&lt;b&gt;" in page
    assert "A place to look, never a verdict" in page
    known = similar.chance(handed.functions)
    assert f"Of {known.pairs} pairs of right answers" in " ".join(page.split())
    assert f"rule out that it is up to {100 * known.bound:.1f} %" in page
    assert "1 of 1 pairs" in page
    none = similar.page(handed, [])
    assert "<section" not in none and "0 of 1 pairs" in none


def test_the_command_writes_a_page_and_json_and_runs_nothing(pooling):
    shutil.copy(ROOT / "nbgrader_config.py", pooling.place)
    marker = pooling.place / "ran"
    pooling.add("zoe", max_pool2d=f"open({str(marker)!r}, 'w')\n" + disguised(INDEPENDENT["max_pool2d"][4]))
    (pooling.folder("student1") / pooling.notebook.name).write_bytes(b"")
    before = {path: path.read_bytes() for path in pooling.folder("zoe").rglob("*") if path.is_file()}
    exit_code, output = run(pooling.place, *CONVBLOCKS, "similar", "4-max-pool", "--json", "--to", "look.html")
    assert exit_code == 0, output
    found = json.loads(output[output.index("{") : output.rindex("}") + 1])
    assert [one["students"] for one in found["pairs"]] == [["student4", "zoe"]]
    assert found["chance"]["pairs"] == 64 and found["verdict"] is None
    assert found["skipped"] == {"student1": ["max_pool.ipynb is an empty file"]}
    assert "student1: max_pool.ipynb is an empty file. Left out." in output
    assert "zoe" in (pooling.place / "look.html").read_text()
    assert not marker.exists() and all(path.read_bytes() == content for path, content in before.items())
    exit_code, output = run(pooling.place, *CONVBLOCKS, "similar", "4-max-pool", "--to", "missing/deep/look.html")
    assert exit_code == 0 and "zoe" in (pooling.place / "missing" / "deep" / "look.html").read_text(), output
    exit_code, output = run(pooling.place, *CONVBLOCKS, "similar", "4-max-pool", "--to", "look.html/page.html")
    assert exit_code == 1 and "The page could not be written" in output and "Traceback" not in output
    exit_code, output = run(pooling.place, *CONVBLOCKS, "similar", "4-max-poll")
    assert exit_code == 2 and "Nothing was compared" in output and "Traceback" not in output
    (pooling.place / "nbgrader_config.py").write_text("1 / 0")
    exit_code, output = run(pooling.place, *CONVBLOCKS, "similar", "4-max-pool")
    assert exit_code == 2 and "ZeroDivisionError" in output and "Traceback" not in output
