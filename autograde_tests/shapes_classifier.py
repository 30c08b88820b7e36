"""Hidden checks of 6-shapes-classifier: the whole network in NumPy, the same network in Keras, and its training."""

import functools
from collections.abc import Callable

import numpy as np

from autograde_tests import reference
from autograde_tests.cases import Case, graded, signed
from autograde_tests.oracle import keras
from convblocks.compare import compare
from convblocks.keras_model import Description, activations, kind, without_activations
from convblocks.shapes import CLASSES, TRAINING_COUNT, TRAINING_SEED, dataset
from convblocks.transfer import called

SHAPES = ((3, 3, 1, 2), (2,), (2, 2, 2, 3), (3,), (12, 8), (8,), (8, 3), (3,))
"""Shapes of the eight arrays of weights, in the order of `model.get_weights()`."""

FORWARD_BUILDS_ON = ("activate", "conv2d", "max_pool2d", "flatten", "dense")

TRAINING_SECONDS = 90.0
"""How long a student's training may take: less than nbgrader's limit for a whole cell (nbgrader_config.py)."""


def keras_forward(images, weights) -> np.ndarray:
    """The probabilities of the Keras model with these weights."""
    # Imported quietly, before the reference imports it.
    keras()
    model = reference.build_reference()
    model.set_weights([np.asarray(one, dtype="float32") for one in weights])
    return np.asarray(model(np.asarray(images, dtype="float32")))


def keras_predict(images, weights) -> list[str]:
    """The names of the Keras model's largest probabilities."""
    return [CLASSES[place] for place in keras_forward(images, weights).argmax(axis=1)]


def zero_weights(last_bias=(0, 0, 0)) -> list[np.ndarray]:
    """Weights of a network in which nothing but the last bias speaks."""
    return [*(np.zeros(shape) for shape in SHAPES[:-1]), np.array(last_bias, dtype=float)]


def open_weights(rng, **biases) -> list[np.ndarray]:
    """Weights with which every relu passes everything on, for images from 0 to 1: the biases outweigh the kernels.

    biases: `conv1`, `conv2`, `dense1` or `dense2` instead of the usual ones, to let one relu (or one wrong relu) speak.
    """
    usual = {name: rng.uniform(0.95, 1.05, shape) for name, shape in zip(_LAYERS, SHAPES[1::2], strict=True)}
    chosen = usual | {name: np.asarray(bias, dtype=float) for name, bias in biases.items()}
    kernels = [_kernel(rng, shape, reach) for shape, reach in zip(SHAPES[::2], (0.8, 0.45, 0.45, 6), strict=True)]
    return [array for pair in zip(kernels, (chosen[name] for name in _LAYERS), strict=True) for array in pair]


def random_weights(rng) -> list[np.ndarray]:
    """Signed weights with biases of both signs, small enough that softmax is not saturated."""
    kernels = [_kernel(rng, shape, reach) for shape, reach in zip(SHAPES[::2], (2, 2, 2.5, 4), strict=True)]
    biases = [rng.permutation(np.linspace(-0.35, 0.45, shape[0])) for shape in SHAPES[1::2]]
    return [array for pair in zip(kernels, biases, strict=True) for array in pair]


_LAYERS = ("conv1", "conv2", "dense1", "dense2")


def _kernel(rng, shape, reach) -> np.ndarray:
    """A kernel whose weights for one output sum to 0, so that no relu is dead, and in absolute value to `reach`."""
    kernel = signed(rng, *shape)
    inputs = tuple(range(len(shape) - 1))
    kernel -= kernel.mean(axis=inputs)
    return kernel * reach / abs(kernel).sum(axis=inputs)


def _drawings(rng, count) -> np.ndarray:
    return dataset(count, int(rng.integers(1, 2**31)))[0].astype(float)


def mild_trained_weights() -> list[np.ndarray]:
    """The trained weights with a milder last layer, whose probabilities are not all 0 or 1."""
    *others, kernel, bias = reference.load_weights()
    return [*others, kernel * np.float32(0.25), bias]


