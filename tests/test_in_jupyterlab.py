"""A class in JupyterLab, click by click: what a student and an instructor do, from releasing to reading the feedback."""

import shutil
from types import SimpleNamespace

import nbformat
import pytest
from browser import Desk, accessible, browser, jupyterlab
from conftest import ROOT

SOLVED = {
    cell.id: cell.source
    for cell in nbformat.read(ROOT / "solutions" / "1-padding" / "padding.ipynb", as_version=4).cells
}
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "convblocks"
c.Exchange.root = {exchange!r}
"""


@pytest.fixture(scope="module")
def classroom(tmp_path_factory, chromium):
    """A course, a student's home, and an exchange between them; the addresses of both JupyterLabs, and the browser."""
    place = tmp_path_factory.mktemp("class")
    course, home, exchange = place / "course", place / "home", place / "exchange"
    shutil.copytree(ROOT / "source" / "1-padding", course / "source" / "1-padding")
    shutil.copy(ROOT / "nbgrader_config.py", course)
    for assignment in ("2-conv-forward", "4-max-pool", "6-shapes-classifier"):
        shutil.copytree(ROOT / "solutions" / assignment, home / assignment)
    (place / "student").mkdir()
    (place / "student" / "nbgrader_config.py").write_text(CONFIG.format(exchange=str(exchange)))
    shared = {"CONVBLOCKS_EXCHANGE": str(exchange), "PYTHONPATH": str(ROOT)}
    with (
        jupyterlab(course, place / "instructor", **shared) as instructors,
        jupyterlab(home, place / "student", HOME=str(home)) as students,
    ):
        yield SimpleNamespace(course=course, chromium=chromium, instructors=instructors, students=students)


WRONG = """def output_size(size, kernel_size, strides=1, padding="valid"):
    if padding == "same":
        return size // strides
    return (size - kernel_size) // strides + 1"""


@browser
def test_an_assignment_goes_round(classroom):
    instructor = Desk(classroom.chromium, classroom.instructors, "instructor")
    student = Desk(classroom.chromium, classroom.students, "student")
    in_formgrader(instructor, "assign", "release")
    fetch(student)
    write(student)
    submit(student)
    in_formgrader(instructor, "collect")
    grade(instructor)
    in_formgrader(instructor, "generate-feedback", "release-feedback")
    (page,) = classroom.course.glob("feedback/*/1-padding/padding.html")
    open_page(instructor, str(page.relative_to(classroom.course)))
    read_feedback(student)
    assert instructor.errors == student.errors == []


def in_frame(instructor):
    return instructor.page.frame_locator("iframe[src*=formgrader]")


def press(instructor, button, step):
    """Press a button of Formgrader, and see that what it does succeeds."""
    button.click()
    done = in_frame(instructor).locator(".modal.in")
    done.wait_for(timeout=120_000)
    instructor.shoot(step)
    assert "Success" in done.inner_text()
    done.get_by_role("button", name="OK").click()
    done.wait_for(state="hidden")


def in_formgrader(instructor, *steps):
    """Press these buttons of the assignment's row, one after another."""
    instructor.open()
    instructor.menu("Nbgrader", "Formgrader")
    formgrader = in_frame(instructor)
    for step in steps:
        press(instructor, formgrader.locator(f"tr:has-text('1-padding') td.{step} a"), step)


def grade(instructor):
    """Autograde the submission that was collected, and look at the gradebook's page of it."""
    formgrader = in_frame(instructor)
    formgrader.locator("tr:has-text('1-padding') td.num-submissions a").click()
    press(instructor, formgrader.locator("td.autograde a"), "autograded")
    assert "12 / 12" in formgrader.locator("td.score").inner_text()
    instructor.shoot("submissions")


def assignments(student):
    """The list of assignments, and nothing else, in the student's JupyterLab."""
    student.open()
    student.menu("Nbgrader", "Assignment List")
    return student.page


def fetch(student):
    page = assignments(student)
    page.get_by_role("button", name="Fetch", exact=True).wait_for()
    student.shoot("assignment list")
    page.get_by_role("button", name="Fetch", exact=True).click()
    page.get_by_role("button", name="Submit").wait_for()
    notebook = page.get_by_role("link", name="padding", exact=True)
    # The list may be read once more, and is folded then.
    for _ in range(60):
        page.get_by_text("1-padding").first.click()
        page.wait_for_timeout(500)
        if notebook.is_visible():
            break
    student.shoot("fetched")
    notebook.click()
    student.idle()


