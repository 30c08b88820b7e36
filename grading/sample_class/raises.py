"""Gus' first two functions are right, and his third divides by zero."""


def output_size(size, kernel_size, strides=1, padding="valid"):
    return -(-size // strides) if padding == "same" else (size - kernel_size) // strides + 1


def padding_amounts(size, kernel_size, strides=1):
    total = max((output_size(size, kernel_size, strides, "same") - 1) * strides + kernel_size - size, 0)
    return total // 2, total - total // 2


def pad2d(images, kernel_size, strides=(1, 1), padding="same"):
    return images * (1 // (len(padding) - len(padding)))
