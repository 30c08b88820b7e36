"""The drawing pad: what it says of a drawing, what it keeps, and how it is drawn on in a real browser."""

import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from browser import browser
from conftest import ROOT, html, run_cells
from test_invariance import in_browser, says_when_no_kernel_answers

from autograde_tests.reference import recipe
from convblocks.drawing_pad import drawing_pad, keep_drawing, kept_drawings
from convblocks.shapes import CLASSES, LESSON_SEED, dataset

LESSON = ROOT / "source" / "6-shapes-classifier" / "numpy_classifier.ipynb"
PAPER = [0.0] * 64


@pytest.fixture(scope="module")
def lesson() -> dict:
    """What the lesson has at hand when it opens the pad: `forward`, `weights`, `journey`."""
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(LESSON.read_text())["cells"]}
    names, before = {"__name__": "lesson"}, Path.cwd()
    os.chdir(LESSON.parent)
    try:
        for needed in ("imports", "toolbox", "drawings-figure", "weights", "forward", "journey-figure"):
            exec(cells[needed], names)
    finally:
        os.chdir(before)
    return names


@pytest.fixture
def pad(lesson, tmp_path):
    """The lesson's pad, which keeps its drawings in a folder of its own."""
    return drawing_pad(lesson["forward"], lesson["weights"], lesson["journey"], tmp_path / "mine.npz")


def not_written(images, weights):
    raise NotImplementedError


def circle() -> np.ndarray:
    images, labels = dataset(12, 5)
    return images[list(labels).index(2), :, :, 0]


def test_what_it_says_is_what_keras_computes(pad, lesson):
    drawing = circle()
    pad.asked = {"drawing": drawing.ravel().tolist(), "number": 1}
    (shares,) = recipe(lesson["weights"]).build().predict(drawing[None, :, :, None], verbose=0)
    winner = CLASSES[shares.argmax()]
    said = re.search(rf"Your network says {winner} \((.*?)\)\.", pad.told["said"])[1]
    for name, share, one in zip(CLASSES, shares, said.split(", "), strict=True):
        # Softmax reaches neither 0 nor 1, and what is said does not either.
        assert one == f"{name} " + {0: "<0.01", 1: ">0.99"}.get(round(float(share), 2), f"{share:.2f}")
    assert f"{', '.join(CLASSES)}: {', '.join(one.split()[1] for one in said.split(', '))}" in pad.told["alt"]


def test_the_loudest_weights_add_most_to_the_sum_that_won(pad, lesson):
    pad.asked = {"drawing": circle().ravel().tolist(), "number": 1}
    told = re.findall(r"unit (\d) \((\S+) × (\S+) ≈ (\S+)\)", pad.told["said"])
    hidden = [output for name, output in lesson["journey"](circle()[None, :, :, None], lesson["weights"])][-2][0]
    adds = {unit: hidden[unit] * lesson["weights"][6][unit, 2] for unit in range(8)}
    best = sorted(adds, key=adds.get)[::-1][:2]
    assert [int(unit) for unit, *_ in told] == best
    for unit, value, weight, product in told:
        assert float(value) == pytest.approx(hidden[int(unit)], abs=0.0005)
        assert float(weight) == pytest.approx(lesson["weights"][6][int(unit), 2], abs=0.0005)
        assert float(product) == pytest.approx(adds[int(unit)], abs=0.005)
        # What stands there can be multiplied by who reads it.
        assert float(product) == pytest.approx(float(value) * float(weight), abs=0.01)
    for unit in best:
        assert pad.told["alt"].count(f"1 by 1 window at row 0, column {unit}") == 2 + (unit == 2)


def test_every_layer_is_seen(pad):
    layers = ["conv2d", "max_pool2d", "flatten", "dense", "weights to", "unit × weight"]
    assert [pad.told["alt"].count(layer) for layer in layers] == [2, 2, 1, 1, 1, 1]


def other(weights) -> list[np.ndarray]:
    """Weights that are not the lesson's, and make nearly the same of every drawing."""
    return [*weights[:-1], weights[-1] + np.float32(0.001)]


