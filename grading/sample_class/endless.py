"""Hal waits for a row to be used up, in steps of nothing."""


def output_size(size, kernel_size, strides=1, padding="valid"):
    places = 0
    while kernel_size <= size:
        places += 1
    return places


def padding_amounts(size, kernel_size, strides=1):
    total = max((-(-size // strides) - 1) * strides + kernel_size - size, 0)
    return total // 2, total - total // 2
