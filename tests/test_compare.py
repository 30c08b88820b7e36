"""Comparing with the expected value: reasonable right answers pass, and what is off is said in words."""

import tracemalloc

import numpy as np
import pytest

from convblocks import compare

FRAMED = np.pad(np.zeros((1, 2, 2, 1)), ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=2)
BATCH = np.random.default_rng(0).permutation(2 * 3 * 5 * 3).reshape(2, 3, 5, 3) + 0.5
ARRAY = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0], [7.0, 8.0, 9.5], [0.0, 2.0, 1.0]])


@pytest.mark.parametrize(
    ("yours", "expected"),
    [
        (ARRAY.tolist(), ARRAY),
        (ARRAY.astype("float32"), ARRAY),
        (ARRAY + 1e-7, ARRAY),
        (np.array([1, 2]), np.array([1.0, 2.0])),
        (np.int64(4), 4),
        (np.array(4), 4),
        (2, 2.0),
        (np.float32(0.1), 0.1),
        ([1, 2], (1, 2)),
        (np.array([1, 2]), (1, 2)),
        ([[[8, 8, 2], 20]], [((8, 8, 2), 20)]),
        (np.array(["circle"]), ["circle"]),
    ],
)
def test_the_same_numbers_in_another_form_agree(yours, expected):
    assert compare(yours, expected).agrees


@pytest.mark.parametrize(
    ("yours", "expected", "kind", "words"),
    [
        (None, 4, "none", "return"),
        (None, ARRAY, "none", "return"),
        (4.0, 4, "type", "the float 4 where an int was expected: use // instead of /"),
        (4.5, 5, "type", "the float 4.5 where an int was expected: is it to be rounded up or down?"),
        (True, 1, "type", "a bool"),
        ("4", 4, "type", "a str"),
        (np.array([4]), 4, "shape", "shape (1,)"),
        (5, 4, "value", "yours is 5, expected 4"),
        (float("nan"), 1.0, "value", "nan"),
        ((1, 2, 3), (1, 2), "shape", "3 items, expected 2"),
        ((1, 3), (1, 2), "value", "at [1]"),
        ([((1, 2), 3)], [((1, 4), 3)], "value", "at [0]: yours is ((1, 2), 3), expected ((1, 4), 3)"),
        ([((1, 2, *range(40)), 3)], [((1, 4, *range(40)), 3)], "value", "at [0][0][1]: yours is 2, expected 4"),
        (5.0, 1, "value", "yours is 5, expected 1, and an int is wanted"),
        ((1, 2.0), (1, 2), "type", "at [1]"),
        (7, (1, 2), "type", "an int where a tuple"),
        ("square", "circle", "value", 'yours is "square"'),
        (ARRAY.T, ARRAY, "shape", "rows and columns are swapped"),
        (ARRAY[:2], ARRAY, "shape", "(2, 3), expected (4, 3)"),
        (np.zeros((1, 4, 2, 3)), np.zeros((1, 2, 3, 4)), "shape", "the channels come first"),
        (np.zeros((2, 3, 4, 4)), np.zeros((2, 4, 4, 3)), "shape", "the channels come first"),
        (np.zeros((3, 4, 5)), np.zeros((4, 5, 3)), "shape", "the channels come first"),
        (np.zeros((1, 4, 3, 2)), np.zeros((1, 2, 3, 4)), "shape", "the axes are in another order"),
        (ARRAY.astype(object), ARRAY, "type", "object"),
        (ARRAY.astype(complex), ARRAY, "type", "complex"),
        ([[1, 2], [3]], ARRAY, "type", "different lengths"),
        (-ARRAY, ARRAY, "value", "sign"),
        (ARRAY + 2, ARRAY, "value", "off by 2 everywhere"),
        (np.where(ARRAY == 5, 0, ARRAY), ARRAY, "value", "1 of 12 numbers differ: at [1, 1] yours is 0, expected 5"),
        (FRAMED, np.zeros((1, 4, 4, 1)), "value", "only the border differs"),
        (ARRAY * np.nan, ARRAY, "value", "NaN"),
        (ARRAY[:3].T, ARRAY[:3], "value", "rows and columns are swapped"),
        (BATCH[0], BATCH, "shape", "the batch axis at the start is missing"),
        (BATCH[..., 0], BATCH[..., :1], "shape", "the channel axis at the end is missing"),
        (BATCH[0, ..., 0], BATCH[:1, ..., :1], "shape", "the batch axis at the start and the channel axis at the end"),
        (BATCH[:, :-1, :-2], BATCH, "shape", "1 row too few and 2 columns too few"),
        (np.concatenate([BATCH, BATCH]), BATCH, "shape", "2 images too many"),
        (BATCH[..., :1], BATCH, "shape", "2 channels too few"),
        (ARRAY.ravel(), ARRAY, "shape", "2 axes are needed, yours has 1"),
        (ARRAY * 3, ARRAY, "value", "yours is 3 times what is expected everywhere"),
        (ARRAY * 0, ARRAY, "value", "yours is 0 everywhere"),
        (BATCH + np.array([1, -2, 4]), BATCH, "value", "each channel is off by a number of its own"),
        (ARRAY[::-1], ARRAY, "value", "upside down"),
        (BATCH[:, :, ::-1], BATCH, "value", "mirrored, left for right"),
        (BATCH[:, ::-1, ::-1], BATCH, "value", "turned by half a turn"),
        (np.sort(ARRAY, axis=None).reshape(4, 3), ARRAY, "value", "the same numbers in another order"),
        ((ARRAY / 4).astype(int), ARRAY / 4, "value", "without what comes after the point"),
        (np.round(ARRAY / 4), ARRAY / 4, "value", "rounded"),
        (np.maximum(ARRAY, 0), ARRAY, "value", "yours is 0 where negative numbers are expected"),
        (ARRAY, np.maximum(ARRAY, 0), "value", "yours is negative where 0 is expected"),
        ((ARRAY * 200).astype(int).astype("uint8"), ARRAY * 200, "value", "as the type uint8 makes them"),
    ],
)
def test_each_kind_of_difference_has_its_words(yours, expected, kind, words):
    comparison = compare(yours, expected)
    assert not comparison.agrees
    assert comparison.kind == kind
    assert words in comparison.sentence


