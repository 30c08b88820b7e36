"""The reference network of the last assignment, the drawings students never see, and what scores on them.

`python -m autograde_tests.reference` prints the figures that the score of `train` rests on;
`--write-weights source/6-shapes-classifier/weights.npz` makes again the weights that students receive.
Keras is imported where it is used, because most users of this module want the hidden drawings alone.
"""

import argparse
from pathlib import Path

import numpy as np

from convblocks.keras_model import Recipe
from convblocks.shapes import CLASSES, TRAINING_COUNT, TRAINING_SEED, dataset

HIDDEN_SEED = 7_301_946_582
"""Seed of the hidden drawings. It stays out of convblocks, which students receive."""

HIDDEN_COUNT = 600
"""Number of hidden drawings: 200 of each shape."""

WEIGHTS_SEED = 47
"""Seed of the initial weights and of the order of training that gave the shipped weights."""

WEIGHTS = Path(__file__).parent.parent / "source" / "6-shapes-classifier" / "weights.npz"
"""The shipped weights: arrays "0" to "7" in the order of `model.get_weights()`."""


def hidden_set():
    """The hidden drawings: `(images, labels)` as from `convblocks.shapes.dataset`."""
    return dataset(HIDDEN_COUNT, HIDDEN_SEED)


def recipe(weights=None) -> Recipe:
    """The network of the last assignment: 178 weights, from images `(batch, 8, 8, 1)` to probabilities `(batch, 3)`.

    The probabilities are in the order of `CLASSES`; weights: eight arrays, None for Keras' own start.
    """
    conv = {"layer": "Conv2D", "padding": "same", "activation": "relu"}
    pool = {"layer": "MaxPooling2D", "pool_size": 2}
    layers = [
        conv | {"filters": 2, "kernel_size": 3},
        pool,
        conv | {"filters": 3, "kernel_size": 2},
        pool,
        {"layer": "Flatten"},
        {"layer": "Dense", "units": 8, "activation": "relu"},
        {"layer": "Dense", "units": len(CLASSES), "activation": "softmax"},
    ]
    return Recipe((8, 8, 1), layers, weights)


def build_reference():
    """The network as an uncompiled `keras.Sequential` with random weights."""
    return recipe().build()


def train_reference(model, images, labels):
    """Train `model` in place on images `(n, 8, 8, 1)` and labels `(n,)`, and return it.

    For the same result again, call `keras.utils.set_random_seed` before `build_reference`.
    """
    import keras

    model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images, labels, batch_size=32, epochs=40, verbose=0)
    return model


def accuracy(model, images, labels):
    """Fraction, 0 to 1, of `images` `(n, 8, 8, 1)` that `model` assigns to their `labels` `(n,)`."""
    return float((model.predict(images, verbose=0).argmax(axis=1) == labels).mean())


def activity(model, images):
    """How often each relu unit of `build_reference`'s network is on, a list of arrays, one per relu layer.

    Each array `(units,)` holds the fraction of `images` on which the unit is positive somewhere; a dead unit
    has 0.
    """
    import keras

    relu = [layer for layer in model.layers if getattr(layer, "activation", None) is keras.activations.relu]
    outputs = keras.Model(model.inputs, [layer.output for layer in relu]).predict(images, verbose=0)
    by_place = [output.reshape(len(images), -1, output.shape[-1]) for output in outputs]
    return [(output > 0).any(axis=1).mean(axis=0) for output in by_place]


def label(images, weights):
    """Places in `CLASSES`, `(n,)`, of what the network with these eight arrays of weights sees in images `(n, 8, 8, 1)`.

    In NumPy, so that a submission's weights can be judged where no Keras is. Softmax does not change which is largest.
    """
    conv1, bias1, conv2, bias2, *dense = (np.asarray(one, dtype=float) for one in weights)
    # Whatever the weights are: what overflows is a wrong answer, not a message.
    with np.errstate(all="ignore"):
        x = _pool(_relu(_conv_same(images, conv1) + bias1))
        x = _pool(_relu(_conv_same(x, conv2) + bias2)).reshape(len(images), -1)
        x = _relu(x @ dense[0] + dense[1])
        return (x @ dense[2] + dense[3]).argmax(axis=1)


def _conv_same(images, kernel):
    before = [(size - 1) // 2 for size in kernel.shape[:2]]
    after = [size // 2 for size in kernel.shape[:2]]
    padded = np.pad(images, ((0, 0), *zip(before, after, strict=True), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[:2], axis=(1, 2))
    return np.einsum("brcixy,xyio->brco", windows, kernel)


def _relu(x):
    return np.maximum(x, 0)


def _pool(x):
    batch, rows, columns, channels = x.shape
    return x.reshape(batch, rows // 2, 2, columns // 2, 2, channels).max(axis=(2, 4))


def ink_accuracy(train, test, bins=10):
    """Accuracy, 0 to 1, on `test` of a rule learned from `train` that knows a drawing's amount of ink alone.

    `train` and `test` are `(images, labels)`. Each of `bins` ranges of ink, equally full of drawings
    in `train`, stands for the class that is most frequent in it.
    """
    (images, labels), (test_images, test_labels) = train, test
    ink = images.sum(axis=(1, 2, 3))
    edges = np.quantile(ink, np.linspace(0, 1, bins + 1)[1:-1])
    counts = np.zeros((bins, len(CLASSES)))
    np.add.at(counts, (np.digitize(ink, edges), labels), 1)
    guess = counts.argmax(axis=1)[np.digitize(test_images.sum(axis=(1, 2, 3)), edges)]
    return float((guess == test_labels).mean())


def load_weights(path=WEIGHTS):
    """The list of eight arrays stored at `path`, in the order of `model.get_weights()`."""
    with np.load(path) as arrays:
        return [arrays[str(index)] for index in range(len(arrays.files))]


def main():
    """Print sizes and accuracies; with `--write-weights`, store the weights just trained first."""
    parser = argparse.ArgumentParser(prog="python -m autograde_tests.reference", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=WEIGHTS_SEED, help="of the training (%(default)s)")
    parser.add_argument("--write-weights", type=Path, metavar="PATH", help="where to store weights (.npz)")
    options = parser.parse_args()

    import keras

    keras.utils.set_random_seed(options.seed)
    training, hidden = dataset(TRAINING_COUNT, TRAINING_SEED), hidden_set()
    trained = train_reference(build_reference(), *training)
    if options.write_weights:
        np.savez(options.write_weights, **{str(i): array for i, array in enumerate(trained.get_weights())})
    print(f"drawings: {TRAINING_COUNT} training, {HIDDEN_COUNT} hidden; weights: {trained.count_params()}")
    print(f"hidden drawings recognised, trained now (seed {options.seed}): {accuracy(trained, *hidden):.1%}")
    if WEIGHTS.exists():
        shipped = build_reference()
        shipped.set_weights(load_weights())
        quietest = min(layer.min() for layer in activity(shipped, hidden[0]))
        print(f"hidden drawings recognised, shipped weights: {accuracy(shipped, *hidden):.1%}")
        print(f"the quietest relu unit of the shipped weights is on for {quietest:.1%} of them")
    print(f"hidden drawings recognised, amount of ink alone: {ink_accuracy(training, hidden):.1%}")


if __name__ == "__main__":
    main()
