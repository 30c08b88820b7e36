"""A Keras model as plain data, and a model made from such data."""

import importlib
import sys
from dataclasses import dataclass

import numpy as np


def is_model(value) -> bool:
    """Whether the value is a Keras model; False without a look where Keras was not imported."""
    module = sys.modules.get("keras")
    return module is not None and isinstance(value, module.Model)


@dataclass
class Recipe:
    """A sequential model to be built: `layers` are dicts such as `{"layer": "Dense", "units": 3}`.

    input_shape: of one image, without the batch. weights: as from `model.get_weights()`, None for Keras' own start.
    """

    input_shape: tuple
    layers: list[dict]
    weights: list[np.ndarray] | None = None

    def build(self):
        """The uncompiled `keras.Sequential`."""
        keras = importlib.import_module("keras")
        made = [
            getattr(keras.layers, one["layer"])(**{key: value for key, value in one.items() if key != "layer"})
            for one in self.layers
        ]
        model = keras.Sequential([keras.Input(self.input_shape), *made])
        if self.weights is not None:
            model.set_weights(self.weights)
        return model


@dataclass
class Description:
    """What a model is, as data.

    input_shape: with None for the batch, None when the model did not know it yet. layers: those of models inside the
    model included, the input aside, each a dict of `kind` (Keras' class), `output_shape` without the batch, `params`,
    `weight_shapes`, `activation` (name or None), `filters`, `kernel_size` and `units` (None where it has none).
    weights: as from `get_weights()`. computed: what it makes of the images it was tried on, or the error in words.
    """

    input_shape: tuple | None
    layers: list[dict]
    weights: list[np.ndarray]
    computed: np.ndarray | str | None = None

    @classmethod
    def checked(cls, input_shape, layers, weights, computed) -> "Description":
        """The same from data of an unknown sender; raises ValueError or TypeError when it describes no model."""
        fields = {"kind", "output_shape", "params", "weight_shapes", "activation", "filters", "kernel_size", "units"}
        # Lists, since an array has rows as well, and each would become an object.
        if not isinstance(layers, list) or not isinstance(weights, list):
            raise ValueError("these are no layers and weights")
        if not all(isinstance(one, dict) and set(one) == fields and isinstance(one["kind"], str) for one in layers):
            raise ValueError("these are no layers")
        if any(isinstance(value, np.ndarray) for one in layers for value in one.values()):
            raise ValueError("these are no layers")
        if not all(isinstance(one, np.ndarray) for one in weights) or isinstance(computed, (list, dict)):
            raise ValueError("these are no weights")
        return cls(input_shape, layers, weights, computed)


def describe(model, images=None, weights=None) -> Description:
    """The description of a Keras model, tried on a batch of images where such is given.

    weights: to be set for the trial and taken back after it; the model's own where None.
    """
    input_shape = tuple(model.input_shape) if model.built else None
    if not model.built and images is not None:
        model.build((None, *np.shape(images)[1:]))
    own = [np.array(one) for one in model.get_weights()]
    computed = None
    if images is not None:
        try:
            if weights is not None:
                model.set_weights(weights)
            computed = np.array(model(np.asarray(images, dtype="float32")))
        except Exception as error:
            computed = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:200]
        finally:
            if weights is not None:
                model.set_weights(own)
    return Description(input_shape, [_layer(one) for one in _layers(model)], own, computed)


def _layers(model) -> list:
    found = []
    for layer in model.layers:
        if is_model(layer):
            found += _layers(layer)
        elif type(layer).__name__ != "InputLayer":
            found.append(layer)
    return found


def _layer(layer) -> dict:
    size = getattr(layer, "kernel_size", None)
    activation = getattr(layer, "activation", None)
    return {
        "kind": type(layer).__name__,
        "output_shape": tuple(layer.output.shape[1:]),
        "params": int(layer.count_params()),
        "weight_shapes": [tuple(weight.shape) for weight in layer.weights],
        "activation": getattr(activation, "__name__", None),
        "filters": getattr(layer, "filters", None),
        "kernel_size": tuple(size) if isinstance(size, (tuple, list)) else size,
        "units": getattr(layer, "units", None),
    }


_ACTIVATION_LAYERS = ("Activation", "ReLU", "Softmax")


def kind(layer: dict) -> str:
    """The kind of a described layer; Flatten as well for a Reshape that makes one row of each image."""
    return "Flatten" if layer["kind"] == "Reshape" and len(layer["output_shape"]) == 1 else layer["kind"]


def without_activations(layers: list[dict]) -> list[dict]:
    """The described layers that are not only an activation."""
    return [layer for layer in layers if layer["kind"] not in _ACTIVATION_LAYERS]


def activations(layers: list[dict]) -> list[str]:
    """The activation of each described layer with weights, also where it is a layer of its own further on."""
    found = []
    for layer in layers:
        if layer["weight_shapes"]:
            found.append(layer["activation"] or "linear")
        elif found and layer["kind"] in _ACTIVATION_LAYERS and found[-1] == "linear":
            found[-1] = layer["activation"] if layer["kind"] == "Activation" else layer["kind"].lower()
    return found
