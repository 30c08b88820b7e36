"""Block figures: arrays drawn as coloured cells with their numbers in them, with alternative text from the same data.

A figure is made of parts side by side: `draw(grid(image), "∗", grid(kernel, "kernel"), "=", grid(out, "output"))`.
It is SVG inside an image, so nothing in it can run, and it needs neither a network nor a font of its own.
"""

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

CELL = 36
"""Side of one cell in pixels of the figure, when it holds numbers."""
TINY_CELL = 18
"""The same for arrays too large to read number by number."""
DECIMALS = 2
"""Digits after the point that are enough to follow the arithmetic."""
WIDEST = 860
"""A figure wider than this, in pixels, goes on in the next line."""
READABLE = 0.75
"""A figure is not made smaller than this share of its size: where it has less room, it is scrolled sideways."""
PHONE = 360
"""So many pixels of width are there everywhere."""
SIGNS = ("∗", "=", "≠", "+", "→")
"""Texts that stand before an array and never end a line."""


@dataclass(frozen=True)
class Role:
    """How an array of one role looks: a colour, and a corner radius so that it is told apart without colour too."""

    colour: tuple[int, int, int]
    radius: int
    border: float


# Green, yellow and blue of Okabe and Ito's palette for colour-blind readers (https://jfly.uni-koeln.de/color/).
ROLES = {
    "input": Role((0, 158, 115), 0, 1),
    "kernel": Role((240, 228, 66), 10, 1),
    "output": Role((86, 180, 233), 0, 2.5),
    "plain": Role((150, 150, 150), 0, 1),
}


@dataclass(frozen=True)
class Figure:
    """svg: the picture; alt: what it shows, in words. Jupyter shows it as an image with that alternative text."""

    svg: str
    alt: str

    @property
    def src(self) -> str:
        """The picture as the address of an image."""
        return f"data:image/svg+xml;base64,{base64.b64encode(self.svg.encode()).decode()}"

    @property
    def img(self) -> str:
        """As small as its place wants it, also where nothing can be scrolled."""
        return self._img(0)

    @property
    def html(self) -> str:
        size, unit = re.match(r'<svg[^>]* width="([\d.]+)(\w*)"', self.svg[self.svg.index("<svg") :]).groups()
        least = round(READABLE * float(size) * (4 / 3 if unit == "pt" else 1))
        if least <= PHONE:
            return self.img
        # Who has no mouse scrolls with the arrow keys, save in JupyterLab, which takes them for going to another cell.
        return f'<div style="overflow-x:auto" tabindex="0">{self._img(least)}</div>'

    def _img(self, least: int) -> str:
        style = "max-width:100%" + (f";min-width:{least}px" if least else "")
        return f'<img alt="{escape(self.alt)}" style="{style}" src="{self.src}">'

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": self.alt, "text/html": self.html}


@dataclass(frozen=True)
class Grid:
    """One array as a part of a figure; made by `grid`."""

    array: np.ndarray
    role: str
    title: str
    windows: tuple
    padding: tuple
    marks: np.ndarray | None
    part: bool
    numbers: bool
    decimals: int | Callable


def grid(
    array,
    role: str = "input",
    title: str | None = None,
    windows=(),
    padding=((0, 0), (0, 0)),
    marks=None,
    part: bool = False,
    numbers: bool = True,
    decimals: int | Callable = DECIMALS,
) -> Grid:
    """An array as a part of a figure.

    array: (columns,), (rows, columns), (rows, columns, channels) or (batch, rows, columns, channels); numbers or texts.
    Cells that a masked array (`np.ma.array`) masks are still to come: white, with a question mark.
    role: "input" (green), "kernel" (yellow), "output" (blue) or "plain" (grey).
    windows: (row, column, height, width) rectangles to outline, 0-based, on every channel.
    padding: ((top, bottom), (left, right)) cells of the array that are padding: drawn white with a dashed border.
    marks: array of bool shaped like `array`: cells to hatch and frame, for numbers that differ.
    part: whether it is cut out of a larger array, so that its shape says nothing.
    numbers: False for small cells without the numbers, as arrays too large to read have them anyway.
    decimals: how many digits after the point at most; or a function that writes a number.
    Raises ValueError for another number of axes or an unknown role.
    """
    array = array if isinstance(array, np.ma.MaskedArray) else np.asarray(array)
    if array.ndim == 0 or array.ndim > 4:
        raise ValueError(f"a grid draws arrays of 1 to 4 axes, not of shape {array.shape}")
    if role not in ROLES:
        raise ValueError(f"unknown role {role!r}: use one of {', '.join(ROLES)}")
    windows = tuple(windows)
    if windows and isinstance(windows[0], int):
        windows = (windows,)
    return Grid(array, role, role if title is None else title, windows, padding, marks, part, numbers, decimals)


