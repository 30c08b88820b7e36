"""Read a submitted notebook whatever became of its file on the way: what can be graded is kept, nothing is trusted."""

import json
import re
from pathlib import Path
from typing import Any

from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_notebook

from grading.files import FILE_SIZE, MEGABYTE, LeftOut, open_plain

CELLS = 2_000
"""A notebook with more cells than this was not written by hand."""
SOURCE = 1_000_000
"""Characters of one cell; a longer cell is left out."""
SOURCES = 2_000_000
"""Characters of all cells together; the longest are left out. Some texts take a page the square of their length."""
ELEMENTS = 5_000_000
"""Values in a file: each costs up to a hundred bytes of memory, whatever it costs in the file."""

UNUSABLE = "unusable_submission"
"""Key of the metadata of a notebook that stands for a file that could not be used; its value says why."""

CUT_OFF = "The file was cut off or damaged"
"""How a sentence begins that says so."""

DIGESTS = "graded_digests"
"""Key of the metadata of a graded notebook with the digest of its submission, and, behind a space, of a newer one that
did not count."""

NOTES = ("unusable", "mended", "did-not-run")
"""How the ids of cells begin in which grading itself says something; a submission has none of them."""

FOLDER = "folder"
"""Key of the metadata of a notebook that was found in a folder of its submission, with that folder."""

