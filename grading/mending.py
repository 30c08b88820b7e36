"""Bring the cells of a submission back into the shape that nbgrader released, by their content where need be."""

import ast
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import ClearHiddenTests
from rapidfuzz import fuzz

from autograde_tests.checking import load_checks
from convblocks.toolbox import parsed

ALIKE = 80
"""How alike, of 100, a cell and a released one must be to be taken for the same."""
APART = 5
"""By how much it must be more like that one than like any other."""


@dataclass
class Wanted:
    """A notebook of the assignment as the gradebook knows it.

    cells: for every cell that nbgrader knows, by its grade_id, its `source` and its nbgrader `metadata`.
    """

    name: str
    cells: dict[str, dict] = field(default_factory=dict)

    @property
    def graded(self) -> list[str]:
        """The ids of the cells that a check grades."""
        return self._which(lambda known: known["grade"] and not known["solution"])

    @property
    def locked(self) -> list[str]:
        """The ids of the cells that are the same for everybody and not graded: the imports."""
        return self._which(lambda known: known["locked"] and not known["grade"] and not known["task"])

    @property
    def by_hand(self) -> list[str]:
        """The ids of the cells that a person grades."""
        return self._which(lambda known: known["task"] or (known["grade"] and known["solution"]))

    def _which(self, is_one: Callable[[dict], bool]) -> list[str]:
        return [name for name, cell in self.cells.items() if is_one(cell["metadata"])]

    @property
    def own(self) -> set[str]:
        """The ids that no other notebook has, functions and their checks."""
        return set(self.cells) - {"toolbox", "imports"}

    @property
    def functions(self) -> list[str]:
        """The functions that students write, which their cells are named after."""
        return self._which(lambda known: known["solution"] and not known["grade"] and known["grade_id"] in self.own)

    def has_work(self, notebook: NotebookNode) -> bool:
        """Whether a notebook defines any function otherwise than it was handed out."""
        return any(
            has_definition(cell, name) and not self.is_released(name, cell)
            for name in self.functions
            for cell in notebook.cells
        )

    def check(self, graded: str) -> tuple[str, str]:
        """The hidden check that a graded cell calls and the function handed to it, by name; "" where there is none."""
        return called_check(self.cells[graded]["source"])

    def points(self, graded: str) -> float:
        """What a graded cell is worth."""
        return float(self.cells[graded]["metadata"]["points"])

    @property
    def scored_by(self) -> dict[str, tuple[str, float]]:
        """The check of each graded cell, by its name, and what it is worth."""
        return {graded: (self.check(graded)[0], self.points(graded)) for graded in self.graded}

    @functools.cached_property
    def released(self) -> dict[str, str]:
        """The sources of the cells as students received them."""
        sources, clear = {}, ClearHiddenTests()
        for name, known in self.cells.items():
            cell = new_code_cell(known["source"], metadata={"nbgrader": known["metadata"]})
            sources[name] = clear.preprocess_cell(cell, {}, 0)[0].source
        return sources

    def is_released(self, name: str, cell: NotebookNode) -> bool:
        """Whether a cell says what the one of this name said as students received it, but for white space."""
        return _bare(cell.source) == _bare(self.released[name])

    def recognises(self, notebook: NotebookNode) -> bool:
        """Whether a notebook has a cell of this one, by its id or, where it has none of any notebook, by content."""
        ids = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells}
        ids -= {None, "toolbox", "imports"}
        if ids:
            # Functions may have come over from other notebooks.
            return bool(ids & self.own)
        return any(
            any(self.is_released(name, cell) for name in self.graded)
            or any(has_definition(cell, name) for name in self.functions)
            for cell in notebook.cells
        )


def called_check(source: str) -> tuple[str, str]:
    """The hidden check that some code calls and the function handed to it, by name; "" where there is none."""
    found = re.search(r"\bcheck\(\s*[\"'](\w+)[\"']\s*,\s*(\w+)", source)
    return (found[1], found[2]) if found else ("", "")