def draw(*parts: "Grid | str", alt: str | None = None, widest: int = WIDEST) -> Figure:
    """Draw grids side by side, with short texts such as "∗" or "=" between them; "\\n" starts a new line.

    alt: alternative text, instead of the one made from the arrays. widest: of a line, in pixels.
    """
    for part in parts:
        if not isinstance(part, (Grid, str)):
            raise TypeError(f"draw takes grids and short texts, not {type(part).__name__}: draw(grid(image))")
    # A batch is drawn image by image, and an image of several channels channel by channel.
    pieces = [piece for part in parts for piece in (_planes(part) if isinstance(part, Grid) else [part])]
    lines, line, width, before = [], [], 0, None
    for piece in pieces:
        drawn = _text_part(piece) if isinstance(piece, str) else _plane(*piece)
        if piece == "\n" or (line and width + drawn[1] > widest):
            # A sign such as "=" goes along with what follows it.
            along = [line.pop()] if piece != "\n" and before in SIGNS and len(line) > 1 else []
            lines, line, width = [*lines, line], along, sum(part[1] for part in along)
        before = piece if isinstance(piece, str) else None
        if piece != "\n":
            line, width = [*line, drawn], width + drawn[1]
    body, top, widest = [], 10, 0
    for parts_of_line in filter(None, [*lines, line]):
        # Parts stand on a common axis, the middle of their cells.
        axis, left = max(part[2] for part in parts_of_line), 10
        for svg, part_width, above, _ in parts_of_line:
            body.append(f'<g transform="translate({left:g},{top + axis - above:g})">{svg}</g>')
            left += part_width
        top, widest = top + axis + max(part[3] for part in parts_of_line), max(widest, left)
    return Figure(_svg("".join(body), widest + 10, top + 10), _told(parts) if alt is None else alt)


def side_by_side(yours, expected) -> Figure | None:
    """Yours and the target as one figure, differing cells hatched; None for what has no picture."""
    try:
        mine, target = np.asarray(yours), np.asarray(expected)
    except ValueError:
        return None
    kinds = mine.dtype.kind + target.dtype.kind
    if not set(kinds) <= set("iuf") or not 0 < mine.ndim <= 4 or not 0 < target.ndim <= 4:
        return None
    if max(mine.size, target.size) > 300 or not mine.size:
        return None
    marks, decimals = None, DECIMALS
    if mine.shape == target.shape:
        marks = ~np.isclose(mine, target, rtol=1e-5, atol=1e-5)
        decimals = decimals_to_differ(mine, target, marks)
    return draw(
        grid(mine, "output", "yours", marks=marks, decimals=decimals),
        "≠",
        grid(target, "output", "target", decimals=decimals),
    )


def network(blocks: Iterable[Sequence]) -> Figure:
    """A network as rows of blocks: `(name, output shape, weights)` each; weights None for the input."""
    body, left, top, widest, said = [], 10, 0, 0, []
    for name, shape, weights in blocks:
        lines = [name, " × ".join(map(str, shape))]
        lines += [] if weights is None else [f"{weights} weights" if weights else "no weights"]
        width = max(90, 9 * len(name) + 16, 8 * max(map(len, lines)) + 8)
        if said:
            if left + 16 + width + 10 > PHONE / READABLE:
                left, top = 2, top + 90
            body.append(_label("→", left + 8, top + 52, 16))
            left += 16
        colour = ROLES["plain" if weights is None else "kernel" if weights else "output"].colour
        body.append(
            f'<rect x="{left}" y="{top + 14}" width="{width}" height="72" rx="{10 if weights else 0}" '
            f'fill="{_mix(colour, 0.45)}" stroke="#333" stroke-width="1.5"/>'
        )
        body += [_label(text, left + width / 2, top + 36 + 20 * row, 13, row == 0) for row, text in enumerate(lines)]
        said.append(f"{name} with output {shape}" + ("" if weights is None else f" and {weights} weights"))
        left += width
        widest = max(widest, left)
    return Figure(_svg("".join(body), widest + 10, top + 100), "Network: " + ", then ".join(said))