_STRING = re.compile(r'(?s)"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_CELLS = re.compile(r'"(?:cells|worksheets)"\s*:\s*\[\s*(?:\{\s*"cells"\s*:\s*\[)?')
_CELL = re.compile(r'\{\s*+"(?:attachments|cell_type|execution_count|id|metadata|source)"\s*+:')
_BETWEEN = re.compile(r"[\s,]*")
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
_KIND = {"code": "code", "markdown": "markdown", "heading": "markdown"}


class Unusable(Exception):
    """A file of which nothing can be graded; its text is a sentence for a person."""


def is_missing(problem: str) -> bool:
    """Whether what makes a file unusable, in words, is that there is none."""
    return "was not handed in" in problem and "nothing tells which is meant" not in problem


def read_notebook(path: Path) -> tuple[NotebookNode, list[str]]:
    """The cells of a submitted notebook without their outputs, and what had to be mended, in sentences.

    Of the metadata only nbgrader's `grade_id` stays. Reads formats 2 to 4, any UTF, and of damaged files what is whole.
    Raises FileNotFoundError, and Unusable for a file that is none of these or larger than any honest one.
    """
    try:
        with open_plain(path) as file:
            content = file.read(FILE_SIZE + 1)
    except LeftOut as reason:
        raise Unusable(f"{path.name} {reason}") from None
    if not content.strip(b" \t\r\n\0"):
        raise Unusable(f"{path.name} is an empty file")
    if len(content) > FILE_SIZE:
        raise Unusable(f"{path.name} is larger than {FILE_SIZE // MEGABYTE} MB")
    text, said = _decode(content)
    del content
    try:
        found, mended = _parse(text)
        mended = said + mended
        cells = _build(_cells(found), mended)
    except Unusable as reason:
        raise Unusable(f"{path.name} {reason}") from None
    except (RecursionError, MemoryError):
        raise Unusable(f"{path.name} is nested too deep to be a notebook") from None
    return new_notebook(cells=cells), mended


def _decode(content: bytes) -> tuple[str, list[str]]:
    """The text of a file in any UTF or as old editors on Windows write it, and what had to be guessed."""
    encoding = json.detect_encoding(content)
    text = content.decode(encoding, "replace")
    # A file of UTF-8 that was damaged has other characters outside of ASCII that are whole.
    if encoding == "utf-8" and "\ufffd" in text and not re.search(r"[^\0-\x7f\ufffd]", text):
        return content.decode("cp1252", "replace"), ["The file is not UTF-8 and was read as Windows-1252."]
    return text, []


def _parse(text: str) -> tuple[Any, list[str]]:
    """What a file holds, and what was mended; of damaged ones the cells that can be read."""
    # Escaped quotes stand in strings; what is left bounds the number of strings.
    if text.count('"') - text.count('\\"') > 2 * ELEMENTS:
        raise Unusable("holds more values than a notebook has")
    bare = _STRING.sub("", text)
    if sum(map(bare.count, "[{,")) > ELEMENTS:
        raise Unusable("holds more values than a notebook has")
    del bare
    decoder = json.JSONDecoder(
        strict=False,
        object_hook=_without_outputs,
        # No number in a notebook matters, and one of a million digits would take its time.
        parse_int=lambda digits: int(digits) if len(digits) < 20 else 0,
    )
    start = len(text) - len(text.lstrip(" \t\r\n\ufeff"))
    try:
        found, end = decoder.raw_decode(text, start)
    except ValueError:
        return _salvage(text, decoder)
    rest = text[end:].strip(" \t\r\n\0")
    return found, ["Something followed the notebook in its file. It was left out."] if rest else []


def _salvage(text: str, decoder: json.JSONDecoder) -> tuple[Any, list[str]]:
    """Every complete cell, before and behind the places where the file is damaged."""
    begin = _CELLS.search(text)
    cells, place = [], begin.end() if begin else 0
    for _ in range(2 * CELLS):
        try:
            found, place = decoder.raw_decode(text, _BETWEEN.match(text, place).end())
            cells += [found] if isinstance(found, dict) and "cell_type" in found else []
        except json.JSONDecodeError as error:
            # From there on, so that however much is damaged, no part of it is read twice.
            following = _CELL.search(text, max(error.pos, place + 1))
            if not following:
                break
            place = following.start()
    if not cells:
        raise Unusable("is not a notebook: its content is not JSON, perhaps cut off on its way")
    sentence = f"{CUT_OFF}: {len(cells)} cells could be read, the others could not."
    return {"cells": cells}, [sentence]


def _without_outputs(found: dict) -> dict:
    # Here, and not afterwards: the outputs of one cell are gone before those of the next are read.
    found.pop("outputs", None)
    return found


def _cells(found: Any) -> list[dict]:
    """The cells of a parsed notebook of any format."""
    # As Jupyter's own server sends a notebook, and as programs write one: in a list, or its cells alone.
    if isinstance(found, dict) and "cells" not in found and isinstance(found.get("content"), dict):
        found = found["content"]
    if isinstance(found, list):
        is_cells = any(isinstance(one, dict) and "cell_type" in one for one in found)
        found = {"cells": found} if is_cells else next((one for one in found if isinstance(one, dict)), None)
    sheets = [found] if isinstance(found, dict) else []
    if sheets and not isinstance(found.get("cells"), list):
        sheets = found.get("worksheets") if isinstance(found.get("worksheets"), list) else []
    lists = [sheet["cells"] for sheet in sheets if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)]
    if not lists:
        raise Unusable("is not a notebook that can be read: it has no cells")
    cells = [cell for cells in lists for cell in cells if isinstance(cell, dict)]
    if len(cells) > CELLS:
        raise Unusable(f"has more than {CELLS:,} cells")
    return cells


def _build(cells: list[dict], mended: list[str]) -> list[NotebookNode]:
    """Valid cells of nbformat 4.5 with the same content; adds to `mended`."""
    built, ids, said = [], set(), set()
    for place, (raw, source) in enumerate(zip(cells, _sources(cells, said), strict=True)):
        kind = raw.get("cell_type")
        name = raw.get("id")
        if (
            not isinstance(name, str)
            or not re.fullmatch(r"[a-zA-Z0-9_-]{1,50}", name)
            or name in ids
            or name.startswith(NOTES)
        ):
            # No id that is kept has a name of this length.
            name = f"{'no-id-of-its-own':->52}-{place}"
        ids.add(name)
        cell = NotebookNode(
            # nbformat's functions for this validate each cell alone, which takes longer than the whole notebook.
            cell_type=_KIND.get(kind, "raw") if isinstance(kind, str) else "raw",
            id=name,
            metadata=NotebookNode(),
            source=f"## {source}" if kind == "heading" else source,
        )
        if cell.cell_type == "code":
            cell |= {"execution_count": None, "outputs": []}
        grade_id = _grade_id(raw)
        if grade_id:
            cell.metadata["nbgrader"] = NotebookNode(grade_id=grade_id)
        attachments = raw.get("attachments")
        if cell.cell_type != "code" and _are_attachments(attachments):
            cell["attachments"] = NotebookNode(attachments)
        built.append(cell)
    mended += sorted(said)
    return built


def _sources(cells: list[dict], said: set[str]) -> list[str]:
    """The text of each cell, "" where there is no room for it; adds to `said`."""
    sources, room = [_source(raw) for raw in cells], SOURCES
    # The shortest first: photos in a text, as some editors write them into it, take no function its place.
    for place in sorted(range(len(sources)), key=lambda place: len(sources[place])):
        source = sources[place]
        if len(source) > SOURCE:
            sources[place] = ""
            said.add(f"A cell with more than {SOURCE:,} characters was left out.")
        elif len(source) > room:
            sources[place] = ""
            said.add(f"The notebook has more than {SOURCES:,} characters. The longest of its cells were left out.")
        elif "\ufffd" in source:
            said.add("Characters that no file can hold were replaced by \ufffd.")
        room -= len(sources[place])
    return sources


def _source(raw: dict) -> str:
    """The text of one cell as it was handed in, with the line ends and characters of a notebook."""
    written = raw.get("source", raw.get("input", ""))
    lines = written if isinstance(written, list) else [written]
    lines = [line for line in lines if isinstance(line, str)]
    # Some programs write the lines without what ends them.
    text = ("" if any("\n" in line for line in lines[:-1]) else "\n").join(lines)
    return _UNWRITABLE.sub("\ufffd", text).replace("\r\n", "\n").replace("\r", "\n")


def _grade_id(raw: dict) -> str | None:
    """The grade_id of a cell as it was handed in, None where there is none that is a text."""
    found: Any = raw
    for key in ("metadata", "nbgrader", "grade_id"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None


def _are_attachments(found: Any) -> bool:
    """Whether these are pictures in a text as nbformat wants them: a text by type, by name."""
    return (
        isinstance(found, dict)
        and all(
            isinstance(bundle, dict) and all(isinstance(data, str) for data in bundle.values())
            for bundle in found.values()
        )
        and not _UNWRITABLE.search(json.dumps(found, ensure_ascii=False))
    )