@functools.lru_cache(maxsize=8)
def wanted_notebooks(db_url: str, assignment: str) -> list[Wanted]:
    """The notebooks that an assignment consists of; empty for an assignment that was never generated.

    Kept for one run, which begins with `cache_clear`.
    """
    with Gradebook(db_url) as gradebook:
        try:
            notebooks = gradebook.find_assignment(assignment).notebooks
        except MissingEntry:
            return []
        return [_wanted(notebook) for notebook in notebooks]


def _wanted(notebook) -> Wanted:
    points = {cell.name: cell.max_score for cell in notebook.grade_cells}
    tasks = {cell.name: cell.max_score for cell in notebook.task_cells}
    solutions = {cell.name for cell in notebook.solution_cells}
    wanted = Wanted(notebook.name)
    for cell in notebook.source_cells:
        metadata = {
            "grade": cell.name in points,
            "grade_id": cell.name,
            "locked": bool(cell.locked),
            "schema_version": 3,
            "solution": cell.name in solutions,
            "task": cell.name in tasks,
            "cell_type": str(cell.cell_type),
        }
        metadata |= {"points": (points | tasks)[cell.name]} if cell.name in points | tasks else {}
        wanted.cells[cell.name] = {"source": cell.source, "metadata": metadata}
    return wanted


def defines(cell: NotebookNode, function: str) -> bool:
    """Whether a code cell defines a function of this name."""
    return cell.cell_type == "code" and has_definition(cell, function)


