"""Stepping through a convolution: what is said and drawn of each cell, where a function first differs, and the hands."""

import contextlib
import functools
import json
import re
import sys

import nbformat
import numpy as np
import pytest
from browser import accessible, browser, complaints, idle, jupyterlab
from conftest import html, run_cells
from nbformat.v4 import new_code_cell, new_notebook

from convblocks import as_batch, step
from convblocks.figures import Figure

IMAGE = np.array([[2, 0, 1], [3, 1, 4], [0, 5, 2]])
KERNEL = np.array([[1, -1], [0, 2]])
RANDOM = np.random.default_rng(6)
COLOURS = RANDOM.integers(-3, 9, (2, 5, 4, 3))
FILTERS = RANDOM.integers(-2, 3, (2, 3, 3, 2)) / 2
BIAS = np.array([-1.5, 2])


def told(widget) -> list[dict]:
    """All that a widget tells, cell by cell."""
    found = []
    for cell in range(widget.told["cells"]):
        widget.asked = {"cell": cell}
        found.append(widget.told)
    return found


def number(text: str) -> float:
    """The last number of a step."""
    return float(re.findall(r"−?\d[\d.]*(?:e[−+]\d+)?", text)[-1].replace("−", "-"))


def test_every_cell_is_a_window_with_its_arithmetic():
    cells = told(step(IMAGE, KERNEL))
    assert [cell["place"] for cell in cells] == [f"row {row}, column {column}" for row in (0, 1) for column in (0, 1)]
    assert [cell["steps"] for cell in cells] == [
        ["pixel times weight, added up: 2·1 + 0·(−1) + 3·0 + 1·2 = 4"],
        ["pixel times weight, added up: 0·1 + 1·(−1) + 1·0 + 4·2 = 7"],
        ["pixel times weight, added up: 3·1 + 1·(−1) + 0·0 + 5·2 = 12"],
        ["pixel times weight, added up: 1·1 + 4·(−1) + 5·0 + 2·2 = 1"],
    ]
    assert "(2 by 2 window at row 1, column 0)" in cells[2]["alt"]
    assert "output of shape (2, 2): row 0: 4, 7; row 1: 12, ? (1 by 1 window at row 1, column 0)" in cells[2]["alt"]


@pytest.mark.parametrize("strides", [1, (2, 1)])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("activation", [None, "relu", "softmax"])
def test_filter_by_filter_the_numbers_are_those_of_the_layer(strides, padding, activation):
    picture, rows = COLOURS[0], strides if isinstance(strides, int) else strides[0]
    if padding == "same":
        # 2 rows: one zero below for steps of 1, and for steps of 2 over 5 rows; 3 columns: one on each side.
        picture = np.pad(picture, ((0, 1), (1, 1), (0, 0)))
    expected = []
    for row in range(0, picture.shape[0] - 1, rows):
        for column in range(picture.shape[1] - 2):
            window = picture[row : row + 2, column : column + 3]
            sums = np.array([(window * FILTERS[..., one]).sum() for one in (0, 1)]) + BIAS
            if activation == "relu":
                sums = np.where(sums > 0, sums, 0)
            if activation == "softmax":
                sums = np.exp(sums) / np.exp(sums).sum()
            expected.append(sums)
    expected = np.array(expected).T.ravel()
    cells = told(step(COLOURS, FILTERS, BIAS, strides, padding, activation))
    assert len(cells) == len(expected)
    np.testing.assert_allclose([number(cell["steps"][-1]) for cell in cells], expected, rtol=1e-5, atol=1e-6)
    half = len(cells) // 2
    assert all(cell["place"].endswith(f"of filter {at // half}") for at, cell in enumerate(cells))
    # What is still to come is not given away; of filters, the one at hand is shown.
    assert [cell["alt"].count("?") for cell in cells] == [half - 1 - at % half for at in range(len(cells))]
    assert all(f"kernel of filter {at // half}" in cell["alt"] for at, cell in enumerate(cells))
    assert all(("padded by 0 above, 1 below, 1 left, 1 right" in cell["alt"]) == (padding == "same") for cell in cells)


