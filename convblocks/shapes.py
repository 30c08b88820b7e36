"""Triangles, squares and circles on 8 x 8 pixels, drawn as a hand draws them.

A pen traces a closed outline once round, and nothing about it is exact: size, place, turn and proportions
vary; the line wobbles, is thick or thin, pressed hard or lightly, breaks off for a moment, and ends before or
beyond its start.
"""

import functools

import numpy as np

CLASSES = ("triangle", "square", "circle")
"""Names of the shapes; a label is an index into this tuple."""

LESSON_SEED = 8
"""Seed of the few drawings that lessons show."""

LESSON_COUNT = 480
"""Number of drawings that lessons show and name: `dataset(LESSON_COUNT, LESSON_SEED)`."""

TRAINING_SEED = 64
"""Seed of the drawings that networks learn from: `dataset(TRAINING_COUNT, TRAINING_SEED)`."""

TRAINING_COUNT = 4000
"""Number of drawings that networks learn from."""

# A circle is a polygon with too many corners to see.
_CORNERS = {"triangle": 3, "square": 4, "circle": 24}
# Points on one outline: less than half a pixel apart, so that corners stay sharp.
_POINTS = 48


def draw(shape, rng, pixels=8):
    """Draw one shape.

    Parameters: `shape`, a name from `CLASSES`; `rng`, a `numpy.random.Generator`, which is advanced;
    `pixels`, the number of rows and of columns: the drawing grows with it.

    Returns an array `(pixels, pixels)` of float32 from 0 (paper) to 1 (ink).
    Raises ValueError if `shape` is not in `CLASSES`.
    """
    if shape not in _CORNERS:
        raise ValueError(f"unknown shape {shape!r}: choose one of {', '.join(CLASSES)}")
    scale = pixels / 8  # everything below is measured in pixels of an 8 x 8 picture
    points = _trace(_outline(_CORNERS[shape], rng), rng)
    return _ink(points * scale, _pressure(rng), rng.uniform(0.6, 1.2) * scale, pixels)


def dataset(count, seed):
    """Draw a labelled data set, bit for bit the same for one seed on one version of NumPy.

    Parameters: `count`, the number of drawings; `seed`, an int.

    Returns `(images, labels)`: float32 `(count, 8, 8, 1)` from 0 to 1 and int64 `(count,)`, indices into
    `CLASSES`, in random order; the numbers of drawings of two classes differ by one at most.
    Raises ValueError if `count` is less than 1.
    """
    if count < 1:
        raise ValueError(f"count is {count}: a data set needs at least one drawing")
    if count == LESSON_COUNT and isinstance(seed, int) and seed == LESSON_SEED:
        return tuple(drawn.copy() for drawn in prepare())
    return _draw_all(count, seed)


@functools.cache
def prepare():
    """Draw what lessons ask for: a process that others are forked from does so once for all of them.

    Returns what `dataset(LESSON_COUNT, LESSON_SEED)` returns copies of.
    """
    return _draw_all(LESSON_COUNT, LESSON_SEED)


def _draw_all(count, seed):
    """As `dataset`, of a count that has been looked at."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count, dtype=np.int64) % len(CLASSES))
    images = np.stack([draw(CLASSES[label], rng) for label in labels])
    return images[..., np.newaxis], labels


def _outline(corners, rng):
    """Corners `(corners + 1, 2)` as (row, column) of a polygon around (0, 0) that ends where it starts.

    The length of the line, not the size, is drawn at random, and for every shape from the same range: that
    way the amount of ink does not give the shape away.
    """
    # Half a step makes the lowest side level: a triangle stands on its base.
    angles = (np.arange(corners + 1) + 0.5) * 2 * np.pi / corners
    polygon = np.stack([np.cos(angles), np.sin(angles)], axis=1) * rng.uniform(0.88, 1.12, size=2)
    turn = rng.uniform(-0.8, 0.8) / corners
    polygon = polygon @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
    return polygon * rng.uniform(17, 21) / _lengths(polygon).sum()


def _trace(outline, rng):
    """Points `(_POINTS, 2)` where the pen passes on the 8 x 8 paper; `outline` is as from `_outline`."""
    along = np.concatenate([[0], np.cumsum(_lengths(outline))])
    start, rounds = rng.uniform(0, 1), rng.uniform(0.93, 1.06)
    at = (start + rounds * np.linspace(0, 1, _POINTS)) % 1 * along[-1]
    points = np.stack([np.interp(at, along, axis) for axis in outline.T], axis=1)
    # Two slow waves that do not close after one round: the end misses the start, as it does by hand.
    for cycles in (0.7, 2.3):
        phase = rng.uniform(0, 2 * np.pi, size=2)
        wave = np.sin(np.linspace(0, cycles * 2 * np.pi, _POINTS)[:, np.newaxis] + phase)
        points += rng.uniform(0, 0.2, size=2) * wave
    low, high = points.min(axis=0), points.max(axis=0)
    # Half a pixel of margin on each side for the pen; a shape that is too big (free < 0) sticks out a little.
    free = 7 - (high - low)
    return points + 0.5 - low + free * rng.uniform(0, 1, size=2)


def _pressure(rng):
    """Darkness `(_POINTS - 1,)`, 0 to 1, of the pieces of a line: it swells, fades, may break off once."""
    progress = np.linspace(0, 1, _POINTS - 1)
    swell = np.sin(2 * np.pi * (rng.uniform(0.5, 2) * progress + rng.uniform()))
    pressure = rng.uniform(0.75, 1) - rng.uniform(0, 0.2) * (1 + swell) / 2
    if rng.uniform() < 0.4:
        pressure[abs(progress - rng.uniform()) < rng.uniform(0.02, 0.05)] = 0
    return pressure


def _ink(points, pressure, width, pixels):
    """Grey values `(pixels, pixels)`, float32: consecutive `points` joined by a round pen `width` wide.

    A pixel is as dark as the darkest piece of line on it. At the rim of the line, the distance from the
    pixel's centre says how much of the pixel is covered, which is what makes slanted lines smooth.
    """
    # Rows and columns apart, since NumPy is slow along an axis of 2, and thousands of drawings are made.
    (rows, columns), (begin_rows, begin_columns) = np.indices((pixels, pixels)).reshape(2, -1, 1) + 0.5, points[:-1].T
    step_rows, step_columns = np.diff(points, axis=0).T
    # The nearest point of each piece: the foot of the perpendicular, or one of its ends.
    share = (rows - begin_rows) * step_rows + (columns - begin_columns) * step_columns
    share = np.clip(share / np.maximum(step_rows**2 + step_columns**2, 1e-12), 0, 1)
    to_rows, to_columns = rows - (begin_rows + share * step_rows), columns - (begin_columns + share * step_columns)
    distance = np.sqrt(to_rows**2 + to_columns**2)
    covered = np.clip(width / 2 + 0.5 - distance, 0, 1) * pressure
    return covered.max(axis=1).reshape(pixels, pixels).astype(np.float32)


def _lengths(polygon):
    """Lengths `(n - 1,)` of the sides between the `n` points `(n, 2)`."""
    return np.sqrt((np.diff(polygon, axis=0) ** 2).sum(axis=1))
