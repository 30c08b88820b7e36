"""Right ways to count weights."""

import math

import numpy as np

from autograde_tests.right_answers import right_answer


@right_answer("dense_params")
def one_more_input(inputs, units, use_bias=True):
    return (inputs + use_bias) * units


@right_answer("dense_params")
def line_by_line(inputs, units, use_bias=True):
    count = 0
    for _ in range(units):
        for _ in range(inputs):
            count += 1
        if use_bias:
            count += 1
    return count


@right_answer("dense_params")
def from_arrays(inputs, units, use_bias=True):
    return np.zeros((inputs, units)).size + (np.zeros(units).size if use_bias else 0)


@right_answer("dense_params")
def numpy_product(inputs, units, use_bias=True):
    return np.prod([inputs, units]) + np.where(use_bias, units, 0)


@right_answer("conv2d_params")
def filter_by_filter(kernel_size, in_channels, filters, use_bias=True):
    if isinstance(kernel_size, int):
        kernel_size = (kernel_size,) * 2
    per_filter = kernel_size[0] * kernel_size[1] * in_channels
    return sum(per_filter + int(use_bias) for _ in range(filters))


@right_answer("conv2d_params")
def dense_on_a_patch(kernel_size, in_channels, filters, use_bias=True):
    rows, columns = np.broadcast_to(kernel_size, 2)
    return one_more_input(inputs=rows * columns * in_channels, units=filters, use_bias=use_bias)


@right_answer("conv2d_params")
def size_of_the_kernel(kernel_size, in_channels, filters, use_bias=True):
    try:
        rows, columns = kernel_size
    except TypeError:
        rows = columns = kernel_size
    return np.empty((rows, columns, in_channels, filters), dtype=np.float32).size + filters * use_bias


@right_answer("conv2d_params")
def noisy_product(kernel_size, in_channels, filters, use_bias=True):
    print("counting", kernel_size)
    cells = math.prod((kernel_size, kernel_size) if type(kernel_size) is int else kernel_size)
    return np.int32(cells * in_channels * filters + (filters if use_bias else 0))


def _places(size, window, step, padding):
    return len(range(0, size if padding == "same" else size - window + 1, step))


@right_answer("summarize")
def with_a_function_per_kind(input_shape, layers):
    def conv2d(shape, filters, kernel_size, strides=(1, 1), padding="valid", use_bias=True, activation=None):
        window, step = np.broadcast_to(kernel_size, 2), np.broadcast_to(strides, 2)
        new = (_places(shape[0], window[0], step[0], padding), _places(shape[1], window[1], step[1], padding), filters)
        return new, filter_by_filter(kernel_size, shape[-1], filters, use_bias)

    def pooling(shape, pool_size=(2, 2), strides=None, padding="valid"):
        window, step = np.broadcast_to(pool_size, 2), np.broadcast_to(pool_size if strides is None else strides, 2)
        return (*(_places(shape[axis], window[axis], step[axis], padding) for axis in (0, 1)), shape[2]), 0

    def flatten(shape):
        return (math.prod(shape),), 0

    def dense(shape, units, use_bias=True, activation=None):
        return (*shape[:-1], units), one_more_input(shape[-1], units, use_bias)

    kinds = {"Conv2D": conv2d, "MaxPooling2D": pooling, "Flatten": flatten, "Dense": dense}
    summary = []
    for layer in layers:
        arguments = dict(layer)
        input_shape, params = kinds[arguments.pop("layer")](input_shape, **arguments)
        summary.append((input_shape, params))
    return summary


@right_answer("summarize")
def with_lists_and_numpy_numbers(input_shape, layers):
    shape, summary = np.array(input_shape), []
    for layer in layers:
        params = 0
        if layer["layer"] == "Dense":
            params = np.int64((shape[0] + layer.get("use_bias", True)) * layer["units"])
            shape = np.array([layer["units"]])
        elif layer["layer"] == "Flatten":
            shape = np.array([np.prod(shape)])
        else:
            window = np.array(layer.get("kernel_size", layer.get("pool_size", 2)))
            step = layer.get("strides")
            if step is None:
                step = 1 if layer["layer"] == "Conv2D" else window
            if layer.get("padding") == "same":
                places = np.ceil(shape[:2] / step).astype(int)
            else:
                places = (shape[:2] - window) // step + 1
            channels = shape[2]
            if layer["layer"] == "Conv2D":
                channels = layer["filters"]
                params = size_of_the_kernel(layer["kernel_size"], shape[2], channels, layer.get("use_bias", True))
            shape = np.append(places, channels)
        summary.append([shape.tolist(), params])
    return summary


@right_answer("summarize")
def one_layer_then_the_rest(input_shape, layers):
    if not layers:
        return []
    first, *rest = layers
    found = with_a_function_per_kind(input_shape, [first])
    return found + one_layer_then_the_rest(found[0][0], rest)


@right_answer("summarize")
def defaults_first(input_shape, layers):
    defaults = {
        "Conv2D": {"strides": 1, "padding": "valid", "use_bias": True},
        "MaxPooling2D": {"pool_size": 2, "strides": None, "padding": "valid"},
        "Flatten": {},
        "Dense": {"use_bias": True},
    }
    shapes, counts = [tuple(input_shape)], []
    for layer in layers:
        full = {**defaults[layer["layer"]], **layer}
        shape, count = shapes[-1], 0
        if "filters" in full:
            count = dense_on_a_patch(full["kernel_size"], shape[-1], full["filters"], full["use_bias"])
        elif "units" in full:
            count = line_by_line(shape[-1], full["units"], full["use_bias"])
        if "units" in full:
            shapes.append((full["units"],))
        elif full["layer"] == "Flatten":
            shapes.append((shape[0] * shape[1] * shape[2],))
        else:
            window = full.get("kernel_size") or full["pool_size"]
            height, width = window if isinstance(window, (tuple, list)) else (window, window)
            step = full["strides"] or window
            down, right = step if isinstance(step, (tuple, list)) else (step, step)
            rows = _places(shape[0], height, down, full["padding"])
            columns = _places(shape[1], width, right, full["padding"])
            shapes.append((rows, columns, full.get("filters", shape[2])))
        counts.append(count)
    return list(zip(shapes[1:], counts, strict=True))


@right_answer("dense_params")
def unit_by_unit(inputs, units, use_bias=True):
    return 0 if units == 0 else inputs + use_bias + unit_by_unit(inputs, units - 1, use_bias=use_bias)


@right_answer("conv2d_params")
def as_outer_product(kernel_size, in_channels, filters, use_bias=True):
    rows, columns = np.ones(2, dtype=int) * kernel_size
    return (np.arange(rows * columns * in_channels * filters).size + np.multiply(filters, use_bias)).item()
