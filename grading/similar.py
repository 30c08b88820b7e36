"""Similar work: pairs of submissions that share more than the task explains, as a place to look and never a verdict.

The cell of each function is read as the syntax that it has, without names of its own variables, comments, docstrings
and layout. Every run of `RUN` parts of it is a fragment, of which winnowing keeps some, the same ones wherever the same
code stands (Schleimer, Wilkerson, Aiken: Winnowing: Local Algorithms for Document Fingerprinting, SIGMOD 2003, which
is how MOSS works). What the lesson shows is taken out. A fragment counts by how rare it is among the answers, of the
class and of this course's own independent right ones, so that the one usual way to write three lines says nothing
however many have written it. Nothing of a submission is run.
"""

import ast
import builtins
import collections
import functools
import glob
import hashlib
import itertools
import json
import math
import re
import warnings
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import nbformat
import numpy as np

from convblocks.toolbox import parsed
from grading.intake import taken
from grading.mending import Wanted, has_definition
from grading.sanitize import pages

ROOT = Path(__file__).resolve().parent.parent

RUN = 12
"""Parts of syntax in a fragment: shorter runs are idioms of the language."""
WINDOW = 4
"""Of so many neighbouring fragments at least one is kept, so a shared run of RUN + WINDOW - 1 parts is never missed."""
USUAL = 50
"""What more answers than this have in common is the usual way, and counts nothing."""
ALIKE = 25
"""Told of is who shares as much as so many fragments that nobody else has: above the most that two independent right
answers share, as `python -m benchmarks.similar` measures."""
SHOWN = 200
"""Pairs on a page, the most alike ones."""
LONGEST = 50_000
"""Characters of a cell that is looked at; nobody writes that much for one function."""


class Unreadable(Exception):
    """Code of which no syntax can be told; its text is the rest of a sentence that begins with what it is."""


@dataclass(frozen=True)
class Fragment:
    """A run of syntax: a number that is the same wherever the run stands, and the first and last line of it here."""

    number: int
    first: int
    last: int


@dataclass
class Pair:
    """Two students, and in the cell of which function how much is alike, in fragments that they alone have."""

    students: tuple[str, str]
    alike: dict[str, float] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """How much is alike in all."""
        return sum(self.alike.values())


def fragments(source: str, function: str, given: Collection[int] = (), others: Collection[str] = ()) -> list[Fragment]:
    """The fragments that winnowing keeps of the code for `function`, but for those whose number is in `given`.

    others: functions that are looked at by themselves, wherever they stand. Raises Unreadable for what is no Python.
    """
    runs = [one for one in _runs(_parts(source, function, others)) if one.number not in given]
    kept = {}
    for start in range(max(len(runs) - WINDOW + 1, min(len(runs), 1))):
        # The last of equally small ones, as in the paper: it stays for longest.
        place = min(range(start, min(start + WINDOW, len(runs))), key=lambda one: (runs[one].number, -one))
        kept[place] = runs[place]
    return list(kept.values())


def shown(sources: Iterable[str], function: str, others: Collection[str] = ()) -> set[int]:
    """The numbers of all runs in code that everybody was shown; what is no Python is passed over."""
    numbers = set()
    for source in sources:
        try:
            numbers |= _numbers(_runs(_parts(source, function, others)))
        except Unreadable:
            continue
    return numbers


def _runs(parts: list[tuple[str, int]]) -> list[Fragment]:
    runs = []
    for start in range(len(parts) - RUN + 1):
        run = parts[start : start + RUN]
        digest = hashlib.blake2b("\n".join(name for name, _ in run).encode(errors="replace"), digest_size=8).digest()
        lines = [line for _, line in run]
        runs.append(Fragment(int.from_bytes(digest), min(lines), max(lines)))
    return runs


def _parts(source: str, function: str, others: Collection[str] = ()) -> list[tuple[str, int]]:
    """The syntax of some code in order, each part with its line; of `function` itself the body alone."""
    tree = _tree(source)
    own = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    own |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    parts: list[tuple[str, int]] = []
    waiting: list[tuple[ast.AST, int]] = [(tree, 1)]
    while waiting:
        node, line = waiting.pop()
        line = getattr(node, "lineno", line)
        children = list(ast.iter_child_nodes(node))
        outermost = node.name if isinstance(node, ast.FunctionDef) and node in tree.body else None
        if outermost in others or isinstance(node, (ast.expr_context, ast.Import, ast.ImportFrom)) or _is_text(node):
            continue
        if outermost == function:
            # Its name and arguments are everybody's.
            children = node.body
        else:
            parts.append((_named(node, own), line))
        if isinstance(node, ast.arg):
            children = []
        elif isinstance(node, ast.AnnAssign):
            children = [one for one in (node.target, node.value) if one]
        elif isinstance(node, ast.FunctionDef):
            children = [one for one in children if one is not node.returns]
        waiting += [(child, line) for child in reversed(children)]
    return parts