def test_nothing_moves_in_the_picture_but_frames_and_numbers():
    widget = step(IMAGE * 100.5, KERNEL, padding="same")
    assert len({re.match(r"<svg[^>]*>", cell["svg"])[0] for cell in told(widget)}) == 1


def test_sums_too_long_to_follow_are_not_written_out():
    (cell,) = told(step(np.ones((8, 8)), np.ones((8, 8)), [1]))
    assert cell["steps"] == ["64 products, too many to write out; what comes out in the end: 65"]


def test_whole_numbers_of_few_bits_do_not_wrap_around():
    photo = np.array([[200, 100, 50]], dtype=np.uint8)
    assert told(step(photo, np.array([[1, 2]], dtype=np.uint8)))[0]["steps"][-1].endswith("= 400")


def flipped(patch, kernel):
    return (patch * kernel[::-1, ::-1]).sum()


def test_where_a_function_first_differs_is_said_and_marked():
    def transposed(patch, kernel):
        return float((patch * kernel.T).sum())

    # Worked out by hand: 2 − 3 + 2 = 1, 0 − 1 + 8 = 7, 3 − 0 + 10 = 13, 1 − 5 + 4 = 0.
    cells = told(step(IMAGE, KERNEL, yours=transposed))
    assert [cell["yours"] for cell in cells] == [
        "✗ transposed differs here for the first time: yours is 1, expected 4",
        "✗ transposed differs first at row 0, column 0: yours is 1, expected 4",
        "✗ transposed differs first at row 0, column 0: yours is 1, expected 4. Here: yours is 13, expected 12",
        "✗ transposed differs first at row 0, column 0: yours is 1, expected 4. Here: yours is 0, expected 1",
    ]
    assert "≠ transposed: row 0: 1, 7; row 1: 13, ? (marked: row 0, column 0; row 1, column 0;" in cells[2]["alt"]


def conv2d(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None, start=(2, 1)):
    """Right for strides of (2, 1): `start` is how far apart its windows are."""
    if padding == "same":
        images = np.pad(images, ((0, 0), (0, 1), (1, 1), (0, 0)))
    rows, columns = (
        (whole - part) // by + 1 for whole, part, by in zip(images.shape[1:3], kernel.shape, strides, strict=False)
    )
    (down, right), output = start, np.zeros((len(images), rows, columns, kernel.shape[3]))
    for row in range(rows):
        for column in range(columns):
            window = images[:, down * row :, right * column :][:, : kernel.shape[0], : kernel.shape[1]]
            output[:, row, column] = np.tensordot(window, kernel, 3) + bias
    return np.maximum(output, 0)


def test_a_right_function_is_told_so():
    cells = told(step(COLOURS, FILTERS, BIAS, (2, 1), "same", "relu", yours=conv2d))
    assert {cell["yours"] for cell in cells[:-1]} == {"✓ conv2d agrees so far"}
    assert cells[-1]["yours"] == "✓ conv2d agrees at every window, each given to it alone, and on the whole picture"
    assert not any("marked" in cell["alt"] for cell in cells)


def test_what_is_right_on_every_window_may_be_wrong_on_the_whole_picture():
    def no_strides(images, kernel, **options):
        return conv2d(images, kernel, start=(1, 1), **options)

    cells = told(step(COLOURS, FILTERS, BIAS, (2, 1), "same", "relu", yours=no_strides))
    right = conv2d(COLOURS[:1], FILTERS, BIAS, (2, 1), "same")[0]
    off = ~np.isclose(no_strides(COLOURS[:1], FILTERS, bias=BIAS, strides=(2, 1), padding="same")[0], right)
    first = int(np.flatnonzero(np.moveaxis(off, 2, 0))[0])
    assert [cell["yours"].startswith("✓") for cell in cells] == [cell < first for cell in range(len(cells))]
    words = "differs here for the first time: each window alone is right, but given the whole picture: yours is"
    assert words in cells[first]["yours"]
    assert [cell["alt"].count("marked") for cell in cells if cell["place"] == "row 0, column 0 of filter 0"] == [0]
    row, column = np.argwhere(off[..., 1])[-1]
    assert f"marked: row {np.argwhere(off[..., 1])[0][0]}" in cells[-1]["alt"]
    assert f"row {row}, column {column}" in cells[-1]["alt"].split("marked")[1]


