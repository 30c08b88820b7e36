"""Block figures: what they show, said in words too, and safe to put into a page."""

import base64
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from browser import accessible, browser

from autograde_tests import oracle
from convblocks import connections, draw, grid, keras_diagram, line_chart, network

SVG = "{http://www.w3.org/2000/svg}"


def texts(figure) -> list[str]:
    return [element.text for element in ElementTree.fromstring(figure.svg).iter(f"{SVG}text")]


def test_every_number_stands_in_a_cell_and_in_the_alternative_text():
    figure = draw(grid([[1, -2], [3.25, 0.5]]), "∗", grid([[7]], "kernel"), "=", grid([[9]], "output"))
    assert {"1", "−2", "3.25", "0.5", "7", "9", "input (2, 2)", "kernel (1, 1)", "output (1, 1)"} <= set(texts(figure))
    assert figure.alt == (
        "input of shape (2, 2): row 0: 1, −2; row 1: 3.25, 0.5 ∗ kernel of shape (1, 1): 7 = output of shape (1, 1): 9"
    )


def test_channels_and_images_of_a_batch_are_drawn_one_by_one():
    figure = draw(grid(np.zeros((2, 3, 4, 2))))
    names = [text for text in texts(figure) if text and "channel" in text]
    assert names == [f"image {image}, channel {channel}" for image in (0, 1) for channel in (0, 1)]
    assert len(list(ElementTree.fromstring(figure.svg).iter(f"{SVG}rect"))) == 1 + 2 * 3 * 4 * 2


def test_roles_differ_by_shape_as_well_as_by_colour():
    looks = set()
    for role in ("input", "kernel", "output"):
        svg = draw(grid([[1.0]], role, "")).svg
        looks.add((re.search(r'rx="(\d+)" fill="#(?!fd)', svg)[1], 'stroke-width="2.5"' in svg))
    assert len(looks) == 3


def test_padding_windows_and_marks_are_seen_and_said():
    figure = draw(
        grid([[0, 5, 0]], windows=(0, 0, 1, 2), padding=((0, 0), (1, 1)), marks=np.array([[False, True, False]]))
    )
    assert figure.svg.count("stroke-dasharray") == 2
    assert figure.svg.count("<path") == 1
    assert "1 by 2 window at row 0, column 0" in figure.alt
    assert "marked: row 0, column 1" in figure.alt
    assert "padded by 0 above, 0 below, 1 left, 1 right" in figure.alt


def test_wide_figures_go_on_in_the_next_line():
    one, many = draw(grid(np.eye(4))), draw(*[grid(np.eye(4))] * 12)
    width = float(ElementTree.fromstring(many.svg).get("width"))
    assert width < 900
    assert float(ElementTree.fromstring(many.svg).get("height")) > float(ElementTree.fromstring(one.svg).get("height"))


def test_a_sign_goes_along_with_what_follows_it():
    figure = draw(grid(np.eye(4)), "=", grid(np.eye(4), "output"), widest=240)
    assert float(ElementTree.fromstring(figure.svg).get("width")) < 240
    assert len(re.findall(r'<g transform="translate\(10,', figure.svg)) == 2
    assert figure.svg.rindex("translate(10,") < figure.svg.index(">=<")


def test_what_is_still_to_come_has_its_place_but_is_not_shown():
    numbers = np.array([[1.5, -1000.25]])
    hidden, shown = draw(grid(np.ma.array(numbers, mask=[[False, True]]))), draw(grid(numbers))
    assert "1.5" in texts(hidden) and "?" in texts(hidden) and "−1000.25" not in hidden.svg
    assert hidden.alt == shown.alt.replace("−1000.25", "?")
    assert re.findall(r' width="[\d.]+"', hidden.svg) == re.findall(r' width="[\d.]+"', shown.svg)


def test_text_from_outside_cannot_become_markup():
    evil = '<script>alert("1")</script>'
    figure = draw(grid([[1]], title=evil), evil)
    assert "<script" not in figure.svg
    assert "<script" not in figure.html
    drawn = base64.b64decode(re.search(r"base64,([^\"]+)", figure.html)[1]).decode()
    assert drawn == figure.svg