def connections(inputs: int, outputs: int, links: Iterable[Sequence[int]], title: str = "") -> Figure:
    """Inputs above, outputs below, and a line for each `(input, output, weight)` of `links`.

    Lines with the same weight number are drawn alike and named k0, k1, … below: shared weights are seen as shared.
    """
    links = list(links)
    strokes = ["#000000", "#D55E00", "#0072B2", "#009E73"]
    dashes = ["none", "9 3", "2 4", "9 3 2 3"]
    width = 20 + 62 * max(inputs, outputs)

    def place(index, count):
        return width / 2 + (index - (count - 1) / 2) * 62

    shared = len({weight for *_, weight in links}) < len(links)
    body = [_label(title, width / 2, 22, 14, bold=True)] if title else []
    for source, target, weight in links:
        look = weight % 4 if shared else 0
        body.append(
            f'<line x1="{place(source, inputs):g}" y1="74" x2="{place(target, outputs):g}" y2="188" '
            f'stroke="{strokes[look]}" stroke-dasharray="{dashes[look]}" stroke-width="{2 if shared else 1}"/>'
        )
    for count, name, top, role in ((inputs, "x", 56, "input"), (outputs, "y", 206, "output")):
        for index in range(count):
            body.append(
                f'<circle cx="{place(index, count):g}" cy="{top}" r="19" fill="{_mix(ROLES[role].colour, 0.4)}" '
                f'stroke="#333" stroke-width="{ROLES[role].border}"/>'
            )
            body.append(_label(f"{name}{index}", place(index, count), top + 5, 14))
    kinds = sorted({weight for *_, weight in links}) if shared else []
    for order, weight in enumerate(kinds):
        left = width / 2 + (order - (len(kinds) - 1) / 2) * 96 - 40
        body.append(
            f'<line x1="{left:g}" y1="248" x2="{left + 44:g}" y2="248" stroke="{strokes[weight % 4]}" '
            f'stroke-dasharray="{dashes[weight % 4]}" stroke-width="2"/>'
        )
        body.append(_label(f"k{weight}", left + 60, 253, 13))
    weights = len({weight for *_, weight in links})
    seen = [f"y{unit} sees " + " ".join(f"x{i}" for i, o, _ in links if o == unit) for unit in range(outputs)]
    alt = f"{title}: {len(links)} connections, {weights} different weights; " + "; ".join(seen)
    return Figure(_svg("".join(body), width, 264 if shared else 240), alt)


def line_chart(series: dict[str, Sequence[float]], x_label: str, y_label: str) -> Figure:
    """Curves over 1, 2, 3, …: one line a name, told apart by dashes and markers as well as by colour."""
    import io

    # Imported here since no other figure needs it, and it would be the slowest import of every lesson.
    import matplotlib
    from matplotlib.figure import Figure as Canvas

    looks = [("#0072B2", "-", "o"), ("#D55E00", "--", "s"), ("#009E73", ":", "^")]
    with matplotlib.rc_context({"svg.hashsalt": "convblocks", "svg.fonttype": "path"}):
        canvas = Canvas(figsize=(6.4, 3.2), layout="constrained")
        axes = canvas.add_subplot()
        for (name, values), (colour, dash, marker) in zip(series.items(), looks, strict=False):
            steps = range(1, len(values) + 1)
            axes.plot(steps, values, dash, color=colour, marker=marker, markevery=0.1, label=name)
        axes.set(xlabel=x_label, ylabel=y_label)
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend()
        buffer = io.StringIO()
        canvas.savefig(buffer, format="svg", metadata={"Date": None})
    said = "; ".join(f"{name} goes from {values[0]:.2f} to {values[-1]:.2f}" for name, values in series.items())
    return Figure(buffer.getvalue(), f"{y_label} over {x_label}: {said}")


def keras_diagram(model) -> Figure:
    """Keras' own diagram of a model, layers with their shapes (`keras.utils.model_to_dot`).

    Without Graphviz, whose program `dot` does the drawing, the model is drawn as blocks instead.
    """
    import keras
    import pydot

    blocks = [(layer.name, layer.output.shape[1:], layer.count_params()) for layer in model.layers]
    alt = network(blocks).alt
    try:
        drawn = keras.utils.model_to_dot(model, show_shapes=True, show_layer_activations=True, dpi=72).create_svg()
    except (OSError, pydot.PydotException):
        print("Graphviz is not installed here (Debian: apt-get install graphviz), so these are our own blocks.")
        return network(blocks)
    # Comments, titles and ids hold the layers' addresses in memory, which differ from run to run.
    plain = re.sub(r"<!--.*?-->|<title>.*?</title>| id=\"\w+\"", "", drawn.decode(), flags=re.DOTALL)
    return Figure(plain, f"Keras' diagram. {alt}")