def test_it_shows_one_after_the_other_that_keras_names_wrongly(pad, lesson, tmp_path):
    images, labels = dataset(480, LESSON_SEED)
    shares = recipe(lesson["weights"]).build().predict(images, verbose=0)
    wrong = np.flatnonzero(shares.argmax(axis=1) != labels)
    assert len(wrong)
    broken = drawing_pad(not_written, lesson["weights"], not_written, tmp_path / "mine.npz")
    for number, place in enumerate([*wrong, wrong[0]], 1):
        wrongly = CLASSES[shares[place].argmax()]
        # Neither who is meant nor which drawings these are depends on the student's own network.
        for one in (pad, broken):
            assert one.told["wrong"] == "show me one that Keras gets wrong"
            one.asked = {"drawing": PAPER, "wish": "wrong", "number": number}
            meant = f"Drawing {place} is meant to be a {CLASSES[labels[place]]}; Keras calls it a {wrongly}."
            assert one.told["news"] == meant
            assert np.array_equal(np.float32(one.told["drawing"]), images[place].ravel())
        assert f"Your network says {wrongly}" in pad.told["said"]
        assert "Your forward: not written yet" in broken.told["said"]


def test_with_other_weights_it_shows_what_the_own_network_names_wrongly(lesson, tmp_path):
    pad = drawing_pad(lesson["forward"], other(lesson["weights"]), lesson["journey"], tmp_path / "mine.npz")
    assert pad.told["wrong"] == "show me one that your forward gets wrong"
    for number, place in enumerate((165, 212, 245), 1):
        pad.asked = {"drawing": PAPER, "wish": "wrong", "number": number}
        assert pad.told["news"].startswith(f"Drawing {place} is meant to be a ")
        assert pad.told["news"].count("circle") + pad.told["news"].count("triangle") == 1


def test_a_network_without_mistakes_is_told_so(lesson, tmp_path):
    images, labels = dataset(480, LESSON_SEED)
    known = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}

    def knows_all(images, weights):
        return np.eye(3)[[known.get(np.float32(image).tobytes(), 0) for image in images]]

    pad = drawing_pad(knows_all, other(lesson["weights"]), lesson["journey"], tmp_path / "mine.npz")
    pad.asked = {"drawing": PAPER, "wish": "wrong", "number": 1}
    assert pad.told["news"] == "It names all 480 drawings rightly."
    assert pad.told["drawing"] is None


def test_kept_drawings_come_back_in_their_order_and_join_a_training_set(pad, tmp_path):
    images, labels = kept_drawings(tmp_path / "mine.npz")
    assert images.shape == (0, 8, 8, 1) and labels.shape == (0,)
    shown = [circle(), np.eye(8, dtype=np.float32), np.zeros((8, 8), np.float32)]
    for number, (drawing, label) in enumerate(zip(shown, (2, 0, 1), strict=True), 1):
        pad.asked = {"drawing": drawing.ravel().tolist(), "wish": "keep", "label": label, "number": number}
        assert pad.told["news"] == f"Kept as a {CLASSES[label]}, number {number} in {tmp_path / 'mine.npz'}."
    images, labels = kept_drawings(tmp_path / "mine.npz")
    assert np.array_equal(images[..., 0], shown) and labels.tolist() == [2, 0, 1]
    training = dataset(5, 1)
    joined = np.concatenate([training[0], images]), np.concatenate([training[1], labels])
    assert [(one.dtype, len(one)) for one in joined] == [(np.float32, 8), (np.int64, 8)]
    assert [path.name for path in tmp_path.iterdir()] == ["mine.npz"]


def test_what_was_kept_survives_an_interruption(tmp_path, monkeypatch):
    file = tmp_path / "mine.npz"
    keep_drawing(circle(), 2, file)

    def full(*arguments, **named):
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space left"):
        keep_drawing(np.eye(8), 1, file)
    assert kept_drawings(file)[1].tolist() == [2]
    assert [path.name for path in tmp_path.iterdir()] == ["mine.npz"]