def test_where_other_axes_are_as_long_nobody_knows_which_were_swapped():
    sentence = compare(np.zeros((1, 3, 2, 3)), np.zeros((1, 2, 3, 3))).sentence
    assert "swapped" not in sentence and "1 row too many and 1 column too few" in sentence


@pytest.mark.parametrize("shape", [(2,), (7,), (3, 4), (4, 4), (5, 3, 2), (1, 3, 3, 1), (2, 5, 4, 3)])
def test_numbers_without_a_pattern_get_no_hint(shape):
    rng = np.random.default_rng(shape)
    for _ in range(50):
        target = rng.integers(-9, 10, shape).astype(float)
        wrong = target + rng.permutation(np.linspace(-3.3, 4.1, target.size)).reshape(shape)
        assert "(" not in compare(wrong, target).sentence
        # One number alone says nothing of the others.
        one = target.copy()
        one.flat[target.size // 2] += 0.7
        assert "(" not in compare(one, target).sentence


def test_a_difference_is_drawn_side_by_side():
    shown = compare(np.where(ARRAY == 5, 0, ARRAY), ARRAY)._repr_mimebundle_()["text/html"]
    assert "yours" in shown and "target" in shown and "<img" in shown


@pytest.mark.parametrize(
    ("yours", "drawn"),
    [
        (-0.005, "−0.005"),
        (0.0123, "0.0123"),
        (-0.0125, "−0.0125"),
        (1 / 3, "0.33"),
        (1e-9, "0"),
        (-2e20, "−2e+20"),
        (np.nan, "nan"),
    ],
)
def test_the_figure_does_not_contradict_the_sentence(yours, drawn):
    comparison = compare(np.array([[1, yours, 3]]), np.array([[1, -7.0, 3]]))
    assert f": 1, {drawn}, 3" in comparison._repr_mimebundle_()["text/html"]


def test_an_array_without_numbers_does_not_fill_the_memory():
    tracemalloc.start()
    assert compare(np.zeros((10**6, 0)), (1, 1)).kind == "shape"
    assert compare(np.zeros((2, 10**6, 0)), (1, 1)).kind == "shape"
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**20
