"""See the invariance: a picture is moved, turned and zoomed, and beside it stands what pooling makes of that."""

import math
from collections.abc import Callable, Sequence
from textwrap import wrap

import numpy as np

from convblocks.calling import call
from convblocks.figures import Figure, draw, grid
from convblocks.live import live, shaped

REST = {"right": 0, "down": 0, "turn": 0, "zoom": 1}
"""Where the sliders begin: see `move`. Who drags one of them alone sees what that one does."""
STILL = REST | {"right": 1}
"""The movement that is seen where no slider can be dragged."""
FARTHEST = 1000
"""No movement is larger than this, in pixels, degrees or times."""


def move(image, right=0, down=0, turn=0, zoom=1) -> np.ndarray:
    """A picture moved, turned and zoomed about its middle, without any number that was not there before.

    image: array (rows, columns). right, down: in pixels. turn: in degrees, clockwise. zoom: a factor, 2 is twice as
    large. Returns an array of the same shape: each number goes to the nearest pixel, and where two meet the larger one
    is seen, so that an eye of one pixel is not lost; pixels that none went to repeat the nearest.
    Raises ValueError for another number of axes, an empty image, a movement that is no finite number, or a zoom of 0.
    """
    image = np.asarray(image)
    if image.ndim != 2 or not image.size:
        raise ValueError(f"an image (rows, columns) can be moved, not one of shape {image.shape}")
    given = {"right": right, "down": down, "turn": turn, "zoom": zoom}
    for name, value in given.items():
        number = isinstance(value, (int, float)) and math.isfinite(value)
        if not number or abs(value) > FARTHEST or (name == "zoom" and value < 1 / FARTHEST):
            raise ValueError(f"{name}={value!r}: a movement is a number up to {FARTHEST}, and zoom is above 0")
    angle = math.radians(turn)
    forth = zoom * np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    middle, shift = (np.array(image.shape)[:, None] - 1) / 2, np.array([[down], [right]])
    pixels = np.indices(image.shape).reshape(2, -1)
    result = image[_nearest(np.linalg.inv(forth) @ (pixels - middle - shift) + middle, image.shape)[0]]
    places, inside = _nearest(forth @ (pixels - middle) + middle + shift, image.shape)
    result = result.reshape(image.shape)
    np.maximum.at(result, tuple(axis[inside] for axis in places), image.reshape(-1)[inside])
    return result


def see_invariance(max_pool2d: Callable, image, pool_sizes: Sequence = (2, 4)) -> object:
    """Sliders that move a picture; your own `max_pool2d` pools it, and cells that differ from before are marked.

    image: array (rows, columns). pool_sizes: ints, or pairs of ints (rows, columns), none larger than the image.
    Returns a widget; where none runs, a picture of a step to the right. If `max_pool2d` is not written, or fails, it
    says so in words and shows the movement alone.
    Raises ValueError for an image that is none, no pool size, or one that does not fit.
    """
    image = np.asarray(image)
    move(image)
    sizes = [(size, size) if isinstance(size, int) else tuple(size) for size in pool_sizes]
    if not sizes:
        raise ValueError("pool_sizes is empty: at least one pool size is needed")
    for size in sizes:
        whole = len(size) == 2 and all(isinstance(side, int) for side in size)
        if not whole or not all(1 <= side <= most for side, most in zip(size, image.shape, strict=True)):
            raise ValueError(f"pool size {size} does not fit into an image of shape {image.shape}")

    def answer(asked: dict) -> dict:
        movement = REST | {name: asked[name] for name in REST if name in asked}
        figure, said = _seen(max_pool2d, image, move(image, **movement), sizes)
        return {"src": figure.src, "alt": figure.alt, "said": said, "movement": movement}

    still, _ = _seen(max_pool2d, image, move(image, **STILL), sizes)
    return live(still, "invariance.js", answer, answer(REST))


def _seen(max_pool2d: Callable, image: np.ndarray, moved: np.ndarray, sizes: Sequence) -> tuple[Figure, str]:
    """The picture before and after and what pooling makes of both, as a figure, and what is unchanged in a sentence."""
    rows, columns = sizes[0]
    frames = [
        (row, column, rows, columns)
        for row in range(0, image.shape[0] - rows + 1, rows)
        for column in range(0, image.shape[1] - columns + 1, columns)
    ]
    parts = [grid(image, "input", "before", windows=frames), grid(moved, "input", "moved", windows=frames), "\n"]
    fractions = [_fraction("not pooled", image, moved)]
    for size in sizes:
        name = f"{size[0]} × {size[1]}"
        outcome = call(max_pool2d, np.stack([image, moved])[..., None], size)
        maps, wrong = shaped(outcome, (2, *(side // by for side, by in zip(image.shape, size, strict=True)), 1))
        if wrong:
            said = f"Your max_pool2d, asked for {name}: {wrong}."
            return draw(*parts, *(part for line in wrap(said, 80) for part in ("\n", line))), said
        before, after = maps[..., 0]
        fractions.append(_fraction(name, before, after))
        parts.append(grid(before, "output", f"before, {name}", part=True))
        parts.append(grid(after, "output", f"moved, {name}", marks=before != after, part=True))
    return draw(*parts), f"Unchanged: {'; '.join(fractions)}."


def _fraction(name: str, before: np.ndarray, after: np.ndarray) -> str:
    same = int((before == after).sum())
    return f"{name}: {same} of {before.size} ({same / before.size:.2f})"


def _nearest(places: np.ndarray, shape: tuple) -> tuple[tuple, np.ndarray]:
    """Row and column of the pixel nearest to each of `places` (2, count), and which of them lie inside."""
    # Not np.round, which takes 0.5 down and 1.5 up.
    whole = np.floor(places + 0.5).astype(int)
    clipped = np.clip(whole, 0, np.array(shape)[:, None] - 1)
    return tuple(clipped), (whole == clipped).all(axis=0)
