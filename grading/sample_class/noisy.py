"""Ivy is right, and her functions print, warn and write to stderr, which must not cost her anything."""

import sys
import warnings


def output_size(size, kernel_size, strides=1, padding="valid"):
    print("output_size", size, kernel_size, strides, padding)
    print("on stderr too", file=sys.stderr)
    return -(-size // strides) if padding == "same" else (size - kernel_size) // strides + 1


def padding_amounts(size, kernel_size, strides=1):
    warnings.warn("zeros ahead", UserWarning, stacklevel=1)
    # NumPy warns of the division, too.
    np.array([1.0]) / np.array([0.0])
    total = max((output_size(size, kernel_size, strides, "same") - 1) * strides + kernel_size - size, 0)
    return total // 2, total - total // 2


def pad2d(images, kernel_size, strides=(1, 1), padding="same"):
    if padding == "valid":
        return images
    pairs = zip(images.shape[1:3], np.broadcast_to(kernel_size, 2), np.broadcast_to(strides, 2), strict=True)
    return np.pad(images, ((0, 0), *(padding_amounts(*map(int, pair)) for pair in pairs), (0, 0)))
