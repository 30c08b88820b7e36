"""Plots of the report: SVG for the page that they stand in, whose style sheet gives their colours.

What colour tells, a pattern or a number tells as well. Alternative text is made from the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

WIDTH = 640
"""Of a plot in its own units; it is as wide as its place in the page."""
LEFT, RIGHT, TOP, BOTTOM = 44, 20, 42, 44
HEIGHT = 170
"""Of what lies between the axes of a histogram."""
ROW, BAR = 34, 22
"""Heights of a line of stacked bars and of its bar."""
NAMES = 150
"""Width of the names on their left."""
LOOKS = ("full", "part", "none", "blank")
"""Classes of the parts of a stacked bar."""

PATTERNS = Markup(
    '<svg width="0" height="0" class="patterns" aria-hidden="true"><defs>'
    '<pattern id="hatched" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="7" height="7" class="paper"/><rect width="3" height="7" class="ink"/></pattern>'
    '<pattern id="dotted" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect width="6" height="6" class="paper"/><circle cx="3" cy="3" r="1.1" class="ink"/></pattern>'
    "</defs></svg>"
)
"""What the plots of one page are filled with; stands in it once."""


def histogram(
    counts: Sequence[int],
    ticks: dict[int, str],
    x_label: str,
    alt: str,
    line: tuple[float, str] | None = None,
    hatched_from: int | None = None,
) -> Markup:
    """Bars side by side with their counts above them.

    ticks: texts below the left edge of bars, by place; len(counts) is the right end. line: where a line stands, in
    bars from the left, and what is written at it. hatched_from: the place from which on bars are hatched.
    """
    most, step = max([*counts, 1]), (WIDTH - LEFT - RIGHT) / len(counts)
    body, over = [_rule(LEFT, TOP + HEIGHT, WIDTH - RIGHT, TOP + HEIGHT)], []
    for height in _heights(most):
        y = TOP + HEIGHT * (1 - height / most)
        body += [_rule(LEFT, y, WIDTH - RIGHT, y, "faint")] if height else []
        body.append(_text(f"{height:,}", LEFT - 6, y + 4, "end"))
    for place, count in enumerate(counts):
        if count:
            tall = HEIGHT * count / most
            look = "part" if hatched_from is not None and place >= hatched_from else "full"
            body.append(_rect(LEFT + place * step + 1, TOP + HEIGHT - tall, step - 2, tall, look))
            # Where bars are narrow, numbers of many digits would run into each other.
            if 7 * len(f"{count:,}") <= step:
                over.append(_text(f"{count:,}", LEFT + (place + 0.5) * step, TOP + HEIGHT - tall - 5, look="on"))
    body += [_text(text, LEFT + place * step, TOP + HEIGHT + 17) for place, text in ticks.items()]
    if line:
        x = LEFT + line[0] * step
        body.append(_rule(x, TOP - 36, x, TOP + HEIGHT, "mark"))
        # On the side where there is room.
        left = x > WIDTH / 2
        body.append(_text(line[1], x + (-6 if left else 6), TOP - 26, "end" if left else "start"))
    # What the line would go through stands on top of it.
    body += over
    body.append(_text(x_label, (LEFT + WIDTH - RIGHT) / 2, TOP + HEIGHT + 37))
    return _plot(body, TOP + HEIGHT + BOTTOM, alt)


def stacked(rows: dict[str, Sequence[int]], legend: Sequence[str], alt: str) -> Markup:
    """One bar a row, of equal length, made of its parts' shares with the percentages in them.

    rows: counts by name, one for each of LOOKS, not all 0. legend: what these are called.
    """
    body, wide = [], WIDTH - NAMES - RIGHT
    for place, (look, name) in enumerate(zip(LOOKS, legend, strict=True)):
        x = NAMES + place * wide / len(LOOKS)
        body += [_rect(x, 6, 16, 14, look), _text(name, x + 22, 18, "start")]
    for row, (name, counts) in enumerate(rows.items()):
        y, x, whole = 32 + row * ROW, float(NAMES), sum(counts) or 1
        body.append(_text(name if len(name) <= 20 else f"{name[:19]}…", NAMES - 8, y + BAR / 2 + 4, "end"))
        for look, count in zip(LOOKS, counts, strict=True):
            part = wide * count / whole
            if count:
                body.append(_rect(x, y, part, BAR, look))
            if part >= 36:
                body.append(_text(f"{100 * count / whole:.0f} %", x + part / 2, y + BAR / 2 + 4, "middle", "on strong"))
            x += part
    return _plot(body, 32 + len(rows) * ROW, alt)


def _heights(most: int) -> list[int]:
    """Whole numbers for an axis from 0 to most: three to six of them, of round steps."""
    digits = 10 ** max(len(str(most)) - 2, 0)
    step = next(step * digits for step in (1, 2, 5, 10, 20, 50) if most / (step * digits) <= 5)
    return list(range(0, most + 1, step))


def _plot(body: list[Markup], height: float, alt: str) -> Markup:
    start = Markup('<svg class="plot" role="img" aria-label="{}" viewBox="0 0 {} {:g}">').format(alt, WIDTH, height)
    return start + Markup("").join(body) + Markup("</svg>")


def _rect(x: float, y: float, width: float, height: float, look: str) -> Markup:
    return Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="{}"/>').format(
        x, y, width, height, look
    )


def _rule(x1: float, y1: float, x2: float, y2: float, look: str = "axis") -> Markup:
    return Markup('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" class="{}"/>').format(x1, y1, x2, y2, look)


def _text(text: str, x: float, y: float, anchor: str = "middle", look: str = "") -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" class="{}">{}</text>').format(x, y, anchor, look, text)
