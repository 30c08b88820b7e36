"""A sample class: what each student hands in, and the score that this deserves.

A module beside this one holds what a student wrote, one function for each cell; cells without one stay as released.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from convblocks.toolbox import HOMES, own_functions, replace_call

ASSIGNMENTS = ("1-padding", "2-conv-forward", "3-weight-counting", "4-max-pool", "5-flatten", "6-shapes-classifier")


@dataclass(frozen=True)
class Student:
    """A student of the sample class.

    work: module with what they wrote, None for an untouched notebook. based_on_solution: whether everything else is the
    solution's. scores: the points deserved by assignment; assignments that are not in it are not handed in.
    broken: name of a notebook that arrives cut off.
    """

    name: str
    about: str
    scores: dict[str, float]
    work: str | None = None
    based_on_solution: bool = False
    broken: str = ""


FULL = dict(zip(ASSIGNMENTS, (12, 20, 14, 12, 12, 30), strict=True))

STUDENTS = [
    Student("ada", "the solution itself", FULL, based_on_solution=True),
    Student("ben", "loops and lists", FULL, work="loops", based_on_solution=True),
    Student("cho", "einsum and sliding windows", FULL | {"6-shapes-classifier": 15}, work="arrays"),
    # A flipped kernel of one pixel is the same kernel: 2 of the 24 shares of conv2d's 8 points.
    Student("dan", "one bug: a flipped kernel", {"1-padding": 12, "2-conv-forward": 12.67}, "one_bug", True),
    Student("eli", "half done", {"1-padding": 8, "2-conv-forward": 3}, work="half_done"),
    Student("fay", "untouched", {"1-padding": 0, "6-shapes-classifier": 0}),
    Student("gus", "raises an error", {"1-padding": 8}, work="raises"),
    Student("hal", "loops forever", {"1-padding": 4}, work="endless"),
    Student("ivy", "right, but prints and warns", {"1-padding": 12}, work="noisy"),
    Student("jon", "a file cut off on its way", {"5-flatten": 0}, based_on_solution=True, broken="flatten"),
]


def hand_in(student: Student, notebook: Path, solution: Path) -> None:
    """Fill a fetched notebook in place with what the student wrote. solution: the same notebook, solved."""
    fetched = nbformat.read(notebook, as_version=4)
    solved = {cell.id: cell.source for cell in nbformat.read(solution, as_version=4).cells}
    written = _functions(student.work)
    for cell in fetched.cells:
        if not cell.metadata.get("nbgrader", {}).get("solution"):
            continue
        if cell.id == "toolbox":
            # As the student's own cell would become when run.
            names = [name for name in HOMES if f'"{name}"' in cell.source]
            cell.source = replace_call(cell.source, own_functions(names, notebook.parent.parent)[0])
        elif cell.id in written:
            cell.source = written[cell.id]
        elif student.based_on_solution:
            cell.source = solved[cell.id]
    nbformat.write(fetched, notebook)
    if notebook.stem == student.broken:
        notebook.write_text(notebook.read_text()[:2000])


def _functions(module: str | None) -> dict[str, str]:
    """The source of each function of a student's module, with the imports and the helper (`both`) that it uses."""
    if module is None:
        return {}
    text = (Path(__file__).parent / f"{module}.py").read_text()
    shared, cells = {}, {}
    for node in ast.parse(text).body[1:]:
        source = ast.get_source_segment(text, node)
        if isinstance(node, ast.FunctionDef) and node.name != "both":
            used = [code for name, code in shared.items() if re.search(rf"\b{name}\b", source)]
            cells[node.name] = "\n\n\n".join([*used, source])
        else:
            name = node.name if isinstance(node, ast.FunctionDef) else node.names[0].asname or node.names[0].name
            shared[name] = source
    return cells