def _planes(part: Grid) -> list[tuple[Grid, np.ndarray, str, np.ndarray | None]]:
    array, marks, shape = part.array, part.marks, part.array.shape
    heading = part.title if part.part else f"{part.title} {shape}".strip()
    if array.ndim <= 2:
        return [(part, array, heading, marks)]
    if array.ndim == 3:
        array, marks = array[None], None if marks is None else marks[None]
    planes, several = [], array.shape[0] > 1
    for image in range(array.shape[0]):
        for channel in range(array.shape[3]):
            words = ([f"image {image}"] if several else []) + ([f"channel {channel}"] if array.shape[3] > 1 else [])
            first = not planes
            label = (heading if first else "") + ("\n" + ", ".join(words) if words else "")
            crossed = None if marks is None else marks[image, :, :, channel]
            planes.append((part, array[image, :, :, channel], label, crossed))
    return planes


def _plane(part: Grid, plane: np.ndarray, label: str, marks) -> tuple[str, float, float, float]:
    """SVG of one plane, its width, and its height above and below the middle of its cells."""
    role = ROLES[part.role]
    plane = np.atleast_2d(plane)
    marks = None if marks is None else np.atleast_2d(marks)
    rows, columns = plane.shape
    numbers = plane.dtype.kind in "iufb"
    texts = [[_text(value, part.decimals) for value in row] for row in plane]
    readable = part.numbers and plane.size <= 150
    size = CELL if readable else TINY_CELL
    # What is still to come has its place and its scale already: nothing moves when it comes.
    whole, all_numbers = np.ma.getdata(plane), np.ma.getdata(part.array)
    wide = max([size, *(_width(_text(value, part.decimals)) + 10 for value in whole.ravel())]) if readable else size
    # All channels of one array share a scale, so that equal numbers look equal.
    scale = float(np.abs(all_numbers[np.isfinite(all_numbers)]).max(initial=0)) if numbers else 0
    (top_pad, bottom_pad), (left_pad, right_pad) = part.padding
    svg = []
    for row in range(rows):
        for column in range(columns):
            value = plane[row, column]
            padded = not (top_pad <= row < rows - bottom_pad and left_pad <= column < columns - right_pad)
            to_come = value is np.ma.masked
            strength = 0.15 + 0.5 * abs(float(value)) / scale if not to_come and scale and np.isfinite(value) else 0.3
            fill = "#ffffff" if padded or to_come else _mix(role.colour, strength)
            x, y = column * wide, row * size
            radius = role.radius if readable else 0
            edge = 'stroke="#777" stroke-dasharray="3 3"' if padded else 'stroke="#444"'
            svg.append(f'<rect x="{x}" y="{y}" width="{wide}" height="{size}" rx="{radius}" fill="{fill}" {edge}/>')
            if marks is not None and marks[row, column]:
                svg.append(_mark(x, y, wide, size))
            if readable:
                svg.append(_label(texts[row][column], x + wide / 2, y + size / 2 + 5, 14))
    if role.border > 1:
        svg.append(_frame(0, 0, columns * wide, rows * size, role.border))
    for row, column, height, width in part.windows:
        svg.append(_frame(column * wide, row * size, width * wide, height * size, 4))
    labels = label.split("\n")
    width = max(columns * wide, max(len(line) for line in labels) * 7.5) + 16
    body = [_label(line, width / 2, 14 + 16 * place, 13, place == 0) for place, line in enumerate(labels) if line]
    shift = (width - columns * wide) / 2
    top = 22 + 16 * (len(labels) - 1)
    body.append(f'<g transform="translate({shift:g},{top})">{"".join(svg)}</g>')
    return "".join(body), width, top + rows * size / 2, rows * size / 2 + 10


def _text_part(text: str) -> tuple[str, float, float, float]:
    width = max(30, 9 * len(text) + 14)
    return _label(text, width / 2, 26, 20 if len(text) < 3 else 14), width, 20, 20


def _frame(x: float, y: float, width: float, height: float, stroke: float) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="none" stroke="#111" stroke-width="{stroke}"/>'
    )


