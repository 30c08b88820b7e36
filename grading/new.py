"""`convblocks new`: lay out one more exercise, as files that work already, with a ✎ wherever its author has to write.

What is laid out is the simplest exercise there is: a function that gives back the images it gets, which Keras calls
Identity. So everything can be run from the first minute on, and is replaced piece by piece (docs/authoring.md).
"""

import ast
import builtins
import keyword
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograde_tests.checking import module_of
from autograde_tests.oracle import WITHOUT_A_SAY

ROOT = Path(__file__).resolve().parent.parent

POINTS = 10


class Refused(ValueError):
    """What cannot be laid out; its text says why, in a sentence for the author."""


@dataclass(frozen=True)
class Exercise:
    """assignment, as in `7-average-pool`; notebook: its name without .ipynb; function: what students write.

    arguments: those of the function, as Python writes them; names: theirs alone.
    """

    assignment: str
    notebook: str
    function: str
    arguments: str
    names: tuple[str, ...]

    @property
    def module(self) -> str:
        """What the modules of cases and misconceptions are called: the assignment's name without its number."""
        return module_of(self.assignment)


def exercise(place: str, function: str) -> Exercise:
    """What an author asks for. place: ASSIGNMENT/NOTEBOOK; function: a name, or `name(images, other=1)`.

    Raises Refused for names that nbgrader, Python or the course cannot use.
    """
    assignment, slash, notebook = place.partition("/")
    if not re.fullmatch(r"\d+-[a-z][a-z0-9-]*", assignment):
        raise Refused(f"{assignment!r} is no assignment's name: a number, a hyphen, small letters, as in 4-max-pool")
    if not slash or not re.fullmatch(r"[a-z][a-z0-9_]*", notebook):
        raise Refused(f"{place!r} does not end in the name of a notebook, as 4-max-pool/max_pool does (without .ipynb)")
    called = function if "(" in function else f"{function}(images)"
    try:
        (definition,) = ast.parse(f"def {called}: pass").body
        arguments = definition.args
        names = [one.arg for one in arguments.args]
    except (SyntaxError, ValueError, AttributeError):
        raise Refused(f"{function!r} is no function as Python writes it: name, or name(images, other=1)") from None
    if not names or arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs:
        raise Refused(f"{function!r} needs plain arguments alone, and at least one")
    if len(names) - len(arguments.defaults) > 1:
        raise Refused(f"{function!r}: give every argument but the first a default; it can be taken away later")
    made = Exercise(assignment, notebook, definition.name, ast.unparse(arguments).replace("'", '"'), tuple(names))
    if made.module.startswith(WITHOUT_A_SAY) or keyword.iskeyword(made.module):
        raise Refused(f"a module {made.module}.py in autograde_tests/ would be taken for something else")
    if hasattr(builtins, made.function):
        raise Refused(f"{made.function} is a function of Python's own; give yours another name")
    if made.function in _names(*(source for kind, _, source in CELLS if kind != "text")):
        raise Refused(f"{made.function} is a name that the notebook uses for something else; take another")
    if clash := sorted({*names} & _names(CASES, MISCONCEPTIONS)):
        raise Refused(f"the argument {clash[0]} has the name of something that the checks use; give it another one")
    return made


def _names(*sources: str) -> set[str]:
    """All that code in the templates below imports, defines or uses."""
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    found = {one.asname or one.name for one in nodes if isinstance(one, ast.alias)}
    return (
        found
        | {one.id for one in nodes if isinstance(one, ast.Name)}
        | {one.arg for one in nodes if isinstance(one, ast.arg)}
    )


def lay_out(made: Exercise, root: Path = ROOT) -> list[Path]:
    """Write the files of an exercise into the course at `root`, and its line into the README's table; what was written.

    Raises Refused where a file of it, its notebook's name or the function is there already; then nothing is written.
    """
    notebook = root / "source" / made.assignment / f"{made.notebook}.ipynb"
    cases = root / "autograde_tests" / f"{made.module}.py"
    wrong_ways = root / "autograde_tests" / "misconceptions" / f"{made.module}.py"
    for path in (notebook.parent, cases, wrong_ways):
        if path.exists():
            raise Refused(f"{path.relative_to(root)} is there already; to add to what is there, write in it")
    for path in sorted((root / "source").glob(f"*/{made.notebook}.ipynb")):
        # `pytest --notebook` knows a lesson by its file's name alone.
        raise Refused(f"{path.relative_to(root)} is called so already; give the notebook a name of its own")
    for path in sorted((root / "autograde_tests").glob("*.py")):
        if f"def {made.function}_cases(" in path.read_text():
            raise Refused(f"{made.function} is a function of the course already, in {path.relative_to(root)}")
    readme = root / "README.md"
    rows = list(re.finditer(r"^\| \d+-.*\n", readme.read_text(), re.MULTILINE))
    if not rows:
        raise Refused("README.md has no table of assignments to add a line to")
    notebook.parent.mkdir(parents=True)
    nbformat.write(_notebook(made), notebook)
    cases.write_text(_filled(CASES, made))
    wrong_ways.write_text(_filled(MISCONCEPTIONS, made))
    row, end = f"| {made.assignment} | `{made.function}` | {POINTS} |\n", rows[-1].end()
    readme.write_text(readme.read_text()[:end] + row + readme.read_text()[end:])
    return [notebook, cases, wrong_ways, readme]


