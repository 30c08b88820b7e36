"""The drawings: repeatable, fair and varied; and the shipped weights tell them apart."""

import numpy as np
import pytest

from autograde_tests import reference
from convblocks.shapes import CLASSES, LESSON_COUNT, LESSON_SEED, TRAINING_COUNT, TRAINING_SEED, dataset, draw


@pytest.fixture(scope="module")
def training():
    return dataset(TRAINING_COUNT, TRAINING_SEED)


@pytest.fixture(scope="module")
def hidden():
    return reference.hidden_set()


def test_same_seed_gives_the_same_drawings():
    first, second = dataset(30, LESSON_SEED), dataset(30, LESSON_SEED)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_drawings_of_the_lesson_are_drawn_as_others_and_stay_when_one_is_changed():
    for _ in range(2):
        images, labels = dataset(LESSON_COUNT, LESSON_SEED)
        rng = np.random.default_rng(LESSON_SEED)
        assert (labels == rng.permutation(np.arange(LESSON_COUNT) % len(CLASSES))).all()
        assert (images[0, ..., 0] == draw(CLASSES[labels[0]], rng)).all()
        images[:], labels[:] = 0, 0


def test_other_seed_gives_other_drawings():
    first, second = dataset(30, 1), dataset(30, 2)
    assert not np.array_equal(first[0], second[0])
    assert not np.array_equal(first[1], second[1])


def test_no_hidden_drawing_is_among_the_training_drawings(training, hidden):
    known = {image.tobytes() for image in training[0]}
    assert not any(image.tobytes() in known for image in hidden[0])


@pytest.mark.parametrize("count", [1, 2, 3, 100, 101])
def test_dataset_has_the_promised_form(count):
    images, labels = dataset(count, 5)
    assert images.shape == (count, 8, 8, 1)
    assert images.dtype == np.float32
    assert labels.shape == (count,)
    assert labels.dtype == np.int64
    per_class = np.bincount(labels, minlength=len(CLASSES))
    assert len(per_class) == len(CLASSES)
    assert per_class.max() - per_class.min() <= 1


def test_classes_are_shuffled():
    labels = dataset(300, 5)[1]
    assert 0.5 < (labels[1:] != labels[:-1]).mean() < 0.8  # 2 / 3 where order is random


def test_grey_values_run_from_paper_to_ink(training):
    images = training[0]
    assert images.min() == 0
    assert 0.9 < images.max() <= 1
    # Every drawing has paper and a line that can be seen.
    assert (images.min(axis=(1, 2, 3)) == 0).all()
    assert (images.max(axis=(1, 2, 3)) > 0.3).all()


@pytest.mark.parametrize("label", range(len(CLASSES)), ids=CLASSES)
def test_no_two_drawings_of_a_class_are_alike(training, label):
    images, labels = training
    flat = images[labels == label].reshape(-1, 64)[:200].astype(float)
    distance = abs(flat[:, np.newaxis] - flat).mean(axis=-1)
    assert distance[~np.eye(len(flat), dtype=bool)].min() > 0.02


@pytest.mark.parametrize("shape", CLASSES)
@pytest.mark.parametrize("pixels", [8, 16])
def test_draw_gives_one_picture(shape, pixels):
    image = draw(shape, np.random.default_rng(0), pixels=pixels)
    assert image.shape == (pixels, pixels)
    assert image.dtype == np.float32
    assert 0 <= image.min() < image.max() <= 1


def test_draw_goes_on_where_the_generator_stands():
    rng = np.random.default_rng(0)
    assert not np.array_equal(draw("circle", rng), draw("circle", rng))


def test_unknown_shape_is_refused_with_the_names_that_are_known():
    with pytest.raises(ValueError, match=r"'hexagon'.*triangle, square, circle"):
        draw("hexagon", np.random.default_rng(0))


@pytest.mark.parametrize("count", [0, -3])
def test_empty_dataset_is_refused(count):
    with pytest.raises(ValueError, match=f"{count}.*at least one"):
        dataset(count, 0)


def test_ink_alone_does_not_tell_the_classes_apart(training, hidden):
    assert reference.ink_accuracy(training, hidden) < 0.45  # guessing gives 1 / 3


def test_shipped_weights_recognise_hidden_drawings(hidden):
    pytest.importorskip("keras")
    model = reference.build_reference()
    assert model.count_params() == 178
    model.set_weights(reference.load_weights())
    assert reference.accuracy(model, *hidden) >= 0.95
    assert all((layer > 0.05).all() for layer in reference.activity(model, hidden[0]))  # no unit is dead