def definitions(cell: NotebookNode) -> dict[str, set[str]]:
    """What a cell imports, defines and names: each such statement, with its names; none where it is no Python."""
    try:
        _, body = parsed(cell.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    lines = cell.source.split("\n")
    found = {}
    for one in body:
        if isinstance(one, ast.Import):
            # One module that is not there takes no other with it.
            found |= {ast.unparse(ast.Import([alias])): _names(alias) for alias in one.names}
        elif isinstance(one, (ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign, ast.Try)):
            first = min([one.lineno, *(each.lineno for each in getattr(one, "decorator_list", []))])
            found["\n".join(lines[first - 1 : one.end_lineno])] = _names(one)
    return found


def _names(node: ast.AST) -> set[str]:
    """What a statement names, but for what is named inside of functions and classes."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, ast.alias):
        return {(node.asname or node.name).partition(".")[0]}
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Store) else set()
    return set().union(*map(_names, ast.iter_child_nodes(node)))


def has_definition(cell: NotebookNode, function: str) -> bool:
    """Whether a cell of any type has the first line of a function of this name, or makes it a name of another."""
    # No white space that crosses lines: a million empty ones would be looked at once from each of them.
    name = re.escape(function)
    return bool(re.search(rf"^(?:[ \t]*def[ \t]+{name}[ \t]*\(|{name}[ \t]*=[^=])", cell.source, re.MULTILINE))


def mend(notebook: NotebookNode, wanted: Wanted) -> list[str]:
    """Give every cell that nbgrader knows its type, metadata and, if it is locked, its source; in place.

    Cells whose metadata are lost are found by their content, graded cells that are not there are put back. Where
    something else was written in one, that stays as a cell of the student's own. Returns what was mended, in sentences
    for student and instructor.
    """
    cells, told = notebook.cells, {}
    told["The cell of {} was as it was handed out; what another cell defines was taken instead."] = [
        name for name in wanted.functions if _without_stub(cells, name, wanted)
    ]
    found, copied = _by_id(cells, wanted)
    told["More than one cell had the id of {}: it is graded once, and the copies stay as cells of your own."] = [
        name for name in copied if name in wanted.graded
    ]
    again = _by_content(cells, wanted, found) | _by_definition(cells, wanted, found)
    found |= again
    told["Found again by content, as the metadata were lost: {}."] = [
        name for name in again if name not in wanted.locked
    ]

    # It may be needed below: a function that was merged into its check, or an import.
    changed = {
        name: found.pop(name)
        for name in (*wanted.locked, *wanted.graded)
        if name in found and found[name].source.strip() and not wanted.is_released(name, found[name])
    }
    for name, cell in changed.items():
        # What comes back need not be there twice, and may have stood above a function that it needs.
        cell.source = cell.source.replace(wanted.released[name], "")
    told["Turned back into code: {}."] = [
        name for name, cell in found.items() if cell.cell_type != wanted.cells[name]["metadata"]["cell_type"]
    ]
    for name, cell in found.items():
        _rebuild(cell, wanted.cells[name])

    told["Put back, as it was missing or changed: {}."] = lost = [
        name for name in wanted.cells if name not in found and name in {*wanted.graded, *wanted.locked, *wanted.by_hand}
    ]
    for place, name in enumerate(name for name in wanted.locked if name in lost):
        cells.insert(place, _restored(name, wanted))
    cells += [_restored(name, wanted) for name in wanted.by_hand if name in lost]
    for name in (name for name in wanted.graded if name in lost):
        after = next((place for place, cell in enumerate(cells) if cell is changed.get(name)), None)
        if after is None:
            after = _last_definition(cells, wanted.check(name)[1], default=len(cells) - 1)
        cells.insert(after + 1, _restored(name, wanted))
    told["What had been written in the cell of {} instead is kept and was run, too."] = list(changed)
    told["Moved to the top: {}."] = [name for name in wanted.locked if _move_above(cells, name, wanted)]
    told["Moved below what it needs: {}."] = [name for name in wanted.graded if _move_below(cells, name, wanted)]
    told["No code cell defines {}."] = [
        name for name in wanted.functions if not any(defines(cell, name) for cell in cells)
    ]
    return [sentence.format(", ".join(f"`{name}`" for name in names)) for sentence, names in told.items() if names]


def _without_stub(cells: list[NotebookNode], function: str, wanted: Wanted) -> bool:
    """Take out the cells of a function that are as handed out, where another one defines it; whether there were any."""
    defining = [cell for cell in cells if defines(cell, function)]
    stubs = [cell for cell in defining if wanted.is_released(function, cell) or _is_skeleton(cell, function)]
    if not stubs or len(stubs) == len(defining):
        return False
    cells[:] = [cell for cell in cells if all(cell is not stub for stub in stubs)]
    return True


def _is_skeleton(cell: NotebookNode, function: str) -> bool:
    """Whether a cell holds nothing but a function of this name that does nothing, whatever its comments say."""
    try:
        (found,) = ast.parse(cell.source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    if not isinstance(found, ast.FunctionDef) or found.name != function:
        return False
    return all(
        isinstance(one, ast.Pass)
        or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
        or (isinstance(one, ast.Raise) and "NotImplementedError" in ast.dump(one))
        for one in found.body
    )


def _by_id(cells: list[NotebookNode], wanted: Wanted) -> tuple[dict[str, NotebookNode], list[str]]:
    """A cell for every id that the gradebook knows, and the ids that come again; takes the metadata off.

    Of several it is the first as released, or else the first.
    """
    every: dict[str, list[NotebookNode]] = {}
    for cell in cells:
        name = cell.metadata.pop("nbgrader", {}).get("grade_id")
        if name in wanted.cells:
            every.setdefault(name, []).append(cell)
    found = {}
    for name, copies in every.items():
        released = [cell for cell in copies if name in wanted.graded and wanted.is_released(name, cell)]
        found[name] = (released or copies)[0]
    return found, sorted(name for name, copies in every.items() if len(copies) > 1)


def _by_content(cells: list[NotebookNode], wanted: Wanted, found: dict[str, NotebookNode]) -> dict[str, NotebookNode]:
    """The locked cells that are not in `found`, by what they say: the same, or one that is like no other."""
    names = [name for name in wanted.cells if wanted.cells[name]["metadata"]["locked"] and name not in found]
    released = {name: _bare(wanted.released[name]) for name in names}
    taken = {id(cell) for cell in found.values()}
    loose = [(cell, _bare(cell.source)) for cell in cells if id(cell) not in taken]
    again: dict[str, NotebookNode] = {}
    for name in names:
        exact = next((cell for cell, source in loose if source == released[name]), None)
        if exact is not None:
            again[name] = exact
    loose = [(cell, source) for cell, source in loose if all(cell is not one for one in again.values())]
    scores = {
        (name, place): score
        for name in names
        if name not in again
        for place, (_, source) in enumerate(loose)
        if (score := fuzz.ratio(released[name], source, score_cutoff=ALIKE - APART))
    }
    for (name, place), score in scores.items():
        rivals = [other for pair, other in scores.items() if (pair[0] == name) != (pair[1] == place)]
        if score >= ALIKE and all(other <= score - APART for other in rivals):
            again[name] = loose[place][0]
    return again


def _by_definition(
    cells: list[NotebookNode], wanted: Wanted, found: dict[str, NotebookNode]
) -> dict[str, NotebookNode]:
    """The cells of functions that are not in `found`: the last that defines it, or a text that begins by doing so."""
    again: dict[str, NotebookNode] = {}
    for name in wanted.functions:
        if name in found:
            continue
        taken = [*found.values(), *again.values()]
        code = [cell for cell in cells if defines(cell, name)]
        text = [cell for cell in cells if cell.cell_type != "code" and re.match(rf"\s*def\s+{name}\s*\(", _code(cell))]
        free = [cell for cell in code or text if all(cell is not one for one in taken)]
        if free:
            again[name] = free[-1]
    return again


def _rebuild(cell: NotebookNode, known: dict) -> None:
    """Make a cell what the gradebook knows it to be; a student's own source stays."""
    kind = known["metadata"]["cell_type"]
    if cell.cell_type != kind:
        cell.source = _code(cell) if kind == "code" else cell.source
        for key in ("attachments", "outputs", "execution_count"):
            cell.pop(key, None)
        cell.cell_type = kind
    if kind == "code":
        cell.outputs, cell.execution_count = [], None
    cell.metadata = NotebookNode(nbgrader=NotebookNode(known["metadata"]))
    if known["metadata"]["locked"]:
        cell.source = known["source"]


def _code(cell: NotebookNode) -> str:
    """The code in a text: what stands between fences, or all of it where there are none."""
    return "".join(re.findall(r"^```[^\n]*\n(.*?)^```", cell.source + "\n", re.MULTILINE | re.DOTALL)) or cell.source


def _restored(name: str, wanted: Wanted) -> NotebookNode:
    cell = new_code_cell(id=f"restored-{name}".replace("_", "-")[:64])
    cell.source = wanted.cells[name]["source"]
    _rebuild(cell, wanted.cells[name])
    return cell


def _last_definition(cells: list[NotebookNode], function: str, default: int) -> int:
    """The place of the last cell that defines a function."""
    return max((place for place, cell in enumerate(cells) if function and defines(cell, function)), default=default)


def _move_below(cells: list[NotebookNode], graded: str, wanted: Wanted) -> bool:
    """Move a graded cell below what it needs and that stands below it alone; whether it did.

    That is a definition of its function and, of each earlier function of the notebook that this may call, a definition
    and its check: what stands behind that can be lent.
    """
    place = next(place for place, cell in enumerate(cells) if _name(cell) == graded)
    name, function = wanted.check(graded)
    known = load_checks().get(name)
    earlier = [one for one in known.builds_on if one in wanted.functions] if known else []
    needed = [lambda cell, one=one: defines(cell, one) for one in (function, *earlier)]
    needed += [lambda cell, one=one: _name(cell) == one for one in wanted.graded if wanted.check(one)[1] in earlier]
    below = max(_below(cells, place, is_needed) for is_needed in needed)
    if below < 0:
        return False
    cells.insert(below, cells.pop(place))
    return True


def _below(cells: list[NotebookNode], place: int, is_needed: Callable[[NotebookNode], bool]) -> int:
    """The place of the last of such cells, -1 where one stands above this place or there is none."""
    if any(map(is_needed, cells[: place + 1])):
        return -1
    return max((one for one in range(place + 1, len(cells)) if is_needed(cells[one])), default=-1)


def _move_above(cells: list[NotebookNode], locked: str, wanted: Wanted) -> bool:
    """Move the imports to the top where they stand below a function or a check; whether it did."""
    place = next(place for place, cell in enumerate(cells) if _name(cell) == locked)
    if not any(_name(cell) in (*wanted.functions, *wanted.graded) for cell in cells[:place]):
        return False
    cells.insert(0, cells.pop(place))
    return True


def _name(cell: NotebookNode) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _bare(source: str) -> str:
    """A source without white space, in which editors differ."""
    return "".join(source.split())