@graded(oracle=keras_forward, builds_on=FORWARD_BUILDS_ON)
def forward_cases(rng):
    blank = np.zeros((1, 8, 8, 1))
    # Blank paper gives the bias alone: below 0 in one map, above in the other.
    cases = [
        Case("all weights zero: one third each", (_drawings(rng, 2), zero_weights())),
        Case(
            "the last bias alone, each shape has its own",
            (_drawings(rng, 2), zero_weights((0.4, -0.7, 1.1))),
            showable=True,
        ),
        Case("a blank drawing: the biases go through all layers", (blank, open_weights(rng)), weight=2, showable=True),
        Case("positive numbers everywhere: no relu matters", (_drawings(rng, 2), open_weights(rng)), weight=2),
        Case("relu after the first convolution", (_drawings(rng, 3), open_weights(rng, conv1=(-0.06, -0.1)))),
        Case("relu after the second convolution", (_drawings(rng, 3), open_weights(rng, conv2=(-0.1, 0.02, -0.06)))),
        Case(
            "relu after the first dense layer", (_drawings(rng, 3), open_weights(rng, dense1=np.linspace(-0.1, 0.1, 8)))
        ),
        Case("no relu before softmax", (_drawings(rng, 3), open_weights(rng, dense2=(-1.5, -1.2, -1.9)))),
        Case("drawings and trained weights", (_drawings(rng, 5), mild_trained_weights()), weight=2, showable=True),
        Case("one drawing of whole numbers", (rng.integers(0, 2, (1, 8, 8, 1)), random_weights(rng))),
        Case("images and weights given stay as they were", (_drawings(rng, 2), random_weights(rng)), keeps_inputs=True),
    ]
    for number in range(3):
        images = _drawings(rng, 4) if number else rng.normal(size=(3, 8, 8, 1))
        cases.append(Case(f"random weights {number + 1}", (images, random_weights(rng))))
    return cases


@graded(oracle=keras_predict, builds_on=(*FORWARD_BUILDS_ON, "forward"))
def predict_cases(rng):
    first = [
        Case(f"the last bias alone says {name}", (_drawings(rng, 1), zero_weights(bias)))
        for name, bias in zip(CLASSES, ((0.4, 0.1, 0.3), (-0.5, 0.2, -0.1), (-0.9, -0.6, -0.2)), strict=True)
    ]
    return [
        *first,
        Case("a name for every drawing", (_drawings(rng, 4), zero_weights((0.3, 0.5, 0.1))), showable=True),
        Case(
            "drawings of all shapes and trained weights",
            (_drawings(rng, 6), reference.load_weights()),
            weight=2,
            showable=True,
        ),
        Case("other drawings and trained weights", (_drawings(rng, 5), reference.load_weights()), weight=2),
    ]


def of_model(judge: Callable) -> Callable:
    """A judge that is called with the Description of a model, or not at all where there is no model to judge."""

    @functools.wraps(judge)
    def of_value(value, answer):
        return _no_model(value) or judge(value, answer)

    return of_value


def of_layers(judge: Callable) -> Callable:
    """A judge that is called with a model's layers alone."""
    return of_model(functools.wraps(judge)(lambda model, _: judge(model.layers)))


def _no_model(value) -> str:
    """What is wrong with a value that is no Keras model, "" for a model."""
    if isinstance(value, Description):
        return ""
    if value is None:
        return "it returned None: is the `return` missing?"
    if called(value) == "a History":
        return "it returned the History that fit returns: return the model itself"
    return f"it returned {called(value)} where a Keras model was expected"


def _said(items) -> str:
    return ", ".join(map(str, items)) if items else "none"


@of_model
def takes_drawings(model, _) -> str:
    if model.input_shape is None:
        return "it does not know its input yet: is keras.Input((8, 8, 1)) missing at the start?"
    if model.input_shape != (None, 8, 8, 1):
        return f"its input has shape {model.input_shape[1:]}, expected (8, 8, 1)"
    return ""


@of_layers
def has_layers_in_order(layers) -> str:
    kinds = [kind(layer) for layer in without_activations(layers)]
    wanted = ["Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Flatten", "Dense", "Dense"]
    return "" if kinds == wanted else f"yours has {_said(kinds)}; expected {_said(wanted)}"


def has_convolution(place: int, filters: int, size: int, output: tuple) -> Callable:
    """A judge of the convolution number `place`."""

    @of_layers
    def judge(layers):
        found = [layer for layer in layers if kind(layer) == "Conv2D"]
        if len(found) <= place:
            return f"there are {len(found)} Conv2D layers"
        layer = found[place]
        if layer["filters"] != filters:
            return f"yours has filters={layer['filters']}, expected {filters}"
        if layer["kernel_size"] != (size, size):
            return f"yours has kernel_size={layer['kernel_size']}, expected {(size, size)}"
        shape = layer["output_shape"]
        return "" if shape == output else f"its output has shape {shape}, expected {output}"

    return judge


@of_layers
def has_output_shapes(layers) -> str:
    shapes = [layer["output_shape"] for layer in without_activations(layers)]
    wanted = [(8, 8, 2), (4, 4, 2), (4, 4, 3), (2, 2, 3), (12,), (8,), (3,)]
    return "" if shapes == wanted else f"yours are {_said(shapes)}; expected {_said(wanted)}"


@of_layers
def has_params(layers) -> str:
    counts = [layer["params"] for layer in layers if layer["weight_shapes"]]
    wanted = [20, 27, 104, 27]
    return "" if counts == wanted else f"yours has {_said(counts)}; expected {_said(wanted)}"


