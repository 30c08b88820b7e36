"""The feedback page: what a student may see of a graded notebook, as a page in which nothing runs; giving it back."""

import glob
import hashlib
import json
import math
import re
from collections import defaultdict
from pathlib import Path

import nbgrader
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_output
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.exchange.default import ExchangeReleaseFeedback
from nbgrader.utils import is_grade, is_solution

from autograde_tests.checking import load_checks
from convblocks.table import as_sentence, with_code
from grading.files import MEGABYTE, LeftOut, open_plain
from grading.reading import NOTES, UNUSABLE, is_missing
from grading.sanitize import RESULT, Preprocessor, clean_text, is_official

TEMPLATES = Path(__file__).parent / "templates"
NBGRADERS_TEMPLATES = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"

NOT_SHOWN = "not shown: this cell ran after a hidden check"

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class HideLaterOutputs(Preprocessor):
    """Replaces what a student's cells showed after the first hidden check: a function may have kept its inputs.

    Of a graded cell only grading's own result is shown, where it wrote one. The graded notebook itself keeps all.
    """

    def preprocess(self, nb, resources):
        checked = False
        for cell in filter(lambda cell: cell.cell_type == "code", nb.cells):
            if is_grade(cell) and not is_solution(cell):
                checked = True
                cell.outputs = list(filter(is_official, cell.outputs)) or cell.outputs
            elif checked and cell.outputs:
                cell.outputs = [new_output("stream", text=NOT_SHOWN)]
        return nb, resources


class Overview(Preprocessor):
    """Puts into the resources what the page says on top: grading's notes, what to look at next, a line a check."""

    def preprocess(self, nb, resources):
        page = resources["nbgrader"]
        page["unusable"] = nb.metadata.get(UNUSABLE, "")
        while nb.cells and nb.cells[0].id.rstrip("-") in NOTES:
            page.setdefault("notes", []).append(nb.cells.pop(0).source)
        graded = [cell for cell in nb.cells if is_grade(cell)]
        page["checks"] = [_check(cell, nb) for cell in graded]
        if page["unusable"]:
            found = "not handed in" if is_missing(page["unusable"]) else "not graded: the file could not be used"
            page["checks"] = [one | {"found": found} for one in page["checks"]]
        page["next"] = in_order([one for one in page["checks"] if one["lost"] > 0])
        page["still"] = [one for one in page["checks"] if one["lost"] <= 0 and one["note"]]
        page["comments"] = [
            {"cell": cell.id, "name": cell.metadata.nbgrader.grade_id} for cell in nb.cells if _comment(cell)
        ]
        resources["policy"] = POLICY
        return nb, resources


def in_order(checks: list[dict]) -> list[dict]:
    """What is written first; of that what others build on, in the notebook's order, then what is worth most."""
    known = load_checks()
    needed = {earlier for one in checks if one["name"] in known for earlier in known[one["name"]].builds_on}
    return sorted(checks, key=lambda one: (not one["written"], -math.inf if one["name"] in needed else -one["lost"]))


def _check(cell, nb) -> dict:
    """What the page says of one graded cell; texts as HTML."""
    own = cell.metadata.nbgrader
    result = next(
        (one.data[RESULT] for one in cell.get("outputs", []) if is_official(one) and RESULT in one.data), None
    )
    score, points = float(own.score or 0), float(own.points or 0)
    said = {"cell": cell.id, "score": score, "points": points, "lost": round(points - score, 2), "written": True}
    links = [{"to": f"{'found' if cell.get('outputs') else 'cell'}-{cell.id}", "words": "what the check found"}]
    if result is None:
        found = "graded by hand" if is_solution(cell) or cell.cell_type != "code" else "it has no result"
        return said | {"name": own.grade_id, "found": found, "note": "", "sentences": [], "links": links}
    name = result["check"]
    links += [
        {"to": f"cell-{one.id}", "words": "your code"}
        for one in nb.cells
        if is_solution(one) and one.metadata.nbgrader.grade_id == name
    ]
    wrong = [one for one in result["cases"] if not one["agrees"]]
    first = [_ended(f"First wrong case: “{one['case']}”: {one['sentence']}") for one in wrong[:1]]
    count = len(result["cases"])
    # A case without an answer does not differ, but it does not agree either.
    found = f"{count - len(wrong)} of {count} cases agree" if wrong else f"all {count} cases agree"
    if 0 < len(wrong) < count and len({one["worth"] for one in result["cases"]}) > 1:
        found += " (the main rules are worth more)"
    if not result["written"]:
        found, first = "not written yet", ["It is not written yet."]
    elif any(one["worth"] == points for one in result["cases"]):
        # One line instead of all cases: what kept the check from being made.
        found = f"{result['cases'][0]['case']}: {result['cases'][0]['sentence']}"
        first = [_ended(found)]
    if causes := result.get("causes"):
        first = [" And: ".join(as_sentence(one["wrong"]) for one in cause) for cause in causes]
        first[1:] = [f"Or: {sentence}" for sentence in first[1:]]
        looks = dict.fromkeys(one["look"] for cause in causes for one in cause)
        links += [
            {"to": f"cell-{place}", "words": f"read again: {_html(look)}"}
            for look in looks
            for place in _under(look, nb)
        ]
    # Its first sentence says whose mistake it is; the rest stands at the check.
    note = [result["note"].split(". ")[0]] if result.get("note") else []
    return said | {
        "name": name,
        "written": result["written"],
        "found": _html(". ".join([found, *note])),
        "note": _html("".join(map(_ended, note))),
        "sentences": [_html(one) for one in [*map(_ended, note), *first]],
        "links": links,
    }


