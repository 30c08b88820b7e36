"""A check's result as a table for people: in a notebook, on the feedback page and in a terminal."""

import re
from dataclasses import dataclass
from html import escape

from convblocks.figures import Figure


def whole_characters(text: str) -> str:
    """The text without halves of characters: a student's code or file may hold such, which no file of ours can."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


LONGEST = 2000
"""Characters that are kept of what one call printed."""


def as_sentence(words: str) -> str:
    """The words with a capital in front, where they do not begin with code, and a full stop."""
    first = words.split(" ")[0]
    return f"{words if set('_=(') & set(first) else words[:1].upper() + words[1:]}."


@dataclass
class Line:
    """One case: what was tried, whether it agrees, what is off in words.

    worth: the points it earns when it agrees, 0 where there are none. figure, steps: how the right answer comes about,
    as a picture and as arithmetic line by line, where that is shown. printed: what the student's code wrote meanwhile.
    """

    title: str
    agrees: bool
    sentence: str = ""
    worth: float = 0
    figure: Figure | None = None
    steps: tuple[str, ...] = ()
    printed: str = ""

    def __post_init__(self):
        self.sentence = whole_characters(self.sentence)
        printed = whole_characters(self.printed).strip("\n")
        self.printed = printed if len(printed) <= LONGEST else f"{printed[:LONGEST]} …"


def html_table(heading: str, lines: list[Line], note: str = "") -> str:
    """The lines as a table of HTML with its own styles: what differs first, marked by sign, word and colour.

    note: what is said of all of them together, below the heading.
    """
    scored = any(line.worth for line in lines)
    columns = ["points", "case"] if scored else ["result", "example"]
    # Code that was quoted may be one long word.
    cell = 'style="text-align:left;vertical-align:top;padding:4px 8px;overflow-wrap:anywhere;font-weight:normal"'
    narrow = 'style="text-align:left;vertical-align:top;padding:4px 8px;white-space:nowrap"'
    rows = ["".join(f'<th scope="col" {narrow}>{name}</th>' for name in columns)]
    for line in _wrong_first(lines):
        sign, word, colour = ("✓", "agrees", "#e3f1fb") if line.agrees else ("✗", "differs", "#fdeade")
        what = f"<div>{with_code(line.sentence)}</div>" if line.sentence else ""
        if line.printed:
            what += f'<div>it printed:</div><pre style="margin:0;white-space:pre-wrap">{escape(line.printed)}</pre>'
        title = escape(line.title) if line.agrees else f"<b>{escape(line.title)}</b>"
        points = f"<br>{_points(line)}" if scored else ""
        look = f'style="background:{colour};color:#111;border-top:1px solid #888"'
        rows.append(f'<tr {look}><td {narrow}>{sign} {word}{points}</td><th scope="row" {cell}>{title}{what}</th></tr>')
        if line.figure or line.steps:
            rows.append(f'<tr style="background:#fdfdfb;color:#111"><td colspan="2" {cell}>{_how(line)}</td></tr>')
    said = f"<div>{escape(note)}</div>" if note else ""
    return (
        '<table style="border-collapse:collapse;max-width:100%"><caption style="text-align:left;padding:4px 0">'
        f"<b>{escape(heading)}</b>{said}</caption><thead><tr>{rows[0]}</tr></thead><tbody>{''.join(rows[1:])}</tbody></table>"
    )


def plain_table(heading: str, lines: list[Line], note: str = "") -> str:
    """The same as plain text."""
    rows = [heading, *[note] * bool(note)]
    for line in _wrong_first(lines):
        points = f" ({_points(line)})" if line.worth else ""
        rows.append(
            f"  {'✓' if line.agrees else '✗'} {line.title}{points}" + f": {line.sentence}" * bool(line.sentence)
        )
        rows += [f"      {step}" for step in line.steps]
        rows += [f"      it printed: {printed}" for printed in line.printed.splitlines()]
    return "\n".join(rows)


def _wrong_first(lines: list[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: line.agrees)


def _points(line: Line) -> str:
    worth = f"{round(line.worth, 2):g}"
    return f"{worth if line.agrees else 0} of {worth}"


def _how(line: Line) -> str:
    """The picture and the arithmetic of the right answer."""
    picture = line.figure.img if line.figure else ""
    if not line.steps:
        return picture
    steps = "".join(f"<li>{escape(step)}</li>" for step in line.steps)
    return f"<p><b>How Keras comes to its answer here</b></p>{picture}<ul>{steps}</ul>"


def with_code(sentence: str) -> str:
    """A sentence as HTML; what stands in backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(sentence))