@pytest.mark.parametrize(("wrong", "words"), [(np.zeros((1,) * 5), "1 to 4 axes"), (3, "1 to 4 axes")])
def test_an_array_that_cannot_be_drawn_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        grid(wrong)
    with pytest.raises(ValueError, match="unknown role"):
        grid([1], "inputs")


def test_odd_numbers_can_be_drawn():
    assert {"nan", "inf", "−inf"} <= set(texts(draw(grid([np.nan, np.inf, -np.inf, 0.0]))))
    draw(grid(np.zeros((0, 3))))


def test_an_infinite_number_does_not_make_all_others_pale():
    alone, beside = draw(grid([[1.0, 4.0]])), draw(grid([[1.0, 4.0, -np.inf]]))
    assert (
        re.findall(r'fill="(#[0-9a-f]{6})" stroke="#444"', alone.svg)
        == re.findall(r'fill="(#[0-9a-f]{6})" stroke="#444"', beside.svg)[:2]
    )


def test_a_network_shows_shapes_and_weights():
    figure = network([("Input", (8, 8, 1), None), ("Conv2D", (8, 8, 2), 20), ("Flatten", (128,), 0)])
    assert {"Conv2D", "8 × 8 × 2", "20 weights", "no weights"} <= set(texts(figure))
    assert "Conv2D with output (8, 8, 2) and 20 weights" in figure.alt


def test_blocks_of_a_network_go_on_in_the_next_row_and_are_readable_on_a_phone():
    layers = [("Conv2D", (8, 8, 2), 20), ("MaxPooling2D", (4, 4, 2), 0)]
    drawn = ElementTree.fromstring(network(layers * 3).svg)
    assert float(drawn.get("width")) <= 480
    blocks = [tuple(float(one.get(name, 0)) for name in ("y", "x")) for one in drawn.iter(f"{SVG}rect")][1:]
    assert blocks == sorted(blocks) and len({row for row, _ in blocks}) == 2
    assert float(drawn.get("height")) > blocks[-1][0] + 72


@browser
def test_a_wide_figure_is_scrolled_sideways_before_it_is_unreadable(chromium):
    wide, small = draw(grid(np.ones((2, 20)))), draw(grid(np.ones((2, 4))))
    page = chromium.new_page(viewport={"width": 360, "height": 600})
    page.set_content(f"<!doctype html><html lang=en><title>t</title><main>{wide.html}{small.html}</main>")
    script = "Promise.all([...document.images].map(one => one.decode().then(() => [one.width, one.naturalWidth])))"
    widths = page.evaluate(script)
    assert widths[0][0] >= 0.74 * widths[0][1] > 360 and widths[1][0] == widths[1][1]
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.keyboard.press("Tab")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")
    accessible(page, "main")
    page.close()


def test_connections_count_lines_and_shared_weights():
    figure = connections(3, 2, [(0, 0, 0), (1, 0, 1), (1, 1, 0), (2, 1, 1)], "slide")
    assert figure.svg.count("<line") == 4 + 2  # and a legend for the two weights
    assert {"k0", "k1"} <= set(texts(figure))
    assert "4 connections, 2 different weights; y0 sees x0 x1; y1 sees x1 x2" in figure.alt


def test_a_line_chart_is_the_same_each_time_and_says_where_it_goes():
    one, two = (line_chart({"loss": [2.0, 1.0, 0.5]}, "epoch", "loss") for _ in range(2))
    assert one == two
    assert "from 2.00 to 0.50" in one.alt


def test_keras_diagram_is_the_same_each_time_and_says_what_it_shows():
    keras = oracle.keras()

    def build():
        return keras.Sequential(
            [keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3, name="conv"), keras.layers.Flatten(name="flat")]
        )

    one, two = keras_diagram(build()), keras_diagram(build())
    assert one == two
    assert "conv with output (2, 2, 2) and 20 weights" in one.alt
    assert "flat" in one.svg and "(None, 8)" in one.svg
