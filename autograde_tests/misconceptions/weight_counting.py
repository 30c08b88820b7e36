"""Wrong ways to count weights."""

import math

from autograde_tests.misconceptions import LOOK, misconception, twist
from convblocks.arithmetic import pair

LOOK.update(
    dense_params="First way: everything with everything",
    conv2d_params="Several filters, several channels",
    summarize="Exercise 3 · `summarize`",
)


def _dense(inputs, units, use_bias=True):
    return inputs * units + units * use_bias


def _conv2d(kernel_size, in_channels, filters, use_bias=True):
    return math.prod(pair(kernel_size)) * in_channels * filters + filters * use_bias


def _places(size, window, stride, padding):
    return -(-size // stride) if padding == "same" else (size - window) // stride + 1


def _windows(shape, window, strides, padding):
    window, strides = pair(window), pair(strides)
    return tuple(_places(shape[axis], window[axis], strides[axis], padding) for axis in (0, 1))


def _step(shape, layer):
    """Shape and weights after one layer, right."""
    kind, padding, use_bias = layer["layer"], layer.get("padding", "valid"), layer.get("use_bias", True)
    if kind == "Conv2D":
        new = _windows(shape, layer["kernel_size"], layer.get("strides", 1), padding)
        return (*new, layer["filters"]), _conv2d(layer["kernel_size"], shape[-1], layer["filters"], use_bias)
    if kind == "MaxPooling2D":
        window = layer.get("pool_size", 2)
        return (*_windows(shape, window, layer.get("strides") or window, padding), shape[-1]), 0
    if kind == "Flatten":
        return (math.prod(shape),), 0
    return (layer["units"],), _dense(shape[-1], layer["units"], use_bias)


def _walk(shape, layers, step=_step):
    """What `step(shape, layer)` makes of every layer in turn; summarize, right, with the right step."""
    summary, shape = [], tuple(shape)
    for layer in layers:
        shape, params = step(shape, layer)
        summary.append((shape, params))
    return summary


def _with(layers, kind, **changed):
    """The layers, those of one kind with other arguments."""
    return [{**layer, **changed} if layer["layer"] == kind else layer for layer in layers]


def _without(layers, argument, kinds=("Conv2D", "MaxPooling2D", "Dense")):
    """The layers, those of some kinds without one of their arguments."""
    return [
        {key: value for key, value in layer.items() if key != argument} if layer["layer"] in kinds else layer
        for layer in layers
    ]


@twist(
    "dense_params",
    _dense,
    wrong="the biases are missing",
    shows="Your count is too small by the number of units; without biases it is right.",
    look="And the biases",
)
def dense_no_biases(count, inputs, units, use_bias):
    return count(inputs, units, False)


@twist(
    "dense_params",
    _dense,
    wrong="use_bias=False is ignored",
    shows="With biases you are right; with use_bias=False your count is too large by the number of units.",
    look="And the biases",
)
def dense_always_biases(count, inputs, units, use_bias):
    return count(inputs, units, True)


@twist(
    "dense_params",
    _dense,
    wrong="use_bias is turned round",
    shows="Your count lacks the biases where there are some, and has them where there are none.",
    look="And the biases",
)
def dense_turned_bias(count, inputs, units, use_bias):
    return count(inputs, units, not use_bias)


@twist(
    "dense_params",
    _dense,
    wrong="there is a bias for every input instead of every unit",
    shows="Your count is right only where inputs and units are equally many, or without biases.",
    look="And the biases",
)
def dense_bias_per_input(count, inputs, units, use_bias):
    return count(inputs, units, False) + inputs * use_bias


@twist(
    "dense_params",
    _dense,
    wrong="there is one bias for the whole layer instead of one per unit",
    shows="With biases and several units your count is too small by units − 1; all else is right.",
    look="And the biases",
)
def dense_one_bias(count, inputs, units, use_bias):
    return count(inputs, units, False) + use_bias


@misconception(
    "dense_params",
    wrong="inputs and units both get a bias",
    shows="Your count is too large by inputs + 1 with biases, and right without.",
    look="And the biases",
)
def dense_bias_on_both_sides(inputs, units, use_bias=True):
    return (inputs + use_bias) * (units + use_bias)


@misconception(
    "dense_params",
    wrong="inputs and units are added instead of multiplied",
    shows="With several inputs and units your count is mostly far too small: each unit has a weight for every input.",
)
def dense_added(inputs, units, use_bias=True):
    return inputs + units + units * use_bias


@twist(
    "dense_params",
    _dense,
    wrong="every unit is given one weight instead of one for each input",
    shows="Your count does not change with the inputs.",
)
def dense_one_weight_per_unit(count, inputs, units, use_bias):
    return count(1, units, use_bias)


@twist(
    "conv2d_params",
    _conv2d,
    wrong="the biases are missing",
    shows="Your count is too small by the number of filters; without biases it is right.",
    look="And the biases",
)
def conv_no_biases(count, kernel_size, in_channels, filters, use_bias):
    return count(kernel_size, in_channels, filters, False)


@twist(
    "conv2d_params",
    _conv2d,
    wrong="use_bias=False is ignored",
    shows="With biases you are right; with use_bias=False your count is too large by the number of filters.",
    look="And the biases",
)
def conv_always_biases(count, kernel_size, in_channels, filters, use_bias):
    return count(kernel_size, in_channels, filters, True)


@twist(
    "conv2d_params",
    _conv2d,
    wrong="use_bias is turned round",
    shows="Your count lacks the biases where there are some, and has them where there are none.",
    look="And the biases",
)
def conv_turned_bias(count, kernel_size, in_channels, filters, use_bias):
    return count(kernel_size, in_channels, filters, not use_bias)


@twist(
    "conv2d_params",
    _conv2d,
    wrong="the channels that go in are forgotten",
    shows="One channel is right; with more, your count is too small.",
)
def conv_no_channels(count, kernel_size, in_channels, filters, use_bias):
    return count(kernel_size, 1, filters, use_bias)


@twist(
    "conv2d_params",
    _conv2d,
    wrong="the filters are forgotten: the weights of one filter alone are counted",
    shows="One filter is right; with more, your count is too small.",
)
def conv_one_filter(count, kernel_size, in_channels, filters, use_bias):
    return count(kernel_size, in_channels, 1, use_bias)


@twist(
    "conv2d_params",
    _conv2d,
    wrong="there is one bias for the whole layer instead of one per filter",
    shows="With biases and several filters your count is too small by filters − 1; all else is right.",
)
def conv_one_bias(count, kernel_size, in_channels, filters, use_bias):
    return count(kernel_size, in_channels, filters, False) + use_bias


@twist(
    "conv2d_params",
    _conv2d,
    wrong="there is a bias for every channel of every filter instead of one per filter",
    shows="One channel is right, and so are layers without biases; elsewhere there are too many biases in your count.",
)
def conv_bias_per_channel_and_filter(count, kernel_size, in_channels, filters, use_bias):
    return count(kernel_size, in_channels, filters, False) + in_channels * filters * use_bias


@twist(
    "conv2d_params",
    _conv2d,
    wrong="there is a bias for every channel that goes in instead of one per filter",
    shows="Right only where channels and filters are equally many, or without biases.",
)
def conv_bias_per_channel(count, kernel_size, in_channels, filters, use_bias):
    return count(kernel_size, in_channels, filters, False) + in_channels * use_bias


@twist(
    "conv2d_params",
    _conv2d,
    wrong="there is a bias for every cell of the kernel instead of one per filter",
    shows="Right only where a kernel has as many cells as there are filters, or without biases.",
)
def conv_bias_per_cell(count, kernel_size, in_channels, filters, use_bias):
    return count(kernel_size, in_channels, filters, False) + math.prod(pair(kernel_size)) * use_bias


@twist(
    "conv2d_params",
    _conv2d,
    wrong="the kernel's rows are taken for its columns too",
    shows="Square kernels are right; others are counted as squares of their rows.",
)
def conv_rows_twice(count, kernel_size, in_channels, filters, use_bias):
    return count(pair(kernel_size)[0], in_channels, filters, use_bias)


@twist(
    "conv2d_params",
    _conv2d,
    wrong="the kernel's columns are taken for its rows too",
    shows="Square kernels are right; others are counted as squares of their columns.",
)
def conv_columns_twice(count, kernel_size, in_channels, filters, use_bias):
    return count(pair(kernel_size)[1], in_channels, filters, use_bias)


@misconception(
    "conv2d_params",
    wrong="rows and columns of the kernel are added instead of multiplied",
    shows="2 × 2 is right, since 2 + 2 is 4 as well; other kernels have a wrong number of cells.",
)
def conv_added(kernel_size, in_channels, filters, use_bias=True):
    return sum(pair(kernel_size)) * in_channels * filters + filters * use_bias


@twist(
    "conv2d_params",
    _conv2d,
    wrong="a kernel size of 3 is taken as 3 cells instead of 3 x 3",
    shows="Pairs are right; kernel_size=3 counts 3 cells instead of 9.",
)
def conv_int_is_one_axis(count, kernel_size, in_channels, filters, use_bias):
    kernel_size = (kernel_size, 1) if isinstance(kernel_size, int) else kernel_size
    return count(kernel_size, in_channels, filters, use_bias)


@misconception(
    "conv2d_params",
    wrong="channels are added to the cells instead of multiplied with them",
    shows="Your counts are too small where there are several channels: each has weights of its own.",
)
def conv_channels_added(kernel_size, in_channels, filters, use_bias=True):
    return (math.prod(pair(kernel_size)) + in_channels + use_bias) * filters


@twist(
    "conv2d_params",
    _conv2d,
    wrong="a kernel size given as one int is not expected",
    shows="Pairs are right; kernel_size=3 raises an error. One int counts for both axes.",
)
def conv_pairs_alone(count, kernel_size, in_channels, filters, use_bias):
    return count((kernel_size[0], kernel_size[1]), in_channels, filters, use_bias)


@twist(
    "summarize",
    _walk,
    wrong="the biases are missing",
    shows="The shapes are right; every Conv2D and Dense with biases has too few weights.",
    look="And the biases",
)
def summary_no_biases(walk, input_shape, layers, step):
    return walk(input_shape, [{**layer, "use_bias": False} for layer in layers], step)


@twist(
    "summarize",
    _walk,
    wrong="use_bias=False is ignored",
    shows="The shapes are right; layers with use_bias=False have too many weights.",
    look="And the biases",
)
def summary_always_biases(walk, input_shape, layers, step):
    return walk(input_shape, _without(layers, "use_bias"), step)


@twist(
    "summarize",
    _walk,
    wrong="use_bias=False is ignored by Conv2D",
    shows="The shapes and Dense are right; a Conv2D with use_bias=False has too many weights.",
    look="And the biases",
)
def summary_conv_always_biases(walk, input_shape, layers, step):
    return walk(input_shape, _without(layers, "use_bias", ("Conv2D",)), step)


@twist(
    "summarize",
    _walk,
    wrong="use_bias=False is ignored by Dense",
    shows="The shapes and Conv2D are right; a Dense with use_bias=False has too many weights.",
    look="And the biases",
)
def summary_dense_always_biases(walk, input_shape, layers, step):
    return walk(input_shape, _without(layers, "use_bias", ("Dense",)), step)


@twist(
    "summarize",
    _walk,
    wrong="the channels that go into Conv2D are forgotten",
    shows="The shapes are right; a Conv2D on several channels has too few weights.",
    look="Several filters, several channels",
)
def summary_no_channels(walk, input_shape, layers, step):
    def changed(shape, layer):
        new, params = step(shape, layer)
        if layer["layer"] == "Conv2D":
            params = _conv2d(layer["kernel_size"], 1, layer["filters"], layer.get("use_bias", True))
        return new, params

    return walk(input_shape, layers, changed)


@twist(
    "summarize",
    _walk,
    wrong="every Conv2D is counted with the channels of the picture at the start",
    shows="The first Conv2D is right; those after it have the weights for another number of channels.",
    look="Several filters, several channels",
)
def summary_first_channels(walk, input_shape, layers, step):
    def changed(shape, layer):
        new, params = step(shape, layer)
        if layer["layer"] == "Conv2D":
            params = _conv2d(layer["kernel_size"], input_shape[-1], layer["filters"], layer.get("use_bias", True))
        return new, params

    return walk(input_shape, layers, changed)


@twist(
    "summarize",
    _walk,
    wrong="the weights of Conv2D are counted again at every place of the window",
    shows="The shapes are right; Conv2D has too many weights, as if every place had its own.",
    look="Second way: one window for all places",
)
def summary_counts_places(walk, input_shape, layers, step):
    def changed(shape, layer):
        new, params = step(shape, layer)
        return new, params * new[0] * new[1] if layer["layer"] == "Conv2D" else params

    return walk(input_shape, layers, changed)


@twist(
    "summarize",
    _walk,
    wrong="the biases of Conv2D are counted again at every place of the window",
    shows="The shapes are right; a Conv2D with biases has too many weights: a filter's bias is shared by all places.",
    look="And the biases",
)
def summary_bias_per_place(walk, input_shape, layers, step):
    def changed(shape, layer):
        new, params = step(shape, layer)
        if layer["layer"] == "Conv2D" and layer.get("use_bias", True):
            params += layer["filters"] * (new[0] * new[1] - 1)
        return new, params

    return walk(input_shape, layers, changed)


@twist(
    "summarize",
    _walk,
    wrong="Conv2D is counted like Dense, every pixel with every output",
    shows="The shapes are right; Conv2D has far too many weights.",
    look="Second way: one window for all places",
)
def summary_conv_as_dense(walk, input_shape, layers, step):
    def changed(shape, layer):
        new, params = step(shape, layer)
        return new, _dense(math.prod(shape), math.prod(new)) if layer["layer"] == "Conv2D" else params

    return walk(input_shape, layers, changed)


@twist(
    "summarize",
    _walk,
    wrong="MaxPooling2D is given weights, though it only takes the largest number",
    shows="The shapes are right; MaxPooling2D has weights where 0 was expected.",
    look="Layers without weights",
)
def summary_pooling_weights(walk, input_shape, layers, step):
    def changed(shape, layer):
        new, params = step(shape, layer)
        return new, math.prod(pair(layer.get("pool_size", 2))) if layer["layer"] == "MaxPooling2D" else params

    return walk(input_shape, layers, changed)


@twist(
    "summarize",
    _walk,
    wrong="Flatten is given weights, though it only puts numbers in a row",
    shows="The shapes are right; Flatten has weights where 0 was expected.",
    look="Layers without weights",
)
def summary_flatten_weights(walk, input_shape, layers, step):
    def changed(shape, layer):
        new, params = step(shape, layer)
        return new, new[0] if layer["layer"] == "Flatten" else params

    return walk(input_shape, layers, changed)


@twist(
    "summarize",
    _walk,
    wrong="layers without weights are left out of the list",
    shows="Your list is too short: every layer has a line, also with 0 weights.",
    look="Layers without weights",
)
def summary_only_weights(walk, input_shape, layers, step):
    return [(shape, params) for shape, params in walk(input_shape, layers, step) if params]


@twist(
    "summarize",
    _walk,
    wrong="the pooling before Flatten is forgotten when Dense is counted",
    shows="Flatten after MaxPooling2D, and the Dense behind it, are too large.",
    look="Layers without weights",
)
def summary_last_pooling_forgotten(walk, input_shape, layers, step):
    before = []

    def changed(shape, layer):
        if layer["layer"] == "MaxPooling2D":
            before[:] = [shape]
        new, params = step(shape, layer)
        if layer["layer"] == "Flatten" and before:
            new = (math.prod(before[0]),)
        return new, params

    return walk(input_shape, layers, changed)


@twist(
    "summarize",
    _walk,
    wrong="the padding is ignored: every window stays inside",
    shows='"valid" is right; with "same" your shapes are too small.',
)
def summary_always_valid(walk, input_shape, layers, step):
    return walk(input_shape, _without(layers, "padding"), step)


@twist(
    "summarize",
    _walk,
    wrong='the padding of MaxPooling2D is ignored: "same" shrinks like "valid"',
    shows='Conv2D is right; MaxPooling2D with "same" comes out too small where pixels are left over.',
    look="Layers without weights",
)
def summary_pooling_always_valid(walk, input_shape, layers, step):
    return walk(input_shape, _without(layers, "padding", ("MaxPooling2D",)), step)


@twist(
    "summarize",
    _walk,
    wrong='Conv2D pads with "same" when it is not told to; Keras\' default is "valid"',
    shows="What names its padding is right; a Conv2D that names none comes out too large.",
)
def summary_same_by_default(walk, input_shape, layers, step):
    layers = [{"padding": "same", **layer} if layer["layer"] == "Conv2D" else layer for layer in layers]
    return walk(input_shape, layers, step)


@twist(
    "summarize",
    _walk,
    wrong='MaxPooling2D pads with "same" when it is not told to; Keras\' default is "valid"',
    shows='What names its padding is right; a MaxPooling2D that names none is too large wherever "same" would pad.',
    look="Layers without weights",
)
def summary_pooling_same_by_default(walk, input_shape, layers, step):
    layers = [{"padding": "same", **layer} if layer["layer"] == "MaxPooling2D" else layer for layer in layers]
    return walk(input_shape, layers, step)


@twist(
    "summarize",
    _walk,
    wrong='"same" is taken as the input\'s size whatever the strides',
    shows='Layers with "same" keep their size although they step by more than 1.',
)
def summary_same_ignores_strides(walk, input_shape, layers, step):
    def changed(shape, layer):
        new, params = step(shape, layer)
        return (*shape[:2], new[2]) if layer.get("padding") == "same" else new, params

    return walk(input_shape, layers, changed)


@twist(
    "summarize",
    _walk,
    wrong="the strides of Conv2D are forgotten",
    shows="A Conv2D with strides comes out too large, and with it what comes after; all else is right.",
)
def summary_no_strides(walk, input_shape, layers, step):
    return walk(input_shape, _with(layers, "Conv2D", strides=1), step)


@twist(
    "summarize",
    _walk,
    wrong="the strides along the rows are taken for the columns too",
    shows="Equal strides are right; otherwise the number of columns is wrong.",
)
def summary_row_strides_twice(walk, input_shape, layers, step):
    layers = [{**layer, "strides": pair(layer["strides"])[0]} if layer.get("strides") else layer for layer in layers]
    return walk(input_shape, layers, step)


@twist(
    "summarize",
    _walk,
    wrong="MaxPooling2D steps by 1 unless told; Keras steps by the pool size",
    shows="MaxPooling2D without strides comes out far too large.",
    look="Layers without weights",
)
def summary_pooling_steps_by_one(walk, input_shape, layers, step):
    layers = [
        {**layer, "strides": layer.get("strides") or 1} if layer["layer"] == "MaxPooling2D" else layer
        for layer in layers
    ]
    return walk(input_shape, layers, step)


@twist(
    "summarize",
    _walk,
    wrong="MaxPooling2D steps by 2 unless told; Keras steps by the pool size",
    shows="Pools of 2 × 2 are right; without strides, another pool size gives a wrong shape.",
    look="Layers without weights",
)
def summary_pooling_steps_by_two(walk, input_shape, layers, step):
    layers = [
        {**layer, "strides": layer.get("strides") or 2} if layer["layer"] == "MaxPooling2D" else layer
        for layer in layers
    ]
    return walk(input_shape, layers, step)


@twist(
    "summarize",
    _walk,
    wrong="MaxPooling2D always steps by the pool size, even when strides are given",
    shows="MaxPooling2D with strides of its own has a wrong shape; all else is right.",
    look="Layers without weights",
)
def summary_pooling_strides_ignored(walk, input_shape, layers, step):
    return walk(input_shape, _without(layers, "strides", ("MaxPooling2D",)), step)


@twist(
    "summarize",
    _walk,
    wrong="the pool size is taken as 2 x 2 whatever the layer says",
    shows="2 × 2 is right; MaxPooling2D with another pool size has a wrong shape.",
    look="Layers without weights",
)
def summary_pool_size_ignored(walk, input_shape, layers, step):
    return walk(input_shape, _with(layers, "MaxPooling2D", pool_size=(2, 2)), step)


@twist(
    "summarize",
    _walk,
    wrong='MaxPooling2D counts a last window that hangs over the edge; "valid" drops it',
    shows="MaxPooling2D is too large by 1 where pixels are left over.",
    look="Layers without weights",
)
def summary_pooling_rounded_up(walk, input_shape, layers, step):
    def changed(shape, layer):
        if layer["layer"] != "MaxPooling2D" or layer.get("padding") == "same":
            return step(shape, layer)
        window = pair(layer.get("pool_size", 2))
        strides = pair(layer.get("strides") or window)
        return (*(math.ceil((shape[axis] - window[axis]) / strides[axis]) + 1 for axis in (0, 1)), shape[2]), 0

    return walk(input_shape, layers, changed)


@twist(
    "summarize",
    _walk,
    wrong='the "+ 1" is missing in the number of places of a window',
    shows='With "valid", each Conv2D and MaxPooling2D loses a row and a column too many, and in a network that adds up.',
    look="Layers without weights",
)
def summary_one_too_few(walk, input_shape, layers, step):
    def changed(shape, layer):
        new, params = step(shape, layer)
        if layer["layer"] not in ("Conv2D", "MaxPooling2D") or layer.get("padding") == "same":
            return new, params
        return (new[0] - 1, new[1] - 1, new[2]), params

    return walk(input_shape, layers, changed)


@twist(
    "summarize",
    _walk,
    wrong="MaxPooling2D shrinks the channels as well",
    shows="After a MaxPooling2D of several rows there are too few channels; each is pooled for itself.",
    look="Layers without weights",
)
def summary_pools_channels(walk, input_shape, layers, step):
    def changed(shape, layer):
        new, params = step(shape, layer)
        if layer["layer"] == "MaxPooling2D":
            new = (*new[:2], max(new[2] // pair(layer.get("pool_size", 2))[0], 1))
        return new, params

    return walk(input_shape, layers, changed)


@twist(
    "summarize",
    _walk,
    wrong="the channels of the input are kept after Conv2D instead of the filters",
    shows="After Conv2D the last number is the channels that went in; it should be the filters.",
    look="Several filters, several channels",
)
def summary_channels_stay(walk, input_shape, layers, step):
    def changed(shape, layer):
        new, params = step(shape, layer)
        return (*new[:2], shape[2]) if layer["layer"] == "Conv2D" else new, params

    return walk(input_shape, layers, changed)


@twist(
    "summarize",
    _walk,
    wrong="after Conv2D there are filters × channels pictures instead of one for each filter",
    shows="After Conv2D on several channels you have too many: each filter makes one picture of all of them.",
    look="Several filters, several channels",
)
def summary_filters_times_channels(walk, input_shape, layers, step):
    def changed(shape, layer):
        new, params = step(shape, layer)
        return (*new[:2], shape[2] * layer["filters"]) if layer["layer"] == "Conv2D" else new, params

    return walk(input_shape, layers, changed)


@twist(
    "summarize",
    _walk,
    wrong="the channels come first in the shapes; Keras puts them last",
    shows="The numbers are right, but (channels, rows, columns) where (rows, columns, channels) was expected.",
)
def summary_channels_first(walk, input_shape, layers, step):
    return [((shape[2], *shape[:2]) if len(shape) == 3 else shape, n) for shape, n in walk(input_shape, layers, step)]


@twist(
    "summarize",
    _walk,
    wrong="rows and columns are swapped",
    shows="The first shape is turned unless it is square; later layers count on with the turned one.",
)
def summary_axes_swapped(walk, input_shape, layers, step):
    def changed(shape, layer):
        new, params = step(shape, layer)
        return (new[1], new[0], new[2]) if len(new) == 3 else new, params

    return walk(input_shape, layers, changed)


@twist(
    "summarize",
    _walk,
    wrong="Flatten forgets the channels",
    shows="Flatten is too small: it is rows × columns × channels.",
    look="Layers without weights",
)
def summary_flatten_without_channels(walk, input_shape, layers, step):
    def changed(shape, layer):
        new, params = step(shape, layer)
        return ((shape[0] * shape[1],) if layer["layer"] == "Flatten" else new), params

    return walk(input_shape, layers, changed)


@twist(
    "summarize",
    _walk,
    wrong="flat shapes are a plain number; a shape is a tuple, (8,) with a comma",
    shows="Flatten and Dense give 8 where (8,) was expected.",
)
def summary_flat_as_int(walk, input_shape, layers, step):
    return [(shape[0] if len(shape) == 1 else shape, params) for shape, params in walk(input_shape, layers, step)]


@twist(
    "summarize",
    _walk,
    wrong="the batch is in the shapes as well",
    shows="Every shape has a None in front; the batch is left out here.",
)
def summary_with_batch(walk, input_shape, layers, step):
    return [((None, *shape), params) for shape, params in walk(input_shape, layers, step)]


@twist(
    "summarize",
    _walk,
    wrong="the shape that goes into a layer is given instead of the one that comes out",
    shows="The weights are right; every shape is the one of the line before.",
)
def summary_input_shapes(walk, input_shape, layers, step):
    found = walk(input_shape, layers, step)
    return [
        (shape, params)
        for shape, (_, params) in zip([tuple(input_shape), *(s for s, _ in found[:-1])], found, strict=True)
    ]


@twist(
    "summarize",
    _walk,
    wrong="the input is listed as a layer of its own",
    shows="Your list has a first line too many, with 0 weights.",
)
def summary_lists_input(walk, input_shape, layers, step):
    return [(tuple(input_shape), 0), *walk(input_shape, layers, step)]


@twist(
    "summarize",
    _walk,
    wrong="shape and weights are in the wrong order",
    shows="Each pair is (weights, shape) where (shape, weights) was expected.",
)
def summary_turned_pairs(walk, input_shape, layers, step):
    return [(params, shape) for shape, params in walk(input_shape, layers, step)]


@twist(
    "summarize",
    _walk,
    wrong="the weights alone are returned, without the shapes",
    shows="Your list holds plain numbers; each entry is a pair (shape, weights).",
)
def summary_weights_alone(walk, input_shape, layers, step):
    return [params for _, params in walk(input_shape, layers, step)]


@twist(
    "summarize",
    _walk,
    wrong="the shapes alone are returned, without the weights",
    shows="Your list holds plain shapes; each entry is a pair (shape, weights).",
)
def summary_shapes_alone(walk, input_shape, layers, step):
    return [shape for shape, _ in walk(input_shape, layers, step)]


@twist(
    "summarize",
    _walk,
    wrong="all weights together are added as a last entry",
    shows="Your list has one entry too many at its end, the sum of all weights; the others are right.",
)
def summary_with_total(walk, input_shape, layers, step):
    found = walk(input_shape, layers, step)
    return [*found, sum(params for _, params in found)]


@twist(
    "summarize",
    _walk,
    wrong="the current shape is not passed on: every layer starts from the first picture",
    shows="The first layer is right; the others are counted as if they stood first.",
)
def summary_not_passed_on(walk, input_shape, layers, step):
    return [line for layer in layers for line in walk(input_shape, [layer], step)]


@twist(
    "summarize",
    _walk,
    wrong="the weights are added up from layer to layer instead of given for each",
    shows="The first line is right; each later one holds the weights of those before it as well.",
)
def summary_running_total(walk, input_shape, layers, step):
    found = walk(input_shape, layers, step)
    return [(shape, sum(params for _, params in found[: place + 1])) for place, (shape, _) in enumerate(found)]


@twist(
    "summarize",
    _walk,
    wrong="the layers that were given are changed in place",
    shows="The list is right, but the dicts that were given are changed afterwards; read with get or [], which leave them alone.",
)
def summary_pops(walk, input_shape, layers, step):
    found = walk(input_shape, layers, step)
    for layer in layers:
        layer.pop("layer")
    return found


@misconception(
    "summarize",
    wrong="strides=None is not expected; it means the pool size",
    shows="A MaxPooling2D with strides=None raises an error.",
    look="Layers without weights",
)
def summary_none_unexpected(input_shape, layers):
    def step(shape, layer):
        if layer["layer"] == "MaxPooling2D" and layer.get("strides", 0) is None:
            raise TypeError("'NoneType' object is not iterable")
        return _step(shape, layer)

    return _walk(input_shape, layers, step)


@misconception(
    "summarize",
    wrong="a size or strides given as one int are not expected",
    shows="Pairs are right; a layer with kernel_size=3, say, raises an error. One int counts for both axes.",
)
def summary_pairs_alone(input_shape, layers):
    def step(shape, layer):
        for argument in ("kernel_size", "pool_size", "strides"):
            tuple(layer.get(argument) or ())
        return _step(shape, layer)

    return _walk(input_shape, layers, step)