@pytest.mark.parametrize(
    ("strides", "wrong", "words"),
    [
        (
            1,
            lambda image, kernel: np.full(np.array(image.shape) - 1, (image[:2, :2] * kernel).sum()),
            "yours is 4, expected 7",
        ),
        (1, lambda image, kernel: [[(image[:2, :2] * kernel).sum()]], "yours has shape (1, 1), expected (2, 2)"),
        (1, lambda image, kernel: [[(image * kernel).sum()]], "given the whole picture: it raised"),
        # A function that knows of no strides is not to be blamed for theirs.
        (2, lambda image, kernel: [[(image * kernel).sum()]], "where windows start is not tried here"),
    ],
)
def test_of_one_picture_and_one_kernel_the_whole_is_tried_too(strides, wrong, words):
    said = told(step(IMAGE, KERNEL, strides=strides, yours=wrong))[-1]["yours"]
    assert words in said and said.startswith("✓" if strides == 2 else "✗")


def test_the_padded_picture_is_the_whole_of_a_function_without_padding():
    def correlate2d(image, kernel):
        windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
        return (windows * kernel).sum(axis=(2, 3))

    assert told(step(IMAGE, KERNEL, padding="same", yours=correlate2d))[-1]["yours"].endswith("on the whole picture")


def test_a_function_gets_one_window_at_a_time():
    def weighted_sum(patch, kernel):
        seen.append((patch.shape, kernel.shape))

    def correlate2d(image, kernel):
        seen.append((image.shape, kernel.shape))

    def conv2d(images, kernel, **options):
        seen.append((images.shape, kernel.shape, *options))

    for arguments, yours, expected in (
        ((IMAGE, KERNEL), weighted_sum, [((2, 2), (2, 2))] * 4),
        ((IMAGE, KERNEL), correlate2d, [((2, 2), (2, 2))] * 4),
        ((IMAGE, KERNEL), conv2d, [((1, 2, 2, 1), (2, 2, 1, 1))] * 4),
        ((COLOURS, FILTERS), weighted_sum, [((2, 3, 3), (2, 3, 3))] * 16),
        ((COLOURS, FILTERS, BIAS), conv2d, [((1, 2, 3, 3), (2, 3, 3, 2), "bias")] * 8),
    ):
        seen = []
        # conv2d takes pictures as a batch whatever they are shown as, which its first parameter says.
        step(*arguments, yours=yours)
        assert seen == expected


def test_errors_prints_and_odd_results_are_told_in_words():
    def correlate2d(image, kernel):
        print("looks at", image[0, 0])
        return {2: None, 3: image[9], 0: [[4.0]]}[int(image[0, 0])] if image[0, 0] != 1 else "text"

    cells = told(step(IMAGE, KERNEL, yours=correlate2d))
    assert "IndexError" in cells[0]["yours"] and "first time" in cells[0]["yours"]
    assert cells[0]["printed"] == "looks at 2"
    assert "✗" in cells[0]["alt"]
    assert "where an array" in cells[3]["yours"]


def test_a_changed_input_is_said():
    def weighted_sum(patch, kernel):
        patch *= kernel
        return patch.sum()

    assert "changed its input patch" in told(step(IMAGE, KERNEL, yours=weighted_sum))[0]["yours"]


def test_an_unwritten_function_does_not_stop_the_lesson():
    def conv2d(images, kernel, bias=None):
        raise NotImplementedError

    cells = told(step(IMAGE, KERNEL, yours=conv2d))
    assert {cell["yours"] for cell in cells} == {"conv2d is not written yet: these are the numbers that it has to find"}
    assert "≠" not in cells[0]["alt"]


