"""Bring a student's own functions over from the notebooks beside this one, so that nothing has to be typed twice."""

import ast
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HOMES = {
    "output_size": "1-padding/padding",
    "padding_amounts": "1-padding/padding",
    "pad2d": "1-padding/padding",
    "activate": "2-conv-forward/conv_forward",
    "conv2d": "2-conv-forward/conv_forward",
    "max_pool2d": "4-max-pool/max_pool",
    "flatten": "5-flatten/flatten",
    "dense": "5-flatten/flatten",
}
"""The notebook in which each function that later notebooks build on is written."""


@dataclass
class _Found:
    """code: source lines that define a function and all it needs; state: what to tell the student about it."""

    code: list[str]
    state: str


def bring_functions(*names: str) -> None:
    """Put your own functions into the cell that calls this, in place of the call, and define them right away.

    names: functions of earlier assignments, such as "pad2d". They are looked for in the notebooks in the folders beside
    this one (`../1-padding/padding.ipynb`). What is missing or not written yet is said, and gets a line that raises
    NotImplementedError, so that the notebook runs as far as it can; put the call back to try again.
    Raises ValueError for an unknown name, and when the cell holds anything but this call (it would be lost);
    RuntimeError outside a notebook.
    """
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise RuntimeError("bring_functions works in a notebook: run it in a cell of its own")
    _refuse_to_replace_other_work(shell.user_ns.get("In", [""])[-1])
    # A submission has to stand on its own: what lies beside it on the grader's machine is not part of it.
    autograding = os.environ.get("NBGRADER_EXECUTION") == "autograde"
    text, states = own_functions(names, None if autograding else Path.cwd().parent)
    for name, state in states.items():
        print(f"{'✓' if state.startswith('from') else '✗'} {name}: {state}")
    exec(compile(text, "<your own functions>", "exec"), shell.user_ns)
    shell.set_next_input(text, replace=True)


def own_functions(names: Sequence[str], folder: Path | None) -> tuple[str, dict[str, str]]:
    """The text of a cell that holds the functions, taken from notebooks below `folder`, and what to say of each function.

    Raises ValueError for a name that no earlier assignment defines.
    """
    unknown = [name for name in names if name not in HOMES]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a function of an earlier assignment; known are {', '.join(HOMES)}")
    found = {name: _find(name, folder) for name in names}
    code = list(dict.fromkeys(part for one in found.values() for part in one.code))
    imports = [part for part in code if part.startswith(("import ", "from "))]
    others = [part for part in code if part not in imports]
    head = "# Your own functions, brought here from your earlier notebooks. Change them here if you like."
    return "\n\n\n".join(["\n".join([head, *imports]), *others]), {name: one.state for name, one in found.items()}


def _refuse_to_replace_other_work(cell: str) -> None:
    """The cell's text is replaced, so it must hold imports and the call alone."""
    try:
        body = ast.parse(cell).body
    except SyntaxError:
        body = [ast.Pass()]
    if any(not isinstance(node, (ast.Import, ast.ImportFrom, ast.Expr)) for node in body):
        raise ValueError("this cell holds more than bring_functions(…), which would be lost: put the call in its own cell")


def _find(name: str, folder: Path | None) -> _Found:
    missing = [f'def {name}(*args, **kwargs):\n    raise NotImplementedError("{name} is written in {HOMES[name]}.ipynb")']
    if folder is None:
        return _Found(missing, "this cell was handed in without having been run")
    try:
        cells = json.loads((folder / f"{HOMES[name]}.ipynb").read_text(encoding="utf-8-sig"))["cells"]
        definitions = _definitions(["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"])
    except OSError:
        return _Found(missing, f"no notebook {HOMES[name]}.ipynb beside this one")
    except (ValueError, KeyError, TypeError) as error:
        return _Found(missing, f"{HOMES[name]}.ipynb cannot be read as a notebook ({type(error).__name__})")
    if name not in definitions:
        return _Found(missing, f"not found in {HOMES[name]}.ipynb")
    wanted = _with_needs(name, definitions)
    code = [part for part in dict.fromkeys(definitions.values()) if part in {definitions[need] for need in wanted}]
    if _is_untouched(definitions[name]):
        return _Found(missing, f"not written yet in {HOMES[name]}.ipynb")
    return _Found(code, f"from {HOMES[name]}.ipynb")


def _definitions(cells: list[str]) -> dict[str, str]:
    """Every name defined at the top level of the cells, with the source that defines it; the last one counts."""
    found: dict[str, str] = {}
    for cell in cells:
        # Magics and half-written cells are no Python; the rest of the notebook still counts.
        try:
            body = ast.parse(cell).body
        except SyntaxError:
            continue
        for node in body:
            source = ast.get_source_segment(cell, node)
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                decorators = [f"@{ast.unparse(one)}\n" for one in node.decorator_list]
                names, source = [node.name], "".join(decorators) + source
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [(alias.asname or alias.name).split(".")[0] for alias in node.names]
            elif isinstance(node, ast.Assign):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            else:
                continue
            for name in names:
                found.pop(name, None)
                found[name] = source
    return found


def _with_needs(name: str, definitions: dict[str, str]) -> set[str]:
    """The name and every other top-level name that its definition uses, directly or through others."""
    wanted, waiting = set(), [name]
    while waiting:
        current = waiting.pop()
        if current in wanted:
            continue
        wanted.add(current)
        used = {node.id for node in ast.walk(ast.parse(definitions[current])) if isinstance(node, ast.Name)}
        waiting += [other for other in used if other in definitions]
    return wanted


def _is_untouched(source: str) -> bool:
    """A skeleton's body is its docstring and `raise NotImplementedError`."""
    body = ast.parse(source).body[0].body
    last = body[-1]
    return isinstance(last, ast.Raise) and "NotImplementedError" in ast.unparse(last) and len(body) <= 2