def _tree(source: str) -> ast.Module:
    if len(source) > LONGEST:
        raise Unreadable(f"has more than {LONGEST:,} characters")
    try:
        with warnings.catch_warnings():
            # Of escapes that no string knows.
            warnings.simplefilter("ignore")
            _, body = parsed(source)
            return ast.Module(body, [])
    except Exception:
        # Python raises many kinds of errors for what is nested deep or made to be odd.
        raise Unreadable("is no Python that can be read") from None


def _named(node: ast.AST, own: set[str]) -> str:
    """A part of syntax: its kind, and what it names where that is not the writer's own choice."""
    kind = type(node).__name__.replace("AnnAssign", "Assign")
    if isinstance(node, ast.Name) and hasattr(builtins, node.id) and node.id not in own:
        return f"{kind} {node.id}"
    if isinstance(node, ast.Attribute):
        return f"{kind} {node.attr}"
    if isinstance(node, ast.keyword):
        return f"{kind} {node.arg}"
    if isinstance(node, ast.Constant):
        return f"{kind} {node.value!r:.40}"
    return kind


def _is_text(node: ast.AST) -> bool:
    """Whether this is a docstring, or another text that does nothing."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def weights(answers: Iterable[Collection[int]]) -> dict[int, float]:
    """How much each fragment counts among these answers: 1 where two alone have it, 0 where all do, or more than USUAL.

    This is inverse document frequency, log(answers / those that have it), in units of the most that two can share
    (Spärck Jones: A statistical interpretation of term specificity, 1972).
    """
    answers = list(answers)
    counts = collections.Counter(itertools.chain.from_iterable(answers))
    most = math.log(max(len(answers), 3) / 2)
    # Of what one alone has nothing is shared.
    return {number: math.log(len(answers) / count) / most for number, count in counts.items() if 2 <= count <= USUAL}


@functools.cache
def independent_answers() -> dict[str, list[str]]:
    """By function, the sources of right answers of this course that nobody has copied from another.

    They are those of the tests, the solution's and two of the sample class; one that stands in two of these places,
    letter for letter, is one. Nothing is imported for it.
    """
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "autograde_tests" / "right_answers").glob("[!_]*.py")):
        text = path.read_text()
        for node in ast.parse(text).body:
            for mark in getattr(node, "decorator_list", []):
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "right_answer":
                    source = ast.get_source_segment(text, node).replace(
                        f"def {node.name}(", f"def {mark.args[0].value}("
                    )
                    found.setdefault(mark.args[0].value, []).append(source)
    for name in ("arrays", "loops"):
        text = (ROOT / "grading" / "sample_class" / f"{name}.py").read_text()
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef) and node.name in found:
                found[node.name].append(ast.get_source_segment(text, node))
    for path in sorted((ROOT / "solutions").glob("*/*.ipynb")):
        for cell in json.loads(path.read_text())["cells"]:
            name = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if name in found:
                found[name].append("".join(cell["source"]))
    return {name: list({_bare(source): source for source in ones}.values()) for name, ones in found.items()}


def _bare(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.body = [one for one in node.body if not _is_text(one)]
    return ast.unparse(tree)


@dataclass(frozen=True)
class Chance:
    """What is known of likeness by chance, measured on the course's own independent right answers.

    answers, pairs: how many there are, and of two for the same function; alike: how many of these pairs share ALIKE or
    more; most: what the most alike share. submissions: of all pairs of submissions put together from them, one answer
    for each function and none in both, the share that is alike. bound: what the true share of such pairs exceeds one
    time in twenty, after so few.
    """

    answers: int
    pairs: int
    alike: int
    most: float
    submissions: float
    bound: float


def chance(functions: Collection[str]) -> Chance:
    """See Chance. A function without independent answers counts as one in which nothing is ever alike.

    bound is the upper end of Wilson's interval for the pairs of all functions of the course, once for each of
    `functions` (Wilson: Probable inference, the law of succession, and statistical inference, 1927).
    """
    scores = {name: _scores(name, sources) for name, sources in independent_answers().items()}
    known = [name for name in functions if scores.get(name)]
    every = [score for ones in scores.values() for score in ones]
    alike, z = sum(score >= ALIKE for score in every) / len(every), 1.645
    spread = math.sqrt(alike * (1 - alike) / len(every) + (z / len(every)) ** 2 / 4)
    upper = (alike + z**2 / len(every) / 2 + z * spread) / (1 + z**2 / len(every))
    here = [score for name in known for score in scores[name]]
    return Chance(
        sum(len(independent_answers()[name]) for name in known),
        len(here),
        sum(score >= ALIKE for score in here),
        max(here, default=0.0),
        share_alike([scores[name] for name in known]),
        min(1.0, upper * len(functions)),
    )


def _scores(function: str, sources: list[str]) -> list[float]:
    """How much is alike of every two of these answers."""
    answers = [_numbers(fragments(source, function)) for source in sources]
    counts = weights(answers)
    return [_shared(counts, one, other) for one, other in itertools.combinations(answers, 2)]


def _shared(counts: dict[int, float], one: set[int], other: set[int]) -> float:
    return sum(counts.get(number, 0) for number in one & other)


def share_alike(scores: Iterable[list[float]]) -> float:
    """Of all sums of one score from each list, the share that reaches ALIKE."""
    totals = {0.0: 1.0}
    for ones in scores:
        sums: dict[float, float] = collections.defaultdict(float)
        counts = collections.Counter(round(one, 1) for one in ones)
        for (total, share), (score, count) in itertools.product(totals.items(), counts.items()):
            sums[round(total + score, 1)] += share * count / len(ones)
        totals = sums
    return sum(share for total, share in totals.items() if total >= ALIKE)


def _numbers(found: Iterable[Fragment]) -> set[int]:
    return {one.number for one in found}


@dataclass
class Handed:
    """What was found for an assignment: by student and function the source of a cell and its fragments.

    functions: all that the assignment asks for. skipped: by student, in sentences, what could not be read.
    """

    assignment: str
    functions: list[str]
    cells: dict[str, dict[str, tuple[str, list[Fragment]]]] = field(default_factory=dict)
    skipped: dict[str, list[str]] = field(default_factory=dict)

    @property
    def pairs(self) -> int:
        """How many pairs there are of students who wrote anything that can be read."""
        return math.comb(sum(any(source for source, _ in cells.values()) for cells in self.cells.values()), 2)


def read(coursedir, assignment: str) -> Handed:
    """Read what was handed in, from `submitted/` or else `autograded/`; runs nothing and writes nothing.

    coursedir: nbgrader's CourseDirectory. Raises FileNotFoundError where the assignment was never released.
    """
    released = Path(coursedir.format_path(coursedir.release_directory, ".", assignment))
    notebooks = {path.stem: nbformat.read(path, as_version=4) for path in sorted(released.glob("*.ipynb"))}
    if not notebooks:
        raise FileNotFoundError(f"{released} holds no notebook")
    wanted = [_wanted(name, notebook) for name, notebook in notebooks.items()]
    handed = Handed(assignment, [function for one in wanted for function in one.functions])
    others = {function: set(handed.functions) - {function} for function in handed.functions}
    given = {
        function: shown(_code_of(notebooks[one.name]), function, others[function])
        for one in wanted
        for function in one.functions
    }
    files = frozenset(f"{name}.ipynb" for name in notebooks)
    for student, folder in sorted(_folders(coursedir, assignment).items()):
        cells, said = {}, []
        for one in wanted:
            notebook, _, problem = taken(folder / f"{one.name}.ipynb", one, files)
            said += [problem] * bool(problem)
            for function in one.functions if notebook else ():
                source = _written(notebook, one, function)
                try:
                    cells[function] = source, fragments(source, function, given[function], others[function])
                except Unreadable as reason:
                    said.append(f"the cell of {function} {reason}")
        handed.cells[student] = cells
        if said:
            handed.skipped[student] = said
    return handed


def _folders(coursedir, assignment: str) -> dict[str, Path]:
    """The folder of every student's submission."""
    found = {}
    for step in (coursedir.autograded_directory, coursedir.submitted_directory):
        pattern = re.compile(coursedir.format_path(step, "(?P<student>[^/]*)", assignment, escape=True))
        for folder in glob.glob(coursedir.format_path(step, "*", assignment)):
            if match := pattern.fullmatch(folder):
                found[match["student"]] = Path(folder)
    return found