def test_an_endless_loop_is_waited_for_once(monkeypatch):
    module = sys.modules["convblocks.step"]
    monkeypatch.setattr(module, "call", functools.partial(module.call, seconds=0.1))

    def weighted_sum(patch, kernel):
        calls.append(1)
        while patch[0, 0] == 0:
            pass
        return float((patch * kernel).sum())

    calls = []
    cells = told(step(IMAGE, KERNEL, yours=weighted_sum))
    assert len(calls) == 2
    assert "no answer in time" in cells[1]["yours"]
    assert cells[3]["yours"].endswith("It was not run from there on")
    assert "weighted_sum: row 0: 4, ✗; row 1: ?, ?" in cells[3]["alt"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((np.ones((2, 2, 2)), KERNEL), "images has shape .* 3 axes"),
        ((IMAGE, np.ones(3)), "kernel has shape .* 1 axes"),
        ((np.array([["a", "b"]]), KERNEL), "has to hold numbers"),
        ((np.ones((0, 3)), KERNEL), "has to hold numbers"),
        ((IMAGE, np.ones((2, 2, 3, 1))), "1 channels and the kernel weights for 3"),
        ((IMAGE, np.ones((4, 1))), "the kernel, 4 × 1, is larger than the picture, 3 × 3"),
        ((IMAGE, KERNEL, [1, 2]), "one number for each filter"),
        ((IMAGE, KERNEL, None, 0), "strides is 0"),
        ((IMAGE, KERNEL, None, (1, 2, 3)), "strides is"),
        ((IMAGE, KERNEL, None, 1.5), "strides is 1.5"),
        ((IMAGE, KERNEL, None, 1, "full"), "unknown padding 'full': use \"valid\""),
        ((IMAGE, KERNEL, None, 1, "same", "tanh"), "unknown activation 'tanh': use one of None, linear, relu"),
        ((np.ones((100, 100)), KERNEL), "too many to step through"),
        ((IMAGE, KERNEL, None, 1, "same", None, 3), "yours has to be a function"),
        ((IMAGE, KERNEL, [1], 1, "same", None, flipped), "leave out the bias"),
    ],
)
def test_what_cannot_be_stepped_through_is_refused_with_a_reason(arguments, words):
    with pytest.raises(ValueError, match=words):
        step(*arguments)


WHOLE = "output of shape (2, 2): row 0: 4, 7; row 1: 12, 1 (1 by 1 window at row 0, column 0)"


