"""Eli has written two functions of the first assignment, one of the second, and run out of time."""


def output_size(size, kernel_size, strides=1, padding="valid"):
    if padding == "same":
        return -(-size // strides)
    return (size - kernel_size) // strides + 1


def padding_amounts(size, kernel_size, strides=1):
    total = max((output_size(size, kernel_size, strides, "same") - 1) * strides + kernel_size - size, 0)
    return total // 2, total - total // 2


def weighted_sum(patch, kernel):
    return (np.asarray(patch) * np.asarray(kernel)).sum()
