"""The feedback page: what a student may see of a graded notebook, as a page in which nothing runs."""

import math
from pathlib import Path

import nbgrader
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution

from autograde_tests.checking import load_checks
from convblocks.report import as_sentence, with_code
from grading.reading import NOTES, UNUSABLE, is_missing
from grading.sanitize import RESULT, clean_text, is_official

TEMPLATES = Path(__file__).parent / "templates"
NBGRADERS_TEMPLATES = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"

NOT_SHOWN = "not shown: this cell ran after a hidden check"

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class HideLaterOutputs(NbGraderPreprocessor):
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


class Overview(NbGraderPreprocessor):
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
    first = [_ended(f"First wrong case: {one['case']}: {one['sentence']}") for one in wrong[:1]]
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
    """What the instructor wrote; nbgrader itself comments on an untouched cell with the words left out here."""
    comment = cell.metadata.get("nbgrader", {}).get("comment") or ""
    return "" if comment == "No response." else comment


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?", "!")) else f"{sentence}."


def _html(sentence: str) -> str:
    """A sentence, which may quote what the student's process said."""
    return with_code(clean_text(sentence))


def _under(heading: str, nb) -> list[str]:
    """The id of the cell that this heading stands in."""
    lines = ((cell.id, line) for cell in nb.cells if cell.cell_type == "markdown" for line in cell.source.split("\n"))
    return [place for place, line in lines if line.startswith("#") and line.strip("# ") == heading][:1]


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