def _comment(cell) -> str:
    """What the instructor wrote."""
    return _written(cell.metadata.get("nbgrader", {}).get("comment"))


def _written(comment: str | None) -> str:
    """A comment; nbgrader itself comments on an untouched cell with the words left out here."""
    return "" if comment in (None, "No response.") else comment


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?", "!")) else f"{sentence}."


def _html(sentence: str) -> str:
    """A sentence, which may quote what the student's process said."""
    return with_code(clean_text(sentence))


def _under(heading: str, nb) -> list[str]:
    """The id of the cell that this heading stands in."""
    lines = ((cell.id, line) for cell in nb.cells if cell.cell_type == "markdown" for line in cell.source.split("\n"))
    return [place for place, line in lines if line.startswith("#") and line.strip("# ") == heading][:1]


class Mark(Preprocessor):
    """Puts into the resources what tells later whether the page still says what the gradebook does."""

    def preprocess(self, nb, resources):
        page = resources["nbgrader"]
        with Gradebook(page["db_url"]) as gradebook:
            marks = fingerprints(gradebook, page["assignment"], page["student"])
        page["made_of"] = marks[page["student"], page["notebook"]]
        return nb, resources


def fingerprints(gradebook: Gradebook, assignment: str, student: str = "") -> dict[tuple[str, str], str]:
    """What a page takes from the gradebook, as a few hexadecimal digits, by student and notebook; of all by default.

    That is the late penalty, each score, and what the instructor wrote.
    """

    def ask(*columns, of=None):
        rows = gradebook.db.query(SubmittedNotebook.id, *columns).select_from(SubmittedNotebook)
        if of:
            rows = rows.join(of, of.notebook_id == SubmittedNotebook.id).join(BaseCell, of.cell_id == BaseCell.id)
        else:
            rows = rows.join(SubmittedNotebook.notebook)
        rows = rows.join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        rows = rows.join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        rows = rows.filter(Assignment.name == assignment)
        return rows.filter(SubmittedAssignment.student_id == student) if student else rows

    whose, found = {}, defaultdict(list)
    for key, penalty, *names in ask(
        SubmittedNotebook.late_submission_penalty, SubmittedAssignment.student_id, Notebook.name
    ):
        whose[key], found[key] = tuple(names), [["", float(penalty or 0)]]
    # What is nothing looks on the page as if it were not there; Formgrader makes such when a notebook is opened.
    for key, cell, score in ask(BaseCell.name, Grade.score, of=Grade):
        found[key] += [[cell, float(score)]] if score else []
    for key, cell, comment in ask(BaseCell.name, Comment.comment, of=Comment):
        found[key] += [[cell, comment]] if _written(comment) else []
    # A cell may have a score and a comment.
    texts = {names: json.dumps(sorted(map(json.dumps, found[key]))) for key, names in whose.items()}
    return {names: hashlib.sha256(text.encode()).hexdigest()[:16] for names, text in texts.items()}


def made_of(page: Path) -> str:
    """What `fingerprints` gave when a page was made; "" where the page does not tell."""
    try:
        with open_plain(page) as file:
            head = file.read(1000)
    except (LeftOut, OSError):
        return ""
    found = re.search(rb'data-made-of="([0-9a-f]+)"', head)
    return found[1].decode() if found else ""


class FeedbackExporter(HTMLExporter):
    """nbgrader's page with ours around it (templates/feedback_page): no script runs, nothing is loaded.

    So it opens without a network too. MathJax stays out with all other scripts; the lessons use no formulas.
    """

    @property
    def default_config(self):
        # By this class' own name, which goes before what nbgrader sets for its base class.
        own = {
            "template_name": "feedback_page",
            "extra_template_basedirs": [str(TEMPLATES), str(NBGRADERS_TEMPLATES)],
            "extra_template_paths": [str(NBGRADERS_TEMPLATES)],
        }
        config = super().default_config
        config.merge({"FeedbackExporter": own})
        return config


class Release(ExchangeReleaseFeedback):
    """nbgrader's release_feedback, which names and leaves out whose work came without the exchange.

    nbgrader's own stops at the first of them, and who comes after it gets nothing.
    """

    def copy_files(self):
        by_hand = []
        for folder in sorted(glob.glob(self.src_path)):
            if secret(Path(folder)) is None:
                by_hand.append(Path(folder).parts[-2])
                continue
            self.src_path = glob.escape(folder)
            super().copy_files()
        if by_hand:
            self.log.warning("Came without the exchange, give back their pages by hand: %s", ", ".join(by_hand))


def secret(folder: Path) -> str | None:
    """What names a student's pages in the exchange, from the folder of feedback; None where nothing does."""
    try:
        # nbgrader's release_feedback reads both.
        with open_plain(folder / "submission_secret.txt") as file, open_plain(folder / "timestamp.txt"):
            return file.read(MEGABYTE).decode() or None
    except (LeftOut, OSError, ValueError):
        return None
