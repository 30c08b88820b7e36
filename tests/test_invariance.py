"""A picture that is moved by sliders: where its numbers go, what is said of them, and the sliders in a real browser."""

import contextlib
import re
import sys

import numpy as np
import pytest
from browser import accessible, browser, complaints, started
from conftest import html, run_cells

from convblocks.invariance import move, see_invariance

FACE = np.array([[1, 2, 1, 1], [1, 9, 1, 8], [1, 1, 7, 1], [6, 5, 6, 1]])
COUNTING = np.arange(12).reshape(3, 4)


def max_pool2d(images, pool_size):
    """Pooling the long way round."""
    rows, columns = pool_size
    return np.array(
        [
            [
                [[image[r : r + rows, c : c + columns].max()] for c in range(0, image.shape[1] - columns + 1, columns)]
                for r in range(0, image.shape[0] - rows + 1, rows)
            ]
            for image in images
        ]
    )


@contextlib.contextmanager
def in_browser(widget, width=1000):
    """A page with this widget's own front end, and the widget to answer it."""

    def answer(asked):
        widget.asked = asked
        return widget.told

    with started() as chromium:
        page = chromium.new_page(viewport={"width": width, "height": 900}, has_touch=True)
        problems = complaints(page)
        page.expose_function("answer", answer)
        page.clock.install()
        page.set_content(f"<!doctype html><html lang=en><title>t</title><style>{widget._css}</style><main></main>")
        page.evaluate(
            """async ([script, told]) => {
                const module = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
                const front = (await import(module)).default;
                const state = { asked: {}, told }, heard = [];
                front.render({ el: document.querySelector("main"), model: {
                    get: (name) => state[name],
                    set: (name, value) => { state[name] = value; },
                    save_changes: async () => {
                        if (window.dead) return;
                        state.told = await window.answer(state.asked);
                        heard.forEach((tell) => tell());
                    },
                    on: (_, tell) => heard.push(tell),
                    off: () => {},
                } });
            }""",
            [str(widget._esm), widget.told],
        )
        # What JupyterLab would hear: there, arrow keys go to another cell and letters cut one.
        page.evaluate("window.heard = []; document.addEventListener('keydown', (event) => heard.push(event.key))")
        yield page
        assert page.evaluate("window.heard") == []
        accessible(page, "main")
    assert problems == []


def says_when_no_kernel_answers(page, button):
    """That a figure whose button asks nobody says so after a while, and no longer once there is an answer."""
    status, pressed = page.locator("[role=status]"), page.get_by_role("button", name=button)
    page.evaluate("window.dead = true")
    pressed.click()
    assert status.inner_text() == ""
    page.clock.fast_forward(5000)
    assert status.inner_text().startswith("No kernel answers.")
    page.evaluate("window.dead = false")
    pressed.click()
    page.wait_for_function("document.querySelector('[role=status]').textContent === ''")


def test_a_step_takes_every_number_along_and_repeats_the_edge():
    assert move(COUNTING, right=1).tolist() == [[0, 0, 1, 2], [4, 4, 5, 6], [8, 8, 9, 10]]
    assert move(COUNTING, down=-1).tolist() == [[4, 5, 6, 7], [8, 9, 10, 11], [8, 9, 10, 11]]
    assert np.array_equal(move(COUNTING), COUNTING)


def test_turns_are_clockwise_and_zooms_about_the_middle():
    assert np.array_equal(move(FACE, turn=90), np.rot90(FACE, -1))
    assert np.array_equal(move(FACE, turn=180), FACE[::-1, ::-1])
    assert np.array_equal(move(FACE, zoom=2), FACE[1:3, 1:3].repeat(2, axis=0).repeat(2, axis=1))


@pytest.mark.parametrize(
    "movement", [{"turn": 20}, {"turn": -35}, {"zoom": 0.6}, {"zoom": 0.8, "turn": 10, "right": 1}]
)
def test_an_eye_is_never_lost_and_no_number_is_new(movement):
    face = np.ones((9, 9), dtype=int)
    face[3, 3], face[3, 5], face[6, 4] = 9, 8, 6
    assert set(move(face, **movement).flat) == {1, 6, 8, 9}


def test_the_picture_itself_stays_as_it_was():
    before = FACE.copy()
    move(FACE, right=1, turn=30)
    assert np.array_equal(FACE, before)


