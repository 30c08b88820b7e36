"""A check's result as a table for people: in a notebook, on the feedback page and in a terminal."""

from dataclasses import dataclass
from html import escape

from convblocks.figures import Figure


@dataclass
class Line:
    """One case: what was tried, whether it agrees, what is off in words.

    worth: the points it earns when it agrees, 0 where there are none. figure, steps: how the right answer comes about,
    as a picture and as arithmetic line by line, where that is shown.
    """

    title: str
    agrees: bool
    sentence: str = ""
    worth: float = 0
    figure: Figure | None = None
    steps: tuple[str, ...] = ()


def html_table(heading: str, lines: list[Line], note: str = "") -> str:
    """The lines as a table of HTML with its own styles, marked by sign and word as well as by colour.

    note: what is said of all of them together, below the heading.
    """
    rows = []
    for line in lines:
        sign, word, colour = ("✓", "agrees", "#e3f1fb") if line.agrees else ("✗", "differs", "#fdeade")
        what = f"<div>{escape(line.sentence)}</div>" if line.sentence else ""
        picture = line.figure.html if line.figure else ""
        rows.append(
            f'<tr style="background:{colour};color:#111">'
            f'<td style="text-align:left;white-space:nowrap;padding:4px 10px">{sign} {word}</td>'
            f'<td style="text-align:left;padding:4px 10px"><b>{escape(line.title)}</b>{what}{picture}</td></tr>'
        )
    said = f"<div>{escape(note)}</div>" if note else ""
    return (
        f'<table style="border-collapse:collapse;max-width:100%"><caption style="text-align:left;padding:4px 0">'
        f"<b>{escape(heading)}</b>{said}</caption><tbody>{''.join(rows)}</tbody></table>"
    )


def plain_table(heading: str, lines: list[Line], note: str = "") -> str:
    """The same as plain text."""
    rows = [
        f"  {'✓' if line.agrees else '✗'} {line.title}" + (f": {line.sentence}" * bool(line.sentence)) for line in lines
    ]
    return "\n".join([heading, *[note] * bool(note), *rows])