def test_without_anywidget_it_is_a_still_picture_of_all(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    still = step(IMAGE, KERNEL, yours=flipped)
    assert isinstance(still, Figure)
    assert WHOLE in still.alt and "2 by 2 window at row 0, column 0" in still.alt
    shown = still._repr_mimebundle_()
    for kind in ("text/html", "text/plain"):
        assert "2·1 + 0·(−1) + 3·0 + 1·2 = 4" in shown[kind]
        assert "✗ flipped differs first at row 0, column 0: yours is 2, expected 4" in shown[kind]


def test_a_still_picture_of_several_filters_shows_every_kernel(monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    parts = re.findall(r"(. (?:kernel|output) of filter \d)", step(COLOURS, FILTERS).alt)
    assert parts == ["∗ kernel of filter 0", "= output of filter 0", "∗ kernel of filter 1", "= output of filter 1"]


def test_the_still_picture_goes_along_with_the_widget():
    shown, _ = step(IMAGE, KERNEL)._repr_mimebundle_()
    assert WHOLE in shown["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in shown


def test_while_autograding_it_is_a_still_picture_and_calls_nothing():
    setup = f"import sys, numpy as np\nfrom convblocks import step\nimage = np.array({IMAGE.tolist()})"
    calls = "def weighted_sum(patch, kernel):\n    raise SystemExit\nstep(image, image[:2, :2], yours=weighted_sum)"
    cells = run_cells(setup, calls, "print('anywidget' in sys.modules)", NBGRADER_EXECUTION="autograde")
    assert "<img alt=" in html(cells[1]) and "SystemExit" not in html(cells[1])
    assert list(cells[1].outputs[0].data) == ["text/plain", "text/html"]
    assert cells[2].outputs[0].text == "False\n"


PAGE = """<!doctype html><html lang="en"><title>step</title><style>%s</style><button id="before">before</button>
<div id="here"></div><script type="module">
const {default: widget} = await import("data:text/javascript;charset=utf-8," + encodeURIComponent(%s));
const state = {asked: {}, told: %s}, listeners = {};
const model = {
  get: name => state[name],
  set: (name, value) => { state[name] = value; },
  on: (name, listener) => { listeners[name] = listener; },
  off: (name, listener) => { delete listeners[name]; },
  save_changes: async () => {
    if (window.dead) return;
    const before = JSON.stringify(state.told);
    state.told = await answer(state.asked);
    if (JSON.stringify(state.told) !== before) listeners["change:told"]?.();
  },
};
window.others = [];
document.addEventListener("keydown", event => window.others.push(event.key));
window.leave = widget.render({model, el: document.getElementById("here")});
</script></html>"""


@pytest.fixture
def page(chromium):
    """The widget's own front end in a page, with Python's answers; what else listens to keys is in `others`."""
    widget = step(IMAGE, KERNEL, yours=flipped)

    def answer(asked):
        widget.asked = asked
        return widget.told

    page = chromium.new_page(viewport={"width": 820, "height": 800})
    errors = complaints(page)
    page.expose_function("answer", answer)
    page.clock.install()
    page.set_content(PAGE % (widget._css, json.dumps(str(widget._esm)), json.dumps(widget.told)))
    page.wait_for_selector(".convblocks img")
    yield page
    assert errors == []
    accessible(page, ".convblocks")
    page.close()


def at(page, cell: int) -> None:
    """Wait until this cell is shown, counted from 1."""
    page.locator(".convblocks strong", has_text=f"Cell {cell} of 4").wait_for(timeout=120_000)


@browser
def test_buttons_and_the_slider_go_through_the_cells(page):
    at(page, 1)
    back, play, following = (page.get_by_role("button", name=name) for name in ("back", "play", "next"))
    assert back.is_disabled()
    for cell in (2, 3, 4):
        following.click()
        at(page, cell)
    assert following.is_disabled()
    assert "5·0 + 2·2 = 1" in page.locator(".convblocks").inner_text()
    back.click()
    at(page, 3)
    page.get_by_role("slider").fill("1")
    at(page, 2)
    assert page.locator("img").get_attribute("alt").count("?") == 4
    assert page.locator("img").evaluate("one => one.decode().then(() => one.naturalWidth)") > 100
    assert play.inner_text() == "▶ play"


@browser
def test_it_plays_only_when_told_to_and_begins_anew_from_the_end(page):
    page.clock.run_for(10_000)
    at(page, 1)
    page.get_by_role("button", name="play").click()
    assert page.locator("[aria-live]").get_attribute("aria-live") == "off"
    for cell in (2, 3):
        page.clock.run_for(1500)
        at(page, cell)
    page.get_by_role("button", name="pause").click()
    page.clock.run_for(10_000)
    at(page, 3)
    assert page.locator("[aria-live]").get_attribute("aria-live") == "polite"
    page.get_by_role("button", name="play").click()
    page.clock.run_for(1500)
    at(page, 4)
    page.get_by_role("button", name="play").click()
    at(page, 1)


@browser
def test_keys_do_the_same_and_nobody_else_hears_them(page):
    page.locator("#before").focus()
    page.keyboard.press("ArrowRight")
    at(page, 1)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "group"
    for key, cell in (
        ("ArrowRight", 2),
        ("ArrowRight", 3),
        ("ArrowLeft", 2),
        ("End", 4),
        ("ArrowRight", 4),
        ("Home", 1),
    ):
        page.keyboard.press(key)
        at(page, cell)
    page.keyboard.press(" ")
    page.clock.run_for(1500)
    at(page, 2)
    page.keyboard.press(" ")
    page.clock.run_for(5000)
    at(page, 2)
    # On a button, space presses it, once.
    page.get_by_role("button", name="next").focus()
    page.keyboard.press(" ")
    at(page, 3)
    page.keyboard.press("Control+ArrowRight")
    assert page.evaluate("others") == ["ArrowRight", "Tab", "Control", "ArrowRight"]


@browser
def test_a_screen_reader_finds_names_for_all_parts(page):
    snapshot = page.locator(".convblocks").aria_snapshot()
    for name in (
        'group "Step through it',
        'img "input of shape (3, 3)',
        'button "▶ play"',
        'slider "cell of the output"',
        "✗ flipped differs here for the first time: yours is 2, expected 4",
    ):
        assert name in snapshot, snapshot
    assert page.locator(".said[aria-live=polite]").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 820


@browser
def test_when_it_leaves_the_page_nothing_stays_behind(page):
    page.get_by_role("button", name="play").click()
    page.evaluate("leave()")
    page.clock.run_for(10_000)
    at(page, 1)
    assert page.get_by_role("button", name="play").is_visible()


@browser
def test_without_a_kernel_it_says_so_until_one_answers(page):
    status = page.get_by_role("status")
    # To the first cell, where it is already: that is answered too.
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    page.clock.run_for(10_000)
    page.locator("[role=status]:empty").wait_for(state="attached")
    page.evaluate("window.dead = true")
    page.get_by_role("button", name="play").click()
    page.clock.run_for(6000)
    assert status.inner_text().startswith("No kernel answers.")
    accessible(page, ".convblocks")
    page.evaluate("window.dead = false")
    page.get_by_role("button", name="back").click()
    at(page, 3)
    page.clock.run_for(10_000)
    assert status.inner_text() == ""


LESSON = f"""import numpy as np
from convblocks import step

def correlate2d(image, kernel):
    return [[(image * kernel.T).sum()]]

step(np.array({IMAGE.tolist()}), np.array({KERNEL.tolist()}), yours=correlate2d)"""


@pytest.fixture
def lesson(tmp_path):
    """The address of a JupyterLab with one notebook, lesson.ipynb."""
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [new_code_cell(LESSON), new_code_cell("'below'")]
    nbformat.write(new_notebook(cells=cells, metadata=kernel), tmp_path / "lesson.ipynb")
    with jupyterlab(tmp_path, tmp_path / "config") as address:
        yield f"{address}/lab/tree/lesson.ipynb"


@browser
def test_in_jupyterlab_the_keys_are_the_figures_own_and_shortcuts_of_others_are_left(lesson, tmp_path, chromium):
    from playwright.sync_api import TimeoutError

    lab = chromium.new_page(viewport={"width": 1366, "height": 900})
    errors = complaints(lab)
    lab.goto(lesson)
    idle(lab)
    box = lab.locator(".convblocks")
    # Keys that come while the page still settles get lost.
    for _ in range(10):
        lab.locator(".jp-CodeCell .cm-content").first.click()
        lab.keyboard.press("Control+Enter")
        with contextlib.suppress(TimeoutError):
            box.wait_for(timeout=6000)
            break
    box.get_by_role("button", name="next").click()
    at(lab, 2)
    box.locator("img").click()
    for key, cell in (("ArrowRight", 3), ("End", 4), ("Home", 1), ("ArrowRight", 2)):
        lab.keyboard.press(key)
        at(lab, cell)
    assert "differs first at row 0, column 0: yours is 1, expected 4" in box.inner_text()
    assert lab.locator("img[alt*='≠ correlate2d: row 0: 1, 7;']").is_visible()
    assert box.evaluate("box => box.contains(document.activeElement)")
    # The notebook saves as ever, and what is kept of the widget is its still picture.
    assert "≠" not in (tmp_path / "lesson.ipynb").read_text()
    lab.keyboard.press("Control+s")
    for _ in range(600):
        lab.wait_for_timeout(100)
        if "≠ correlate2d: row 0: 1, 7; row 1: 13, 0" in (tmp_path / "lesson.ipynb").read_text():
            break
    else:
        pytest.fail("the notebook was not saved")
    # The kernel that is there now knows nothing of the figure.
    lab.evaluate("jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart()")
    box.get_by_role("button", name="next").click()
    box.get_by_text("No kernel answers").wait_for(timeout=120_000)
    assert errors == []
    lab.close()


def test_one_picture_with_channels_is_a_batch_of_one():
    assert told(step(as_batch(COLOURS[0]), FILTERS))[3]["steps"] == told(step(COLOURS, FILTERS))[3]["steps"]