@pytest.mark.parametrize(
    ("image", "movement", "words"),
    [
        (np.ones((1, 8, 8, 1)), {}, "not one of shape"),
        (np.ones((0, 3)), {}, "not one of shape"),
        (FACE, {"right": np.nan}, "right=nan"),
        (FACE, {"turn": "left"}, "turn='left'"),
        (FACE, {"zoom": 0}, "zoom is above 0"),
        (FACE, {"down": 10**30}, "up to 1000"),
    ],
)
def test_what_cannot_be_moved_is_refused(image, movement, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        move(image, **movement)


@pytest.mark.parametrize(
    ("sizes", "words"), [((), "pool_sizes is empty"), ((2, 5), "(5, 5) does not fit"), (((2, 2, 2),), "does not fit")]
)
def test_a_pool_size_that_does_not_fit_is_refused(sizes, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        see_invariance(max_pool2d, FACE, sizes)


def test_what_is_unchanged_is_counted_and_the_rest_is_marked():
    widget = see_invariance(max_pool2d, FACE, [2, (1, 4)])
    assert "not pooled: 16 of 16 (1.00); 2 × 2: 4 of 4 (1.00)" in widget.told["said"]
    widget.asked = {"right": 1}
    # One step right: 1 1 2 1 / 1 1 9 1 / 1 1 1 7 / 6 6 5 6.
    said = "Unchanged: not pooled: 6 of 16 (0.38); 2 × 2: 2 of 4 (0.50); 1 × 4: 4 of 4 (1.00)."
    assert widget.told["said"] == said
    widget.asked = {"right": 0, "down": 0, "turn": 0, "zoom": 1}
    assert "not pooled: 16 of 16 (1.00); 2 × 2: 4 of 4 (1.00)" in widget.told["said"]
    assert "marked" not in widget.told["alt"]
    widget.asked = {"right": 0, "down": 1}
    assert (
        "moved, 2 × 2: row 0: 2, 1; row 1: 9, 8 (marked: row 0, column 0; row 0, column 1; row 1, column 0; row 1, column 1)"
        in (widget.told["alt"])
    )


def wrong_shape(images, pool_size):
    return np.zeros(3)


def not_written(images, pool_size):
    raise NotImplementedError


def failing(images, pool_size):
    return images / None


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (not_written, "asked for 2 × 2: not written yet"),
        (failing, "it raised TypeError"),
        (wrong_shape, "it returned the shape (3,) where (2, 2, 2, 1) was expected"),
        (lambda images, pool_size: "many", "it returned str, which is no array of numbers"),
        (lambda images, pool_size: None, "it returned the shape ()"),
    ],
)
def test_a_function_that_does_not_answer_is_told_in_words(function, words):
    widget = see_invariance(function, FACE, (2,))
    assert words in widget.told["said"]
    # The movement is seen all the same, and what is wrong also where no widget runs.
    assert "moved of shape (4, 4)" in widget.told["alt"] and words.split()[0] in widget.told["alt"]


def test_a_student_sees_no_traceback_and_autograding_sees_a_picture():
    code = (
        "import numpy as np\nfrom convblocks.invariance import see_invariance\n"
        "def max_pool2d(images, pool_size=(2, 2)):\n    raise NotImplementedError\n"
        "see_invariance(max_pool2d, np.eye(8, dtype=int))"
    )
    (cell,) = run_cells(code)
    assert cell.outputs[0].output_type == "execute_result"
    assert "application/vnd.jupyter.widget-view+json" in cell.outputs[0].data
    assert "<img" in html(cell)
    (cell,) = run_cells(code, NBGRADER_EXECUTION="autograde")
    assert set(cell.outputs[0].data) == {"text/plain", "text/html"}
    assert "not written yet" in cell.outputs[0].data["text/plain"]


def test_without_anywidget_there_is_a_picture(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    figure = see_invariance(max_pool2d, FACE, (2,))
    assert figure.svg.startswith("<svg")
    # Where nothing can be moved, something has been.
    assert "moved, 2 × 2: row 0: 1, 9; row 1: 6, 7 (marked: row 0, column 0; row 0, column 1)" in figure.alt


@browser
def test_sliders_move_it_by_mouse_and_keyboard_and_say_so():
    with in_browser(see_invariance(max_pool2d, FACE, (2,))) as page:
        right, said, picture = page.get_by_label("right"), page.locator("[aria-live]"), page.locator("img")
        assert right.input_value() == "0"
        assert "2 × 2: 4 of 4" in said.inner_text()
        right.press("ArrowRight")
        page.wait_for_function("document.querySelector('[aria-live]').textContent.includes('2 × 2: 2 of 4')")
        assert right.get_attribute("aria-valuetext") == "1 pixel"
        first = picture.get_attribute("src")
        box = page.get_by_label("turn").bounding_box()
        page.mouse.click(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
        page.wait_for_function("(before) => document.querySelector('img').src !== before", arg=first)
        assert page.get_by_label("turn").get_attribute("aria-valuetext") == "45 degrees"
        assert picture.get_attribute("alt").startswith("before of shape (4, 4)")
        page.get_by_role("button", name="as it was").tap()
        page.wait_for_function("document.querySelector('[aria-live]').textContent.includes('2 × 2: 4 of 4')")
        assert page.get_by_label("turn").input_value() == "0"


@browser
def test_without_a_kernel_it_says_so_until_one_answers():
    with in_browser(see_invariance(max_pool2d, FACE, (2,))) as page:
        says_when_no_kernel_answers(page, "as it was")