BROKEN = {
    "empty": b"",
    "text": b"my drawings",
    "cut": None,
    "a damaged byte": None,
    "other arrays": {"images": np.zeros((2, 9, 9, 1), np.float32), "labels": np.zeros(2, np.int64)},
    "too few labels": {"images": np.zeros((2, 8, 8, 1), np.float32), "labels": np.zeros(1, np.int64)},
    "a fourth shape": {"images": np.zeros((1, 8, 8, 1), np.float32), "labels": np.array([3])},
    "the weights": {"0": np.zeros(3)},
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_file_that_holds_something_else_is_left_as_it_is(pad, tmp_path, broken):
    file = tmp_path / "mine.npz"
    if isinstance(BROKEN[broken], dict):
        np.savez(file, **BROKEN[broken])
    else:
        keep_drawing(circle(), 2, file)
        whole = file.read_bytes()
        middle = len(whole) // 3
        damaged = {"cut": whole[: 2 * middle], "a damaged byte": whole[:middle] + b"\xff\xff" + whole[middle + 2 :]}
        file.write_bytes(damaged.get(broken, BROKEN[broken]))
    before = file.read_bytes()
    with pytest.raises(ValueError, match="left as it is"):
        kept_drawings(file)
    pad.asked = {"drawing": PAPER, "wish": "keep", "label": 0, "number": 1}
    assert pad.told["news"].startswith("Not kept: ")
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("image", "label", "words"),
    [
        (np.zeros((7, 8)), 0, "8 × 8 numbers from 0 to 1"),
        (np.full((8, 8), 2), 0, "8 × 8 numbers from 0 to 1"),
        (np.full((8, 8), np.nan), 0, "8 × 8 numbers from 0 to 1"),
        (np.zeros((8, 8)), 3, "label 3 is none of"),
        (np.zeros((8, 8)), "circle", "label 'circle' is none of"),
    ],
)
def test_what_is_no_drawing_is_not_kept(tmp_path, image, label, words):
    with pytest.raises(ValueError, match=words):
        keep_drawing(image, label, tmp_path / "mine.npz")
    assert not list(tmp_path.iterdir())


def test_weights_of_another_network_are_refused(lesson):
    for weights in ([], [np.zeros((8, 2)), np.zeros(2)]):
        with pytest.raises(ValueError, match="last kernel"):
            drawing_pad(lesson["forward"], weights, lesson["journey"])


@pytest.mark.parametrize(
    ("forward", "words"),
    [
        (not_written, "Your forward: not written yet"),
        (lambda images, weights: images @ weights, "Your forward: it raised"),
        (lambda images, weights: np.zeros((1, 8)), "it returned the shape (1, 8) where (1, 3) was expected"),
    ],
)
def test_a_network_that_does_not_answer_is_told_in_words_and_drawings_are_kept(lesson, tmp_path, forward, words):
    pad = drawing_pad(forward, lesson["weights"], lesson["journey"], tmp_path / "mine.npz")
    assert words in pad.told["said"]
    searching = drawing_pad(forward, other(lesson["weights"]), lesson["journey"], tmp_path / "mine.npz")
    searching.asked = {"drawing": PAPER, "wish": "wrong", "number": 1}
    assert searching.told["news"].startswith("Your forward: ")
    pad.asked = {"drawing": PAPER, "wish": "keep", "label": 1, "number": 2}
    assert "number 1 in" in pad.told["news"]


def test_a_journey_that_fails_costs_the_maps_alone(lesson, tmp_path):
    pad = drawing_pad(lesson["forward"], lesson["weights"], not_written, tmp_path / "mine.npz")
    assert "Your network says triangle" in pad.told["said"]
    assert "conv2d" not in pad.told["alt"]


def test_a_student_sees_no_traceback_and_autograding_sees_a_picture_and_draws_no_data_set(tmp_path):
    code = (
        "import numpy as np, convblocks.drawing_pad as module\n"
        "def forward(images, weights):\n    raise NotImplementedError\n"
        "module.dataset = None\n"
        "module.drawing_pad(forward, [np.zeros((8, 3)), np.zeros(3)], forward)"
    )
    (cell,) = run_cells(code, folder=tmp_path)
    assert "application/vnd.jupyter.widget-view+json" in cell.outputs[0].data
    assert "<img" in html(cell)
    (cell,) = run_cells(code, folder=tmp_path, NBGRADER_EXECUTION="autograde")
    assert set(cell.outputs[0].data) == {"text/plain", "text/html"}
    assert "not written yet" in cell.outputs[0].data["text/plain"]
    assert not list(tmp_path.iterdir())


