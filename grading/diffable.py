"""A notebook as text that people can compare: `python3 -m grading.diffable lesson.ipynb`, which `git diff` runs.

nbdime would bring a server and an extension into everyone's JupyterLab, and nbconvert takes a second for each notebook.
"""

import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path


def main() -> None:
    """Print the notebook's text; of a file that is none, as in a merge with conflicts, what stands in it."""
    content = Path(sys.argv[1]).read_text(encoding="utf-8", errors="replace")
    try:
        lines = list(as_text(json.loads(content)))
    except (ValueError, KeyError, TypeError, AttributeError):
        lines = content.splitlines()
    sys.stdout.reconfigure(encoding="utf-8")
    print(*lines, sep="\n")


def as_text(notebook: dict) -> Iterator[str]:
    """Lines of all that an author writes, cell by cell, and of what it shows; of a picture whether it is another."""
    for cell in notebook["cells"]:
        yield f"──── {cell['cell_type']} {cell.get('id', '')}"
        yield from _metadata(cell["metadata"])
        yield from "".join(cell["source"]).split("\n")
        for output in cell.get("outputs", []):
            said = output.get("text", output.get("evalue", ""))
            for kind, content in output.get("data", {"text/plain": said}).items():
                if kind == "text/plain":
                    yield from (f"→ {line}" for line in "".join(content).splitlines())
                else:
                    yield f"→ {kind} {zlib.crc32(str(content).encode()):08x}"
        yield ""
    yield "──── notebook"
    yield from _metadata({name: value for name, value in notebook.items() if name != "cells"})


def _metadata(tree: dict, path: str = "") -> Iterator[str]:
    """One line for each value, with the way to it."""
    for name, value in sorted(tree.items()):
        if isinstance(value, dict):
            yield from _metadata(value, f"{path}{name}.")
        else:
            yield f"{path}{name}: {json.dumps(value, ensure_ascii=False)}"


if __name__ == "__main__":
    main()
