"""The feedback page in a real browser: what a student should see first, on a phone and on a desk, and for a screen reader."""

import itertools
import shutil
from pathlib import Path

import nbformat
import pytest
from browser import accessible, browser
from conftest import ROOT, nbgrader
from nbformat.v4 import new_code_cell, new_notebook, new_output

from grading import feedback
from grading.execute import OFFICIAL
from grading.sanitize import RESULT

SOLUTION = ROOT / "solutions" / "1-padding" / "padding.ipynb"
ATTACK = "raise ValueError('<script>window.pwned = 1</script><img src=x onerror=\"window.pwned = 2\">' + 'x' * 300)"
STUDENTS = {
    "right": {},
    "untouched": None,
    "early": {"output_size": ("-(-size // strides)", "size // strides")},
    "crash": {"padding_amounts": ("return missing", f"{ATTACK}\n    return missing")},
    "several": {
        "output_size": ("-(-size // strides)", "size // strides"),
        "padding_amounts": ("missing // 2, missing - missing // 2", "missing - missing // 2, missing // 2"),
        "pad2d": ("return np.pad", "raise NotImplementedError\n    return np.pad"),
    },
    "colon": {"output_size": ('padding="valid"):', 'padding="valid")')},
}


@pytest.fixture(scope="module")
def pages(generated_course, tmp_path_factory) -> dict[str, Path]:
    """The feedback page of each student, graded in one run."""
    course = Path(shutil.copytree(generated_course, tmp_path_factory.mktemp("feedback") / "course"))
    for student, edits in STUDENTS.items():
        folder = course / "submitted" / student / "1-padding"
        folder.mkdir(parents=True)
        nb = nbformat.read(
            ROOT / "release" / "1-padding" / "padding.ipynb" if edits is None else SOLUTION, as_version=4
        )
        for cell in nb.cells:
            if edits and cell.id in edits:
                assert edits[cell.id][0] in cell.source
                cell.source = cell.source.replace(*edits[cell.id])
        nbformat.write(nb, folder / "padding.ipynb")
    (course / "submitted" / "cut" / "1-padding").mkdir(parents=True)
    whole = SOLUTION.read_text()
    (course / "submitted" / "cut" / "1-padding" / "padding.ipynb").write_text(whole[: len(whole) * 2 // 3])
    (course / "submitted" / "unusable" / "1-padding").mkdir(parents=True)
    (course / "submitted" / "unusable" / "1-padding" / "padding.ipynb").write_text("my homework")
    nbgrader(course, "autograde", "1-padding")
    assert "Config option" not in nbgrader(course, "generate_feedback", "1-padding")
    return {path.parts[-3]: path for path in course.glob("feedback/*/1-padding/padding.html")}


@pytest.fixture
def look(pages, chromium):
    """Open a student's page: `look(student, width)`."""
    opened = []

    def look(student, width=1000):
        page = chromium.new_page(viewport={"width": width, "height": 800})
        page.goto(pages[student].as_uri())
        opened.append(page)
        return page

    yield look
    for page in opened:
        page.close()


def on_top(page) -> str:
    """What is read before the notebook."""
    return page.locator("main").inner_text().split("Your notebook")[0]


@browser
@pytest.mark.parametrize("width", [360, 1000])
@pytest.mark.parametrize("student", [*STUDENTS, "cut"])
def test_the_page_is_as_wide_as_the_window(look, student, width):
    page = look(student, width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    hanging = """width => [...document.querySelectorAll('main *')]
        .filter(one => one.getBoundingClientRect().right > width && !one.closest('.output_subarea, .text_cell_render'))
        .map(one => one.outerHTML)"""
    assert page.evaluate(hanging, width) == []


@browser
@pytest.mark.parametrize("student", [*STUDENTS, "cut", "unusable"])
def test_nothing_on_the_page_is_in_a_readers_way(look, student):
    accessible(look(student, 360), "body")


@browser
def test_who_has_all_points_is_told_so(look):
    top = on_top(look("right"))
    assert "Score: 12 of 12 points" in top
    assert "Well done" in top
    assert "✗" not in top


@browser
def test_what_is_written_comes_first_and_of_that_what_others_build_on(look):
    page = look("several")
    assert page.locator("ol.next li b").all_inner_texts() == ["output_size", "padding_amounts", "pad2d"]
    assert page.locator("ol.next li").last.inner_text().count("not written yet") == 1
    unwritten_last = look("untouched").locator("ol.next li b").all_inner_texts()
    assert unwritten_last == ["output_size", "padding_amounts", "pad2d"]


def test_of_what_nothing_builds_on_the_most_points_come_first():
    names = {"weighted_sum": 0.3, "correlate2d": 2, "activate": 0.2, "conv2d": 4.6}
    checks = [{"name": name, "lost": lost, "written": True} for name, lost in names.items()]
    order = ["weighted_sum", "correlate2d", "activate", "conv2d"]
    assert [one["name"] for one in feedback.in_order(checks)] == order
    del checks[3]
    assert [one["name"] for one in feedback.in_order(checks)] == ["weighted_sum", "correlate2d", "activate"]
    checks[0]["name"] = "flatten"
    assert [one["name"] for one in feedback.in_order(checks)] == ["correlate2d", "flatten", "activate"]


def test_a_bug_that_costs_nothing_here_is_still_named():
    result = {
        "check": "forward",
        "cases": [],
        "written": True,
        "note": "Your forward is right; max_pool2d has a bug. So",
    }
    known = {"grade": True, "solution": False, "grade_id": "check_forward", "points": 8, "score": 8}
    cell = new_code_cell("check", metadata={"nbgrader": known})
    cell.outputs = [new_output("execute_result", {"text/plain": "8", RESULT: result}, metadata=OFFICIAL)]
    page = feedback.Overview().preprocess(new_notebook(cells=[cell]), {"nbgrader": {}})[1]["nbgrader"]
    assert page["next"] == []
    assert [one["note"] for one in page["still"]] == ["Your forward is right; max_pool2d has a bug."]


@browser
def test_a_mistake_in_the_syntax_is_named_on_top(look):
    top = on_top(look("colon"))
    assert (
        "could not be made: output_size is missing: its own cell stopped with SyntaxError: expected ':' in line 1"
        in top
    )


@browser
def test_one_early_bug_is_one_thing_to_look_at(look):
    page = look("early")
    assert page.locator("ol.next li b").all_inner_texts() == ["output_size"]
    assert "Your pad2d is right; output_size has a bug" in on_top(page)


@browser
def test_the_numbers_of_a_wrong_answer_are_written_out_below(look):
    cell = look("early").locator("#cell-check_output_size")
    assert "How Keras comes to its answer here" in cell.inner_text()
    assert "ceil(10 / 3) = 4" in cell.inner_text()
    assert "0 of 0.67" in cell.inner_text()


@browser
@pytest.mark.parametrize("student", [*STUDENTS, "cut"])
def test_every_link_leads_somewhere(look, student):
    page = look(student)
    lost = "[...document.querySelectorAll('main a[href^=\"#\"]')].filter(a => !document.querySelector(a.hash)).length"
    assert page.evaluate(lost) == 0
    assert page.locator("table.results a").count() == 3


@browser
def test_what_the_check_found_is_one_click_away(look):
    link = look("early").locator("ol.next a").first
    found = look("early").locator(link.get_attribute("href")).inner_text()
    assert found.startswith("One mistake gives exactly your numbers")
    assert "of 10 cases agree with Keras" in found


@browser
def test_what_a_students_code_says_is_text(look):
    page = look("crash")
    assert "<script>window.pwned = 1</script>" in on_top(page)
    assert page.evaluate("window.pwned") is None
    assert page.locator("script, iframe, object, embed, form").count() == 0


@browser
def test_what_became_of_a_damaged_file_stands_on_top(look):
    top = on_top(look("cut"))
    assert top.index("was cut off or damaged") < top.index("What to look at next")


@browser
def test_a_file_that_could_not_be_used_is_not_called_unwritten(look):
    top = on_top(look("unusable"))
    assert "This notebook could not be graded" in top
    assert top.count("not graded: the file could not be used") == 3
    assert "not written" not in top


@browser
def test_a_screen_reader_finds_headings_tables_and_words_for_every_picture(look):
    page = look("early")
    snapshot = page.locator("main").aria_snapshot()
    for name in (
        'heading "Feedback: padding" [level=1]',
        'heading "What to look at next" [level=2]',
        'heading "Results" [level=2]',
        'heading "Your notebook" [level=2]',
        'columnheader "points"',
        'rowheader "output_size',
        'link "what the check found: output_size"',
        'region "Your notebook"',
    ):
        assert name in snapshot, name
    # No level is left out, and what is in the lesson stands below the page's own.
    levels = page.eval_on_selector_all("h1, h2, h3, h4, h5, h6", "all => all.map(one => Number(one.tagName[1]))")
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels)), levels
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.locator("main").count() == 1
    assert page.locator("img:not([alt]), img[alt='']").count() == 0
    assert page.locator("th:not([scope])").count() == page.locator(".text_cell_render th").count()


@browser
def test_agreeing_and_differing_are_told_apart_without_colour(look):
    rows = look("early").locator("#cell-check_output_size tbody tr:has(th)").all_inner_texts()
    signs = [row.split()[0] for row in rows]
    # What differs comes first.
    assert signs == sorted(signs, key=lambda sign: "✗✓".index(sign))
    assert set(signs) == {"✗", "✓"}


def test_nbgraders_own_comment_on_untouched_cells_is_left_out(pages):
    assert "No response." not in pages["untouched"].read_text()