@of_layers
def has_units(layers) -> str:
    units = [layer["units"] for layer in layers if kind(layer) == "Dense"]
    return "" if units == [8, 3] else f"yours has Dense layers of {_said(units)} units; expected 8, 3"


@of_layers
def has_relu(layers) -> str:
    found = activations(layers)[:-1]
    if found == ["relu"] * 3:
        return ""
    return f"the activations before the last layer with weights are {_said(found)}; expected relu, relu, relu"


@of_layers
def has_softmax(layers) -> str:
    found = activations(layers)[-1:]
    return "" if found == ["softmax"] else f"the last activation is {_said(found)}; expected softmax"


@of_model
def computes(model, answer) -> str:
    """What the model computes on the probe's images with the probe's weights."""
    shapes = [shape for layer in model.layers for shape in layer["weight_shapes"]]
    if shapes != list(SHAPES):
        return f"these weights do not fit: yours have the shapes {_said(shapes)}"
    if isinstance(model.computed, str):
        return f"it cannot be called: {model.computed}"
    return compare(model.computed, answer).sentence


@graded(oracle=None, of_probe=keras_forward)
def build_model_cases(rng):
    probe = (rng.normal(size=(3, 8, 8, 1)), random_weights(rng))
    judges = [
        ("it takes drawings of 8 × 8 × 1", takes_drawings, 1),
        ("the layers, in this order", has_layers_in_order, 2),
        ("first convolution: 2 filters of 3 × 3, same", has_convolution(0, 2, 3, (8, 8, 2)), 1),
        ("second convolution: 3 filters of 2 × 2, same", has_convolution(1, 3, 2, (4, 4, 3)), 1),
        ("dense layers of 8 and 3 units", has_units, 1),
        ("the output shapes, layer by layer", has_output_shapes, 2),
        ("20, 27, 104 and 27 weights", has_params, 1),
        ("relu in the hidden layers", has_relu, 2),
        ("softmax at the end", has_softmax, 2),
        ("with the same weights it computes the same probabilities", computes, 3),
    ]
    return [
        Case(name, weight=weight, judge=judge, probe=probe, call="build", seconds=60.0)
        for name, judge, weight in judges
    ]


def initial_weights() -> list[np.ndarray]:
    """Weights to start training from, the same for everyone (Glorot and Bengio's, as Keras draws them)."""
    rng = np.random.default_rng(8)
    limits = [np.sqrt(6 / (np.prod(shape[:-2]) * (shape[-2] + shape[-1]))) for shape in SHAPES[::2]]
    kernels = [rng.uniform(-limit, limit, shape) for shape, limit in zip(SHAPES[::2], limits, strict=True)]
    return [array for kernel, shape in zip(kernels, SHAPES[1::2], strict=True) for array in (kernel, np.zeros(shape))]


_training = functools.cache(lambda: dataset(TRAINING_COUNT, TRAINING_SEED))
_hidden = functools.cache(reference.hidden_set)


def of_weights(judge: Callable) -> Callable:
    """A judge that is called with the weights of a trained model, where they are the network's."""

    @of_model
    @functools.wraps(judge)
    def of_trained(model, _):
        if [one.shape for one in model.weights] != list(SHAPES) or any(one.dtype.kind != "f" for one in model.weights):
            return "it returned another model than the one it was given"
        return judge(model.weights)

    return of_trained


@of_weights
def returns_a_trained_model(weights) -> str:
    before = initial_weights()
    same = all(np.allclose(one, other, atol=1e-6) for one, other in zip(weights, before, strict=True))
    return "its weights are as they were before: nothing was learned" if same else ""


def recognises(asked: float) -> Callable:
    """A judge of how many hidden drawings a trained model names rightly; asked: the share that is enough."""

    @of_weights
    def judge(weights):
        images, labels = _hidden()
        share = (reference.label(images, weights) == labels).mean()
        if share >= asked:
            return ""
        return f"{100 * share:.1f} % of {len(labels)} drawings never seen; {100 * asked:.0f} % is asked"

    return judge


@graded(oracle=None)
def train_cases(rng):
    judges = [
        ("it returns the model, trained", returns_a_trained_model, 1),
        ("60 % of drawings never seen: more than guessing", recognises(0.6), 2),
        ("80 % of drawings never seen", recognises(0.8), 2),
        ("90 % of drawings never seen", recognises(0.9), 2),
    ]
    # What comes back are weights. The hidden drawings stay here, and what the weights make of them is computed here.
    call = (reference.recipe(initial_weights()), *_training())
    return [
        Case(name, call, weight=weight, judge=judge, call="train", seconds=TRAINING_SECONDS)
        for name, judge, weight in judges
    ]
