"""Makes the gallery, docs/gallery.md and docs/gallery/, from the code that it shows: `python docs/gallery.py`."""

from pathlib import Path

import numpy as np

from convblocks import connections, draw, grid, line_chart, network
from convblocks.figures import Figure

ARRAYS = """
image = np.array([[0, 1, 1, 0], [0, 1, 2, 0], [0, 0, 1, 3], [2, 0, 1, 0]])
kernel = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
padded = np.pad(image, 1)
output = np.einsum("rcij,ij->rc", np.lib.stride_tricks.sliding_window_view(padded, kernel.shape), kernel)
batch = np.arange(16).reshape(2, 2, 2, 2)
deep = np.array([[[1, 0], [0, 1]], [[0, 2], [-1, 0]]])
pooled = image.reshape(2, 2, 2, 2).max(axis=(1, 3))
"""

FIGURES = {
    "image": ("An image, every pixel a number", 'draw(grid(image, "input", "image"))'),
    "kernel": ("A kernel: rounded and yellow, where inputs are green", 'draw(grid(kernel, "kernel"))'),
    "convolution": (
        "A window on a padded input, and the cell of the output that it makes",
        """draw(
    grid(padded, "input", 'input, padding="same"', windows=(1, 1, 3, 3), padding=((1, 1), (1, 1))),
    "∗",
    grid(kernel, "kernel"),
    "=",
    grid(output, "output", windows=(1, 1, 1, 1)),
)""",
    ),
    "batch": ("A batch, image by image and channel by channel", 'draw(grid(batch, "input", "batch"))'),
    "channels": (
        "One filter on many channels: a kernel for each, added up",
        """draw(
    grid(batch[0], "input", "image"),
    "∗",
    grid(deep, "kernel", "filter"),
    "=",
    grid([[np.sum(batch[0] * deep)]], "output"),
)""",
    ),
    "padding": ("Padding: dashed, and white", "draw(grid(padded, padding=((1, 1), (1, 1))))"),
    "pooling": (
        "Groups of a pooling, and what is left of each",
        """draw(
    grid(image, windows=[(0, 0, 2, 2), (0, 2, 2, 2), (2, 0, 2, 2), (2, 2, 2, 2)]),
    "→",
    grid(pooled, "output", "the largest of each"),
)""",
    ),
    "flattening": (
        "Flattening: the same numbers in a row, channels fastest",
        'draw(grid(batch[0], "input", "image"), "→", grid(batch[:1].reshape(1, -1), "output", "flat"))',
    ),
    "dense": (
        "A dense layer: everything with everything",
        'connections(3, 2, [(x, y, 2 * x + y) for x in range(3) for y in range(2)], "Dense")',
    ),
    "shared": (
        "A convolution: few connections, and the same weights everywhere",
        'connections(4, 3, [(y + k, y, k) for y in range(3) for k in range(2)], "Conv, kernel of 2")',
    ),
    "network": (
        "A network as blocks, with shapes and weights",
        """network(
    [
        ("drawing", (8, 8, 1), None),
        ("Conv2D", (8, 8, 2), 20),
        ("MaxPooling2D", (4, 4, 2), 0),
        ("Flatten", (32,), 0),
        ("Dense", (3,), 99),
    ]
)""",
    ),
    "difference": (
        "Yours beside what is expected: what differs is framed and hatched",
        'draw(grid(output, "output", "yours", marks=output < 0), "≠", grid(abs(output), "output", "target"))',
    ),
    "to-come": (
        "What is still to come",
        'draw(grid(np.ma.array(output, mask=np.arange(16).reshape(4, 4) > 6), "output", "so far"))',
    ),
    "large": (
        "Too large for numbers: shades alone",
        'draw(grid(np.add.outer(np.arange(14), np.arange(14)) % 7, "input", "drawing", numbers=False))',
    ),
    "curves": (
        "Curves, told apart by dashes and markers too",
        'line_chart({"training": [0.4, 0.7, 0.9, 0.95], "unseen": [0.4, 0.65, 0.8, 0.8]}, "epoch", "share right")',
    ),
}
"""By name of the file: what is seen, and the expression that draws it with ARRAYS."""


def figures() -> dict[str, Figure]:
    """All figures, drawn now."""
    known = {
        "np": np,
        "connections": connections,
        "draw": draw,
        "grid": grid,
        "line_chart": line_chart,
        "network": network,
    }
    exec(ARRAYS, known)
    return {name: eval(code, known) for name, (_, code) in FIGURES.items()}


def page(drawn: dict[str, Figure]) -> str:
    """The gallery in Markdown."""
    parts = ["# Gallery", "Every kind of picture of the course, with the code that draws it. The arrays are these:"]
    parts.append(f"```python{ARRAYS}```")
    for name, (heading, code) in FIGURES.items():
        alt = drawn[name].alt.replace("[", "\\[").replace("]", "\\]")
        parts += [f"## {heading}", f"![{alt}](gallery/{name}.svg)", f"```python\n{code}\n```"]
    parts.append(
        "This page is made by `python docs/gallery.py`; the tests compare its pictures with what the code draws."
    )
    return "\n\n".join(parts) + "\n"


def main(folder: Path) -> None:
    """Write the page and its pictures."""
    drawn = figures()
    (folder / "gallery").mkdir(exist_ok=True)
    for name, figure in drawn.items():
        (folder / "gallery" / f"{name}.svg").write_text(figure.svg.rstrip("\n") + "\n", encoding="utf-8")
    (folder / "gallery.md").write_text(page(drawn), encoding="utf-8")


if __name__ == "__main__":
    main(Path(__file__).resolve().parent)
