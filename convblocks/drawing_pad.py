"""Draw your own: a pad whose drawing runs through the student's network at every stroke, and drawings that are kept."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from textwrap import wrap

import numpy as np

from convblocks.calling import call
from convblocks.figures import DECIMALS, Grid, draw, grid
from convblocks.live import live, shaped
from convblocks.shapes import CLASSES, LESSON_COUNT, LESSON_SEED, dataset
from convblocks.shapes import draw as draw_shape

KEPT = "my_drawings.npz"
"""The file beside a notebook in which drawings are kept."""
DIGITS = 3
"""After the point, of numbers that are multiplied: one more than of their product, so that it can be followed."""
LESSON_WEIGHTS = "20724eb1b88bfbbf37fe956d4efeacfca9823c2c0d489e0c18e2822611b10cda"
"""The weights that the lesson gives, as `_fingerprint` has them."""
KERAS_MISTAKES = {165: 1, 212: 1, 245: 2, 344: 2}
"""Drawings that Keras names wrongly with these weights, and as what; a notebook on NumPy has no Keras to ask."""


def kept_drawings(file: str | Path = KEPT) -> tuple[np.ndarray, np.ndarray]:
    """The drawings that were kept, to be added to a training set.

    Returns `(images, labels)` as `shapes.dataset` does: float32 `(count, 8, 8, 1)` from 0 to 1 and int64 `(count,)`,
    in the order in which they were kept; none if there is no such file.
    Raises ValueError if the file holds something else, and OSError if it cannot be read.
    """
    try:
        with np.load(file) as stored:
            images, labels = stored["images"], stored["labels"]
    except FileNotFoundError:
        return np.zeros((0, 8, 8, 1), np.float32), np.zeros(0, np.int64)
    except OSError:
        raise
    except Exception as error:
        # A damaged archive makes zipfile, zlib and NumPy raise more kinds of errors than they name.
        raise ValueError(f"{file} holds no drawings; it is left as it is: move it away to begin anew") from error
    fits = images.shape == (*labels.shape, 8, 8, 1) and images.dtype == np.float32 and labels.dtype == np.int64
    if not fits or not np.isin(labels, range(len(CLASSES))).all():
        raise ValueError(f"{file} holds other arrays than drawings; it is left as it is: move it away to begin anew")
    return images, labels


def keep_drawing(image, label: int, file: str | Path = KEPT) -> int:
    """Add a drawing to those that were kept. Returns how many there are now.

    image: array `(8, 8)`, from 0 (paper) to 1 (ink). label: index into `shapes.CLASSES`.
    Raises ValueError for another image or label, and for a file that holds something else, which is left as it is;
    OSError if the file cannot be read or written.
    """
    image = _as_drawing(image)
    if label not in range(len(CLASSES)):
        raise ValueError(f"label {label!r} is none of 0, 1 and 2, which stand for {', '.join(CLASSES)}")
    images, labels = kept_drawings(file)
    images, labels = np.concatenate([images, image[None, :, :, None]]), np.append(labels, np.int64(label))
    # Written aside and moved into place, so that whatever happens meanwhile, the old file or the new one is there.
    aside = Path(f"{file}.new")
    try:
        with aside.open("wb") as stream:
            np.savez(stream, images=images, labels=labels)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(aside, file)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink()
    return len(labels)


def drawing_pad(forward: Callable, weights: Sequence, journey: Callable, file: str | Path = KEPT) -> object:
    """A pad to draw on by mouse, touch or keyboard; while you draw, your own network says what it sees.

    forward: your network, `forward(images, weights)`. weights: its arrays; the last two are those of a dense layer with
    a unit for each shape. A button shows what Keras names wrongly with the lesson's own, and `forward` with others.
    journey: `journey(images, weights)` gives pairs (name of a layer, its output), as in the lesson.
    file: where drawings are kept that you want to keep.
    Returns a widget; where none runs, a picture of one drawing. If `forward` is not written, or fails, it says so in
    words, and drawings can be kept all the same.
    Raises ValueError for weights whose last kernel is none for the three shapes.
    """
    kernel = np.asarray(weights[-2]) if len(weights) > 1 else np.zeros(0)
    if kernel.ndim != 2 or kernel.shape[1] != len(CLASSES):
        raise ValueError(f"the last kernel has to be (units, {len(CLASSES)}), not of shape {kernel.shape}")
    examples = cache(lambda: dataset(LESSON_COUNT, LESSON_SEED))
    known = KERAS_MISTAKES if _fingerprint(weights) == LESSON_WEIGHTS else {}
    button = {"wrong": f"show me one that {'Keras' if known else 'your forward'} gets wrong"}
    place = -1

    def wrong_one() -> tuple[np.ndarray | None, str]:
        """The next drawing that is named wrongly, and what to say of it."""
        nonlocal place
        images, labels = examples()
        if known:
            # Whatever the student's own network makes of it, or does not.
            place = min((one for one in known if one > place), default=min(known))
            said = (
                f"Drawing {place} is meant to be a {CLASSES[labels[place]]}; Keras calls it a {CLASSES[known[place]]}."
            )
            return images[place, :, :, 0], said
        # A few at a time: the first mistake is near, and a slow network answers sooner.
        for begin in range(0, LESSON_COUNT, 20):
            chunk = (place + 1 + begin + np.arange(20)) % LESSON_COUNT
            answers, wrong = shaped(call(forward, images[chunk], weights), (20, len(CLASSES)))
            if wrong:
                return None, f"Your forward: {wrong}."
            for found in chunk[answers.argmax(axis=1) != labels[chunk]][:1]:
                place = int(found)
                return images[place, :, :, 0], f"Drawing {place} is meant to be a {CLASSES[labels[place]]}."
        return None, f"It names all {LESSON_COUNT} drawings rightly."

    def answer(asked: dict) -> dict:
        drawing, shown, news = _as_drawing(asked["drawing"]), None, ""
        if asked.get("wish") == "wrong":
            shown, news = wrong_one()
            drawing = drawing if shown is None else shown
        elif asked.get("wish") == "keep":
            try:
                count = keep_drawing(drawing, asked["label"], file)
                news = f"Kept as a {CLASSES[asked['label']]}, number {count} in {file}."
            except (ValueError, OSError) as error:
                news = f"Not kept: {error}."
        parts, said = _seen(forward, weights, journey, drawing)
        drawn = None if shown is None else shown.ravel().tolist()
        return _told(parts, said, news) | button | {"drawing": drawn}

    drawing = draw_shape(CLASSES[0], np.random.default_rng(LESSON_SEED))
    parts, said = _seen(forward, weights, journey, drawing)
    still = draw(grid(drawing, "input", "drawing", numbers=False), "\n", *parts)
    first = _told(parts, said, "") | button | {"drawing": drawing.ravel().tolist()}
    return live(still, "drawing_pad.js", answer, first)


def _fingerprint(weights: Sequence) -> str:
    try:
        return hashlib.sha256(b"".join(np.asarray(one, np.float32).tobytes() for one in weights)).hexdigest()
    except (TypeError, ValueError):
        return ""


def _told(parts: Sequence[Grid | str], said: str, news: str) -> dict:
    figure = draw(*parts, widest=620)
    return {"src": figure.src, "alt": figure.alt, "said": said, "news": news}


def _seen(forward: Callable, weights: Sequence, journey: Callable, drawing: np.ndarray) -> tuple[list, str]:
    """What the network makes of a drawing `(8, 8)`: the parts of a figure, and a few sentences."""
    batch = drawing[None, :, :, None]
    shares, wrong = shaped(call(forward, batch, weights), (1, len(CLASSES)))
    if wrong:
        said = f"Your forward: {wrong}."
        return [part for line in wrap(said, 60) for part in ("\n", line)], said
    best = int(shares[0].argmax())
    parts = [grid(shares, "output", ", ".join(CLASSES), windows=(0, best, 1, 1), part=True, decimals=_share)]
    named = ", ".join(f"{name} {_share(share)}" for name, share in zip(CLASSES, shares[0], strict=True))
    said = f"Your network says {CLASSES[best]} ({named})."
    steps = _steps(call(journey, batch, weights).value)
    # The last one is the shares, which stand on top.
    steps = steps[:-1] if steps and steps[-1][1].shape == shares.shape else steps
    kernel, before = np.asarray(weights[-2]), 0
    for name, output in steps:
        # One line for each convolution and what is pooled of it.
        parts += ["\n"] if output.size >= before else []
        numbers, factors = output.ndim == 2 or output[0, :, :, 0].size <= 4, output.shape == (1, len(kernel))
        decimals = DIGITS if factors else DECIMALS
        parts.append(grid(output, "output", name, part=True, numbers=numbers, decimals=decimals))
        before = output.size
    # What goes into the last dense layer, and what each of it adds to the sum of the shape that won.
    hidden = [output[0] for _, output in steps if output.shape == (1, len(kernel))]
    if hidden:
        adds = hidden[-1] * kernel[:, best]
        loudest = [int(unit) for unit in np.argsort(-adds)[:2] if adds[unit] > 0]
        windows = [(0, unit, 1, 1) for unit in loudest]
        title, look = f"weights to {CLASSES[best]}", {"windows": windows, "part": True}
        parts += ["\n", grid(kernel[:, best], "kernel", title, decimals=DIGITS, **look)]
        parts += ["\n", grid(adds, "output", "unit × weight", **look)]
        spoke = [
            f"unit {unit} ({hidden[-1][unit]:.{DIGITS}f} × {kernel[unit, best]:.{DIGITS}f} ≈ {adds[unit]:.{DECIMALS}f})"
            for unit in loudest
        ]
        said += f" Loudest for it: {', then '.join(spoke)}." if spoke else " No weight speaks for it, only its bias."
    return parts, said


def _share(share) -> str:
    """A probability in two digits, none of which says 0 or 1: softmax reaches neither."""
    return "<0.01" if 0 <= share < 0.005 else ">0.99" if 0.995 <= share <= 1 else f"{share:.2f}"


def _steps(journeyed) -> list[tuple[str, np.ndarray]]:
    """Of what `journey` gave, what can be drawn; a student's layer may give anything."""
    return [
        (name, output)
        for name, output in journeyed or []
        if output.dtype.kind in "iuf" and output.ndim in (2, 4) and 0 < output.size <= 300
    ]


def _as_drawing(image) -> np.ndarray:
    image = np.asarray(image, dtype=np.float32)
    if image.size != 64 or not np.isfinite(image).all() or image.min() < 0 or image.max() > 1:
        raise ValueError(
            f"a drawing is 8 × 8 numbers from 0 to 1, not an array of shape {image.shape} with other numbers"
        )
    return image.reshape(8, 8)
