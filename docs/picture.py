"""Makes docs/picture.svg, the picture of the README, from arrays: `python docs/picture.py`."""

from pathlib import Path

import numpy as np

from convblocks import draw, grid
from convblocks.figures import Figure


def picture() -> Figure:
    """One step of a convolution: a padded image, a kernel, and the output with the cell they make."""
    image = np.array([[0, 1, 1, 0], [0, 1, 2, 0], [0, 0, 1, 3], [2, 0, 1, 0]])
    kernel = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
    padded = np.pad(image, 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape)
    output = np.einsum("rcij,ij->rc", windows, kernel)
    return draw(
        grid(padded, "input", 'input, padding="same"', windows=(1, 1, 3, 3), padding=((1, 1), (1, 1))),
        "∗",
        grid(kernel, "kernel"),
        "=",
        grid(output, "output", windows=(1, 1, 1, 1)),
    )


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(picture().svg + "\n")
