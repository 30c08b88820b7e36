"""Wrong ways to count weights."""

import math

from autograde_tests.misconceptions import misconception


def _pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def _dense(inputs, units, use_bias=True):
    return inputs * units + units * use_bias


def _conv2d(kernel_size, in_channels, filters, use_bias=True):
    return math.prod(_pair(kernel_size)) * in_channels * filters + filters * use_bias


def _places(size, window, stride, padding):
    return -(-size // stride) if padding == "same" else (size - window) // stride + 1


def _windows(shape, window, strides, padding):
    window, strides = _pair(window), _pair(strides)
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


def _walk(shape, layers, step):
    """What `step(shape, layer)` makes of every layer in turn."""
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


@misconception("dense_params", "the biases are missing")
def dense_no_biases(inputs, units, use_bias=True):
    return inputs * units


@misconception("dense_params", "there is a bias for every input instead of every unit")
def dense_bias_per_input(inputs, units, use_bias=True):
    return inputs * units + inputs * use_bias


@misconception("dense_params", "there is one bias for the whole layer instead of one per unit")
def dense_one_bias(inputs, units, use_bias=True):
    return inputs * units + use_bias


@misconception("dense_params", "use_bias=False is ignored")
def dense_always_biases(inputs, units, use_bias=True):
    return inputs * units + units


@misconception("dense_params", "use_bias is turned round")
def dense_turned_bias(inputs, units, use_bias=True):
    return inputs * units + units * (not use_bias)


@misconception("dense_params", "inputs and units both get a bias")
def dense_bias_on_both_sides(inputs, units, use_bias=True):
    return (inputs + use_bias) * (units + use_bias)


@misconception("dense_params", "inputs and units are added instead of multiplied")
def dense_added(inputs, units, use_bias=True):
    return inputs + units + units * use_bias


@misconception("dense_params", "every unit is given one weight alone instead of one for each input")
def dense_one_weight_per_unit(inputs, units, use_bias=True):
    return units + units * use_bias


@misconception("conv2d_params", "the biases are missing")
def conv_no_biases(kernel_size, in_channels, filters, use_bias=True):
    return _conv2d(kernel_size, in_channels, filters, False)


@misconception("conv2d_params", "use_bias=False is ignored")
def conv_always_biases(kernel_size, in_channels, filters, use_bias=True):
    return _conv2d(kernel_size, in_channels, filters)


@misconception("conv2d_params", "use_bias is turned round")
def conv_turned_bias(kernel_size, in_channels, filters, use_bias=True):
    return _conv2d(kernel_size, in_channels, filters, not use_bias)


@misconception("conv2d_params", "the channels that go in are forgotten")
def conv_no_channels(kernel_size, in_channels, filters, use_bias=True):
    return _conv2d(kernel_size, 1, filters, use_bias)


@misconception("conv2d_params", "the filters are forgotten: the weights of one filter alone are counted")
def conv_one_filter(kernel_size, in_channels, filters, use_bias=True):
    return _conv2d(kernel_size, in_channels, 1, use_bias)


@misconception("conv2d_params", "there is one bias for the whole layer instead of one per filter")
def conv_one_bias(kernel_size, in_channels, filters, use_bias=True):
    return _conv2d(kernel_size, in_channels, filters, False) + use_bias


@misconception("conv2d_params", "there is a bias for every channel of every filter instead of one per filter")
def conv_bias_per_channel_and_filter(kernel_size, in_channels, filters, use_bias=True):
    return (math.prod(_pair(kernel_size)) + use_bias) * in_channels * filters


@misconception("conv2d_params", "there is a bias for every channel that goes in instead of one per filter")
def conv_bias_per_channel(kernel_size, in_channels, filters, use_bias=True):
    return _conv2d(kernel_size, in_channels, filters, False) + in_channels * use_bias


@misconception("conv2d_params", "there is a bias for every cell of the kernel instead of one per filter")
def conv_bias_per_cell(kernel_size, in_channels, filters, use_bias=True):
    return _conv2d(kernel_size, in_channels, filters, False) + math.prod(_pair(kernel_size)) * use_bias


@misconception("conv2d_params", "the kernel's rows are taken for its columns too")
def conv_rows_twice(kernel_size, in_channels, filters, use_bias=True):
    return _conv2d(_pair(kernel_size)[0], in_channels, filters, use_bias)


@misconception("conv2d_params", "the kernel's columns are taken for its rows too")
def conv_columns_twice(kernel_size, in_channels, filters, use_bias=True):
    return _conv2d(_pair(kernel_size)[1], in_channels, filters, use_bias)


@misconception("conv2d_params", "rows and columns of the kernel are added instead of multiplied")
def conv_added(kernel_size, in_channels, filters, use_bias=True):
    return sum(_pair(kernel_size)) * in_channels * filters + filters * use_bias


@misconception("conv2d_params", "a kernel size of 3 is taken as 3 cells instead of 3 x 3")
def conv_int_is_one_axis(kernel_size, in_channels, filters, use_bias=True):
    return _conv2d((kernel_size, 1) if isinstance(kernel_size, int) else kernel_size, in_channels, filters, use_bias)


@misconception("conv2d_params", "channels are added to the cells instead of multiplied with them")
def conv_channels_added(kernel_size, in_channels, filters, use_bias=True):
    return (math.prod(_pair(kernel_size)) + in_channels + use_bias) * filters


@misconception("conv2d_params", "a kernel size as one int is not expected")
def conv_pairs_alone(kernel_size, in_channels, filters, use_bias=True):
    return _conv2d((kernel_size[0], kernel_size[1]), in_channels, filters, use_bias)


@misconception("summarize", "the biases are missing")
def summary_no_biases(input_shape, layers):
    return _walk(input_shape, [{**layer, "use_bias": False} for layer in layers], _step)


@misconception("summarize", "use_bias=False is ignored")
def summary_always_biases(input_shape, layers):
    return _walk(input_shape, _without(layers, "use_bias"), _step)


@misconception("summarize", "use_bias=False is ignored by Conv2D")
def summary_conv_always_biases(input_shape, layers):
    return _walk(input_shape, _without(layers, "use_bias", ("Conv2D",)), _step)


@misconception("summarize", "use_bias=False is ignored by Dense")
def summary_dense_always_biases(input_shape, layers):
    return _walk(input_shape, _without(layers, "use_bias", ("Dense",)), _step)


@misconception("summarize", "the channels that go into Conv2D are forgotten")
def summary_no_channels(input_shape, layers):
    def step(shape, layer):
        new, params = _step(shape, layer)
        if layer["layer"] == "Conv2D":
            params = _conv2d(layer["kernel_size"], 1, layer["filters"], layer.get("use_bias", True))
        return new, params

    return _walk(input_shape, layers, step)


@misconception("summarize", "every Conv2D is counted with the channels of the first picture")
def summary_first_channels(input_shape, layers):
    def step(shape, layer):
        new, params = _step(shape, layer)
        if layer["layer"] == "Conv2D":
            params = _conv2d(layer["kernel_size"], input_shape[-1], layer["filters"], layer.get("use_bias", True))
        return new, params

    return _walk(input_shape, layers, step)


@misconception("summarize", "the weights of Conv2D are counted again at every place of the window")
def summary_counts_places(input_shape, layers):
    def step(shape, layer):
        new, params = _step(shape, layer)
        return new, params * new[0] * new[1] if layer["layer"] == "Conv2D" else params

    return _walk(input_shape, layers, step)


@misconception("summarize", "the biases of Conv2D are counted again at every place of the window")
def summary_bias_per_place(input_shape, layers):
    def step(shape, layer):
        new, params = _step(shape, layer)
        if layer["layer"] == "Conv2D" and layer.get("use_bias", True):
            params += layer["filters"] * (new[0] * new[1] - 1)
        return new, params

    return _walk(input_shape, layers, step)


@misconception("summarize", "Conv2D is counted like Dense, every pixel with every output")
def summary_conv_as_dense(input_shape, layers):
    def step(shape, layer):
        new, params = _step(shape, layer)
        return new, _dense(math.prod(shape), math.prod(new)) if layer["layer"] == "Conv2D" else params

    return _walk(input_shape, layers, step)


@misconception("summarize", "MaxPooling2D is given weights, though it only takes the largest number")
def summary_pooling_weights(input_shape, layers):
    def step(shape, layer):
        new, params = _step(shape, layer)
        return new, math.prod(_pair(layer.get("pool_size", 2))) if layer["layer"] == "MaxPooling2D" else params

    return _walk(input_shape, layers, step)


@misconception("summarize", "Flatten is given weights, though it only puts numbers in a row")
def summary_flatten_weights(input_shape, layers):
    def step(shape, layer):
        new, params = _step(shape, layer)
        return new, new[0] if layer["layer"] == "Flatten" else params

    return _walk(input_shape, layers, step)


@misconception("summarize", "layers without weights are left out of the list")
def summary_only_weights(input_shape, layers):
    return [(shape, params) for shape, params in _walk(input_shape, layers, _step) if params]


@misconception("summarize", "the pooling before Flatten is forgotten when Dense is counted")
def summary_last_pooling_forgotten(input_shape, layers):
    before = []

    def step(shape, layer):
        if layer["layer"] == "MaxPooling2D":
            before[:] = [shape]
        new, params = _step(shape, layer)
        if layer["layer"] == "Flatten" and before:
            new = (math.prod(before[0]),)
        return new, params

    return _walk(input_shape, layers, step)


@misconception("summarize", "the padding is ignored: every window stays inside")
def summary_always_valid(input_shape, layers):
    return _walk(input_shape, _without(layers, "padding"), _step)


@misconception("summarize", 'the padding of MaxPooling2D is ignored: "same" shrinks like "valid"')
def summary_pooling_always_valid(input_shape, layers):
    return _walk(input_shape, _without(layers, "padding", ("MaxPooling2D",)), _step)


@misconception("summarize", 'Conv2D pads with "same" when it is not told to; Keras\' default is "valid"')
def summary_same_by_default(input_shape, layers):
    layers = [{"padding": "same", **layer} if layer["layer"] == "Conv2D" else layer for layer in layers]
    return _walk(input_shape, layers, _step)


@misconception("summarize", 'MaxPooling2D pads with "same" when it is not told to; Keras\' default is "valid"')
def summary_pooling_same_by_default(input_shape, layers):
    layers = [{"padding": "same", **layer} if layer["layer"] == "MaxPooling2D" else layer for layer in layers]
    return _walk(input_shape, layers, _step)


@misconception("summarize", '"same" is taken as the input\'s size whatever the strides')
def summary_same_ignores_strides(input_shape, layers):
    def step(shape, layer):
        new, params = _step(shape, layer)
        return (*shape[:2], new[2]) if layer.get("padding") == "same" else new, params

    return _walk(input_shape, layers, step)


@misconception("summarize", "the strides of Conv2D are forgotten")
def summary_no_strides(input_shape, layers):
    return _walk(input_shape, _with(layers, "Conv2D", strides=1), _step)


@misconception("summarize", "the strides along the rows are taken for the columns too")
def summary_row_strides_twice(input_shape, layers):
    layers = [{**layer, "strides": _pair(layer["strides"])[0]} if layer.get("strides") else layer for layer in layers]
    return _walk(input_shape, layers, _step)


@misconception("summarize", "MaxPooling2D steps by 1 unless told; Keras steps by the pool size")
def summary_pooling_steps_by_one(input_shape, layers):
    layers = [
        {**layer, "strides": layer.get("strides") or 1} if layer["layer"] == "MaxPooling2D" else layer
        for layer in layers
    ]
    return _walk(input_shape, layers, _step)


@misconception("summarize", "MaxPooling2D steps by 2 unless told; Keras steps by the pool size")
def summary_pooling_steps_by_two(input_shape, layers):
    layers = [
        {**layer, "strides": layer.get("strides") or 2} if layer["layer"] == "MaxPooling2D" else layer
        for layer in layers
    ]
    return _walk(input_shape, layers, _step)


@misconception("summarize", "MaxPooling2D always steps by the pool size, even when strides are given")
def summary_pooling_strides_ignored(input_shape, layers):
    return _walk(input_shape, _without(layers, "strides", ("MaxPooling2D",)), _step)


@misconception("summarize", "the pool size is taken as 2 x 2 whatever the layer says")
def summary_pool_size_ignored(input_shape, layers):
    return _walk(input_shape, _with(layers, "MaxPooling2D", pool_size=(2, 2)), _step)


@misconception("summarize", 'MaxPooling2D counts a last window that hangs over the edge; "valid" drops it')
def summary_pooling_rounded_up(input_shape, layers):
    def step(shape, layer):
        if layer["layer"] != "MaxPooling2D" or layer.get("padding") == "same":
            return _step(shape, layer)
        window = _pair(layer.get("pool_size", 2))
        strides = _pair(layer.get("strides") or window)
        return (*(math.ceil((shape[axis] - window[axis]) / strides[axis]) + 1 for axis in (0, 1)), shape[2]), 0

    return _walk(input_shape, layers, step)


@misconception("summarize", "MaxPooling2D shrinks the channels as well")
def summary_pools_channels(input_shape, layers):
    def step(shape, layer):
        new, params = _step(shape, layer)
        if layer["layer"] == "MaxPooling2D":
            new = (*new[:2], max(new[2] // _pair(layer.get("pool_size", 2))[0], 1))
        return new, params

    return _walk(input_shape, layers, step)


@misconception("summarize", "the channels of the input are kept after Conv2D instead of the filters")
def summary_channels_stay(input_shape, layers):
    def step(shape, layer):
        new, params = _step(shape, layer)
        return (*new[:2], shape[2]) if layer["layer"] == "Conv2D" else new, params

    return _walk(input_shape, layers, step)


@misconception("summarize", "the filters are multiplied with the channels instead of summed over them")
def summary_filters_times_channels(input_shape, layers):
    def step(shape, layer):
        new, params = _step(shape, layer)
        return (*new[:2], shape[2] * layer["filters"]) if layer["layer"] == "Conv2D" else new, params

    return _walk(input_shape, layers, step)


@misconception("summarize", "the channels come first in the shapes; Keras puts them last")
def summary_channels_first(input_shape, layers):
    return [((shape[2], *shape[:2]) if len(shape) == 3 else shape, n) for shape, n in _walk(input_shape, layers, _step)]


@misconception("summarize", "rows and columns are swapped")
def summary_axes_swapped(input_shape, layers):
    def step(shape, layer):
        new, params = _step(shape, layer)
        return (new[1], new[0], new[2]) if len(new) == 3 else new, params

    return _walk(input_shape, layers, step)


@misconception("summarize", "Flatten forgets the channels")
def summary_flatten_without_channels(input_shape, layers):
    def step(shape, layer):
        return (shape[0] * shape[1], 0) if layer["layer"] == "Flatten" else _step(shape, layer)

    return _walk(input_shape, layers, lambda *given: _tuple_first(step(*given)))


def _tuple_first(found):
    return (found[0] if isinstance(found[0], tuple) else (found[0],)), found[1]


@misconception("summarize", "flat shapes are a plain number; a shape is a tuple, (8,) with a comma")
def summary_flat_as_int(input_shape, layers):
    return [(shape[0] if len(shape) == 1 else shape, params) for shape, params in _walk(input_shape, layers, _step)]


@misconception("summarize", "the batch is in the shapes as well")
def summary_with_batch(input_shape, layers):
    return [((None, *shape), params) for shape, params in _walk(input_shape, layers, _step)]


@misconception("summarize", "the shape that goes into a layer is given instead of the one that comes out")
def summary_input_shapes(input_shape, layers):
    found = _walk(input_shape, layers, _step)
    return [
        (shape, params)
        for shape, (_, params) in zip([tuple(input_shape), *(s for s, _ in found[:-1])], found, strict=True)
    ]


@misconception("summarize", "the input is listed as a layer of its own")
def summary_lists_input(input_shape, layers):
    return [(tuple(input_shape), 0), *_walk(input_shape, layers, _step)]


@misconception("summarize", "shape and weights are in the wrong order")
def summary_turned_pairs(input_shape, layers):
    return [(params, shape) for shape, params in _walk(input_shape, layers, _step)]


@misconception("summarize", "the current shape is not passed on: every layer starts from the first picture")
def summary_not_passed_on(input_shape, layers):
    return [_step(tuple(input_shape), layer) for layer in layers]


@misconception("summarize", "the weights are added up from layer to layer instead of given for each")
def summary_running_total(input_shape, layers):
    found = _walk(input_shape, layers, _step)
    return [(shape, sum(params for _, params in found[: place + 1])) for place, (shape, _) in enumerate(found)]


@misconception("summarize", "the layers that were given are changed in place")
def summary_pops(input_shape, layers):
    found = _walk(input_shape, layers, _step)
    for layer in layers:
        layer.pop("layer")
    return found


@misconception("summarize", "strides=None is not expected")
def summary_none_unexpected(input_shape, layers):
    def step(shape, layer):
        if layer["layer"] == "MaxPooling2D" and layer.get("strides", 0) is None:
            raise TypeError("'NoneType' object is not iterable")
        return _step(shape, layer)

    return _walk(input_shape, layers, step)