def _wanted(name: str, notebook) -> Wanted:
    """A released notebook as Wanted, which the gradebook knows after it was released."""
    cells = {
        cell.metadata.nbgrader.grade_id: {"source": cell.source, "metadata": dict(cell.metadata.nbgrader)}
        for cell in notebook.cells
        if "nbgrader" in cell.metadata
    }
    return Wanted(name, cells)


def _code_of(notebook) -> list[str]:
    """All code that a notebook shows, in cells and in texts."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    # What goes over from one cell to the next is shown, too.
    sources.append("\n".join(sources))
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            sources += re.findall(r"^```\w*\n(.*?)^```", cell.source, re.MULTILINE | re.DOTALL)
            sources += re.findall(r"`([^`\n]+)`", cell.source)
    return sources


def _written(notebook, wanted: Wanted, function: str) -> str:
    """What a student wrote for a function: in its own cell, or else in the last that defines it; "" for nothing."""
    cells = [
        cell for cell in notebook.cells if has_definition(cell, function) and not wanted.is_released(function, cell)
    ]
    own = [cell for cell in cells if cell.metadata.get("nbgrader", {}).get("grade_id") == function]
    return (own or cells)[-1].source if cells else ""


def compare(handed: Handed) -> list[Pair]:
    """The pairs that are alike beyond ALIKE, the most alike first.

    An inverted index finds them: only who shares a fragment that counts is looked at.
    """
    students = sorted(handed.cells)
    numbers = {one: {name: _numbers(cell[1]) for name, cell in handed.cells[one].items()} for one in students}
    counts, pairs, scores = {}, [], []
    for function, usual in _usual(handed.functions).items():
        written = {one: numbers[one][function] for one in students if numbers[one].get(function)}
        counts[function] = weights([*written.values(), *usual])
        holders: dict[int, list[int]] = collections.defaultdict(list)
        for place, one in enumerate(students):
            for number in written.get(one, ()):
                if number in counts[function]:
                    holders[number].append(place)
        for number, places in holders.items():
            first, second = np.triu_indices(len(places), 1)
            pairs.append(np.asarray(places)[first] * len(students) + np.asarray(places)[second])
            scores.append(np.full(len(first), counts[function][number]))
    if not pairs:
        return []
    who, which = np.unique(np.concatenate(pairs), return_inverse=True)
    totals = np.bincount(which, weights=np.concatenate(scores))
    found = []
    for one in who[totals >= ALIKE].tolist():
        both = students[one // len(students)], students[one % len(students)]
        pair = Pair(both)
        for function, count in counts.items():
            if amount := _shared(count, *(numbers[one].get(function, set()) for one in both)):
                pair.alike[function] = amount
        found.append(pair)
    return sorted(found, key=lambda pair: (-pair.score, pair.students))


def _usual(functions: Iterable[str]) -> dict[str, list[set[int]]]:
    independent = independent_answers()
    return {name: [_numbers(fragments(source, name)) for source in independent.get(name, [])] for name in functions}


def page(handed: Handed, pairs: list[Pair]) -> str:
    """One HTML page that needs no network and runs no script: the pairs side by side, what they share marked."""
    sides = [(pair, [(name, _side_by_side(handed, pair, name)) for name in pair.alike]) for pair in pairs[:SHOWN]]
    return (
        pages()
        .get_template("similar.html.j2")
        .render(handed=handed, found=len(pairs), sides=sides, chance=chance(handed.functions), alike=ALIKE)
    )


def as_data(handed: Handed, pairs: list[Pair]) -> dict:
    """What was found, as data for another program."""
    return {
        "assignment": handed.assignment,
        "verdict": None,
        "alike": ALIKE,
        "pairs_in_class": handed.pairs,
        "chance": asdict(chance(handed.functions)),
        "pairs": [
            {"students": pair.students, "score": round(pair.score, 1), "functions": pair.alike} for pair in pairs
        ],
        "skipped": handed.skipped,
    }


def _side_by_side(handed: Handed, pair: Pair, function: str) -> list[list[tuple[int, str, bool]]]:
    """Of both cells the lines: number, text, and whether it is in a fragment that both have."""
    both = [handed.cells[one][function] for one in pair.students]
    shared = _numbers(both[0][1]) & _numbers(both[1][1])
    sides = []
    for source, found in both:
        marked = {line for one in found if one.number in shared for line in range(one.first, one.last + 1)}
        sides.append([(place, text, place in marked) for place, text in enumerate(source.split("\n"), 1)])
    return sides