def _mark(x: float, y: float, width: float, height: float) -> str:
    """A frame and hatched corners, which leave the number in the middle readable."""
    right, bottom = x + width, y + height
    frame = f"M{x + 3} {y + 3}H{right - 3}V{bottom - 3}H{x + 3}z"
    corners = "".join(
        f"M{x + 3} {y + reach}L{x + reach} {y + 3}M{right - 3} {bottom - reach}L{right - reach} {bottom - 3}"
        for reach in (8, 12, 16)
    )
    return f'<path d="{frame}{corners}" stroke="#B34700" stroke-width="2" fill="none"/>'


def _label(text: str, x: float, y: float, size: int, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="middle"{weight}>{escape(text)}</text>'


def _svg(body: str, width: float, height: float) -> str:
    # A light card of its own keeps the figure readable in dark themes.
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" font-family="DejaVu Sans, Verdana, sans-serif" fill="#111">'
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="#fdfdfb"/>{body}</svg>'
    )


def _mix(colour: tuple[int, int, int], strength: float) -> str:
    return "#" + "".join(f"{round(255 + (part - 255) * strength):02x}" for part in colour)


def _width(text: str) -> int:
    """Of a text in a cell, in pixels: as wide as the widest of the fonts makes it."""
    return round(
        sum({"−": 11.8, "<": 11.8, ">": 11.8, ".": 4.6, ",": 4.6, " ": 4.6}.get(character, 9) for character in text)
    )


def decimals_to_differ(mine: np.ndarray, target: np.ndarray, marks: np.ndarray) -> int:
    """How many digits after the point show that two arrays differ wherever marked: from two to six."""
    pairs = list(zip(mine[marks], target[marks], strict=True))
    # The sentence beside the figure names the first difference, of which −0.005 must not be drawn as −0.01.
    named = [number for pair in pairs[:1] for number in pair]
    for decimals in range(DECIMALS, 6):
        if all(_text(one, decimals) != _text(other, decimals) for one, other in pairs) and all(
            _is_told(number, decimals) for number in named
        ):
            return decimals
    return 6


def _is_told(number, decimals: int) -> bool:
    """Whether so many digits after the point come near the number; no use in asking of one that six do not show."""
    # The most negative whole number has no absolute value of its own type.
    number = float(number)
    if not np.isfinite(number) or abs(number) < 5e-7:
        return True
    return abs(round(number, decimals) - number) <= abs(number) / 50


def _text(value, decimals: int | Callable) -> str:
    if value is np.ma.masked:
        return "?"
    if callable(decimals):
        return decimals(value)
    if isinstance(value, (float, np.floating)):
        # 2.00 reads as 2, and of 2e+20 nobody wants to count the zeros.
        plain = np.isfinite(value) and abs(value) < 1e15
        value = f"{value:.{decimals}f}".rstrip("0").rstrip(".") if plain else f"{value:.6g}"
        value = "0" if value == "-0" else value
    return str(value).replace("-", "−")


def _rows(plane: np.ndarray, decimals: int | Callable) -> str:
    """The numbers of a plane, row by row."""
    rows = [", ".join(_text(value, decimals) for value in row) for row in plane]
    return rows[0] if len(rows) == 1 else "; ".join(f"row {place}: {row}" for place, row in enumerate(rows))


def _told(parts) -> str:
    """A whole figure in words: arrays that nothing stands between are told in sentences of their own."""
    parts = [part for part in parts if part != "\n"]
    return "".join(
        ("" if not place else ". " if isinstance(part, Grid) and isinstance(parts[place - 1], Grid) else " ")
        + (_words(part) if isinstance(part, Grid) else part)
        for place, part in enumerate(parts)
    )


def _words(part: Grid) -> str:
    array = part.array
    said = part.title if part.part else f"{part.title} of shape {array.shape}"
    planes = [(label.split("\n")[1:], np.atleast_2d(plane), marks) for _, plane, label, marks in _planes(part)]
    if array.size <= 64:
        said += ": " + "; ".join(": ".join([*named, _rows(plane, part.decimals)]) for named, plane, _ in planes)
    marked = [
        ", ".join([*named, f"row {row}, column {column}"])
        for named, _, marks in planes
        if marks is not None
        for row, column in np.argwhere(np.atleast_2d(marks))
    ]
    beside = []
    if marked:
        beside.append(f"marked: {'; '.join(marked)}" if len(marked) <= 9 else f"{len(marked)} cells marked")
    for row, column, height, width in part.windows:
        beside.append(f"{height} by {width} window at row {row}, column {column}")
    (top, bottom), (left, right) = part.padding
    if top or bottom or left or right:
        beside.append(f"padded by {top} above, {bottom} below, {left} left, {right} right")
    return said + (f" ({'; '.join(beside)})" if beside else "")