def write(student):
    """Read, write a wrong function and see it called wrong, write the right ones and see them called right."""
    student.shoot("opened")
    student.run_all()
    student.shoot("not written")
    student.type_into("def output_size", WRONG)
    student.run("def output_size")
    cell = student.run("visible_check(output_size")
    student.shoot("wrong")
    assert "differs" in cell.inner_text() and "yours is 3, expected 4" in cell.inner_text()
    validate(student, "wrong", "expected 4")
    for name in ("output_size", "padding_amounts", "pad2d"):
        student.type_into(f"def {name}(", SOLVED[name])
    student.run_all()
    student.shoot("right")
    validate(student, "right", "Success!")


def validate(student, name, said):
    page = student.page
    page.get_by_role("button", name="Validate").click()
    answer = page.locator(".jp-Dialog-content")
    answer.wait_for(timeout=120_000)
    student.shoot(f"validated {name}")
    assert said in answer.inner_text()
    answer.get_by_role("button", name="Ok").click()


def submit(student):
    page = student.page
    page.get_by_role("tab", name="Assignments").click()
    page.get_by_role("button", name="Submit").click()
    page.locator("#submitted_assignments_list").get_by_text("1-padding").wait_for()
    student.shoot("submitted")


def read_feedback(student):
    page = assignments(student)
    page.get_by_role("button", name="Fetch Feedback").click()
    page.get_by_text("view feedback").wait_for(timeout=120_000)
    student.shoot("feedback fetched")
    page.get_by_text("view feedback").click()
    page.locator(".jp-DirListing-item").get_by_text("padding.html").dblclick()
    seen(student)


def open_page(desk, path):
    """Open a page of the course from JupyterLab's own list of files."""
    desk.page.evaluate("path => jupyterapp.commands.execute('docmanager:open', {path})", path)
    seen(desk)


def seen(desk):
    """A feedback page is there to be read, in a frame in which nothing runs."""
    desk.page.frame_locator("iframe[src^='blob:']").get_by_text("12 of 12 points").first.wait_for()
    desk.shoot("feedback")


OURS = ".jp-OutputArea-output .convblocks"
"""Figures that answer to hands."""


def at_desk(classroom, name: str, notebook: str) -> Desk:
    """A student's solved notebook, every cell run."""
    desk = Desk(classroom.chromium, classroom.students, name)
    desk.open(notebook)
    desk.run_all()
    return desk


@browser
def test_a_convolution_is_stepped_through(classroom):
    desk = at_desk(classroom, "stepper", "2-conv-forward/conv_forward.ipynb")
    for source, said in (
        ("step(image, kernel)", "Cell 4 of 4: row 1, column 1"),
        ("step(as_batch(colours)", "conv2d agrees so far"),
    ):
        box = desk.run(source).locator(".convblocks")
        box.get_by_role("button", name="next").click()
        desk.page.keyboard.press("ArrowRight")
        desk.page.keyboard.press("ArrowRight")
        box.get_by_text("Cell 4 of").wait_for()
        desk.shoot(said)
        assert said in box.inner_text()
        accessible(desk.page, OURS)
    assert desk.errors == []


@browser
def test_a_face_is_moved_by_sliders(classroom):
    desk = at_desk(classroom, "sliders", "4-max-pool/max_pool.ipynb")
    box = desk.run("see_invariance(").locator(".convblocks")
    box.get_by_role("slider", name="turn").focus()
    desk.page.keyboard.press("ArrowRight")
    box.get_by_text("Unchanged: not pooled").wait_for()
    desk.shoot("turned")
    accessible(desk.page, OURS)
    assert desk.errors == []


@browser
def test_a_network_says_what_is_drawn(classroom):
    desk = at_desk(classroom, "pad", "6-shapes-classifier/numpy_classifier.ipynb")
    box = desk.run("drawing_pad(").locator(".convblocks")
    box.get_by_text("Your network says triangle").wait_for()
    box.get_by_role("button", name="clear").click()
    for row, column in ((1, 1), (1, 6), (6, 6), (6, 1), (1, 1)):
        place = box.get_by_role("gridcell", name=f"row {row}, column {column},").bounding_box()
        desk.page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2, steps=8)
        desk.page.mouse.down()
    desk.page.mouse.up()
    box.get_by_text("Your network says square").wait_for()
    desk.shoot("a square")
    accessible(desk.page, OURS)
    assert desk.errors == []