def test_without_anywidget_there_is_a_picture(lesson, monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    figure = drawing_pad(lesson["forward"], lesson["weights"], lesson["journey"])
    assert figure.alt.startswith("drawing of shape (8, 8)")
    assert "conv2d" in figure.alt


def heard(page, words):
    """Wait until the page says this."""
    script = "(words) => [...document.querySelectorAll('[aria-live]')].some((one) => one.textContent.includes(words))"
    page.wait_for_function(script, arg=words)


def place(page, row, column):
    """The middle of a pixel of the pad on the screen."""
    box = page.locator(".pad").bounding_box()
    return box["x"] + box["width"] * (column + 0.5) / 8, box["y"] + box["height"] * (row + 0.5) / 8


@browser
def test_the_keyboard_moves_inks_and_wipes(pad):
    with in_browser(pad) as page:
        page.get_by_role("button", name="clear").click()
        paper = page.get_by_role("grid")
        assert "Arrow keys move" in paper.get_attribute("aria-label")
        paper.focus()
        for key in ("ArrowUp", "ArrowDown", "ArrowRight", "ArrowRight", "Space", "ArrowLeft", "Enter"):
            page.keyboard.press(key)
        active = page.locator(f"#{paper.get_attribute('aria-activedescendant')}")
        assert active.get_attribute("aria-label") == "row 1, column 1, ink 1.0"
        page.keyboard.press("Space")
        assert active.get_attribute("aria-label") == "row 1, column 1, paper"
        page.get_by_role("button", name="square").focus()
        page.keyboard.press("Enter")
        heard(page, "Kept as a square, number 1")
    drawing = np.zeros((8, 8))
    drawing[1, 2] = 1
    assert np.array_equal(pad.asked["drawing"], drawing.ravel())


@browser
def test_the_mouse_draws_a_line_as_dark_as_the_training_set_and_erases_it(pad):
    with in_browser(pad) as page:
        page.get_by_role("button", name="clear").click()
        page.mouse.move(*place(page, 2, 1))
        page.mouse.down()
        page.mouse.move(*place(page, 2, 6))
        page.mouse.up()
        page.mouse.move(*place(page, 6, 6))
        page.get_by_role("button", name="circle").click()
        heard(page, "Kept as a circle")
        line = np.array(pad.asked["drawing"]).reshape(8, 8)
        assert line[2, 1:7] == pytest.approx(1, abs=0.05)
        line[2, 1:7] = 0
        assert line.max() < 0.1
        page.get_by_role("button", name="erase").click()
        page.mouse.move(*place(page, 2, 0))
        page.mouse.down()
        page.mouse.move(*place(page, 2, 7))
        page.mouse.up()
        page.get_by_role("button", name="square").click()
        heard(page, "Kept as a square, number 2")
        assert max(pad.asked["drawing"]) < 0.1


@browser
def test_a_finger_inks_and_a_wrongly_named_drawing_comes_onto_the_pad(pad):
    with in_browser(pad, width=400) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 400
        page.get_by_role("button", name="clear").tap()
        page.touchscreen.tap(*place(page, 3, 4))
        page.wait_for_function("document.querySelector('[aria-label^=\"row 3, column 4, ink\"]')")
        before = page.locator("img").get_attribute("src")
        page.get_by_role("button", name="show me one that Keras gets wrong").tap()
        heard(page, "is meant to be a")
        assert page.locator("img").get_attribute("src") != before
        assert page.locator("img").get_attribute("alt") == pad.told["alt"]
        inked = [cell.get_attribute("aria-label") for cell in page.get_by_role("gridcell").all()]
        assert ["paper" not in label for label in inked] == [value > 0 for value in pad.told["drawing"]]


@browser
def test_while_the_network_is_busy_strokes_may_be_left_out_but_nothing_that_is_kept(pad, tmp_path):
    with in_browser(pad) as page:
        page.evaluate("""() => {
            const [clear, triangle, circle] = ["clear", "triangle", "circle"].map((name) =>
                [...document.querySelectorAll("button")].find((one) => one.textContent === name));
            for (const button of [clear, triangle, clear, clear, clear, circle, clear]) button.click();
        }""")
        page.wait_for_timeout(1500)
    assert kept_drawings(tmp_path / "mine.npz")[1].tolist() == [0, 2]
    assert pad.asked["number"] < 7


@browser
def test_without_a_kernel_it_says_so_until_one_answers(pad, tmp_path):
    with in_browser(pad) as page:
        says_when_no_kernel_answers(page, "circle")
        heard(page, "Kept as a circle, number 1 in")