def _filled(text: str, made: Exercise) -> str:
    names = {
        "ASSIGNMENT": made.assignment,
        "MODULE": made.module,
        "NUMBER": made.assignment.partition("-")[0],
        "FUNCTION": made.function,
        "ARGUMENTS": made.arguments,
        "NAMES": ", ".join(made.names),
        "FIRST": made.names[0],
        "POINTS": str(POINTS),
    }
    return re.sub("|".join(names), lambda found: names[found[0]], text)


def _notebook(made: Exercise) -> nbformat.NotebookNode:
    cells = []
    for kind, name, source in CELLS:
        source, name = _filled(source, made), _filled(name, made)
        cell = new_code_cell(source) if kind != "text" else new_markdown_cell(source)
        cell.id = name
        if kind not in ("text", "code"):
            graded = {"grade": kind == "check", "locked": kind != "solution", "solution": kind == "solution"}
            cell.metadata.nbgrader = {"grade_id": name, "schema_version": 3, "task": False, **graded}
            if kind == "check":
                cell.metadata.nbgrader.points = POINTS
        cells.append(cell)
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


CASES = '''"""Hidden checks of ASSIGNMENT: ✎ what they are about."""

import numpy as np

from autograde_tests.cases import Case, graded, signed
from autograde_tests.oracle import layer


def keras_FUNCTION(ARGUMENTS) -> np.ndarray:
    """✎ Identity with these settings."""
    return layer("Identity", inputs=FIRST)


@graded(oracle=keras_FUNCTION)
def FUNCTION_cases(rng):
    return [
        Case("✎ one image", (signed(rng, 1, 3, 4, 1),), showable=True),
        Case("fractions stay fractions", (signed(rng, 2, 5, 3, 2) / 16,)),
        Case("the images given stay as they were", (signed(rng, 1, 4, 3, 2),), keeps_inputs=True),
        Case("random images", (signed(rng, *map(int, rng.integers(2, 7, 4))),)),
    ]
'''

MISCONCEPTIONS = '''"""Wrong ways to ✎."""

import numpy as np

from autograde_tests.misconceptions import LOOK, twist

# The heading in the lesson that a student is sent back to.
LOOK["FUNCTION"] = "Exercise 1 · `FUNCTION`"


def _FUNCTION(ARGUMENTS):
    """Right, in another way than the solution: what the wrong ways below change."""
    return np.stack([np.asarray(one, dtype=float) for one in FIRST])


@twist(
    "FUNCTION",
    _FUNCTION,
    wrong="✎ all signs are turned",
    shows="✎ Positive numbers are negative in your result, and negative ones are positive.",
)
def MODULE_signs_turned(right, NAMES):
    return -right(NAMES)
'''

CELLS = [
    (
        "text",
        "title",
        """# NUMBER · ✎ Title

✎ What this is about, in three lines. You will write `FUNCTION`, which is Keras' `Identity`.

*About 45 minutes · POINTS points.*""",
    ),
    (
        "locked",
        "imports",
        """import numpy as np

from convblocks import as_batch, draw, given, grid, visible_check""",
    ),
    (
        "text",
        "idea",
        """## ✎ The idea

✎ A picture for every step: a lesson has five or more.

> **Predict.** ✎ What will come out?""",
    ),
    (
        "code",
        "idea-figure",
        """picture = np.array([[1, 7, -4],
                    [3, 0, -2]])

draw(grid(picture, "input", "image"), "→", grid(picture, "output", "✎ what comes out"))""",
    ),
    (
        "text",
        "idea-answer",
        """<details><summary>What you saw</summary>

✎ The answer, and why.
</details>""",
    ),
    (
        "text",
        "ex1",
        """## Exercise 1 · `FUNCTION`

*✎ In three words · difficulty ●○○ · 10 minutes · POINTS points*

**Why.** ✎ What it is good for.

**By hand.** ✎ A small example on paper.""",
    ),
    (
        "solution",
        "FUNCTION",
        '''def FUNCTION(ARGUMENTS):
    """✎ What it does, in one line.

    FIRST: array (batch, rows, columns, channels).
    Returns an array (batch, rows, columns, channels).
    """
    ### BEGIN SOLUTION
    return np.array(FIRST)
    ### END SOLUTION''',
    ),
    (
        "check",
        "check_FUNCTION",
        """two_by_three = as_batch(picture)
two_pictures = np.arange(-6, 6).reshape(2, 1, 3, 2) / 4

visible_check(FUNCTION, [
    given(two_by_three).expect(two_by_three, "✎ what this example shows"),
    given(two_pictures).expect(two_pictures, "two pictures of two channels"),
])
### BEGIN HIDDEN TESTS
from autograde_tests import check

check("FUNCTION", FUNCTION, points=POINTS)
### END HIDDEN TESTS""",
    ),
    (
        "text",
        "ex1-hints",
        """<details><summary>I do not know how to start</summary>

✎ The first step.
</details>

**In Keras:** ✎ `keras.layers.Identity()`.""",
    ),
    (
        "text",
        "end",
        """## What you know now

- ✎""",
    ),
]
