"""Bring a student's own functions over from the notebooks beside this one, so that nothing has to be typed twice."""

import ast
import builtins
import json
import linecache
import os
import re
import symtable
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


OWN_FUNCTIONS = "<your own functions>"
"""The name of the file in which errors of functions that were brought over are found."""


HEADER = """# Copies of your own functions. If you mend one in its own notebook, write in place of all this
# bring_functions({})  and run the cell again."""


@dataclass
class _Found:
    """code: the sources of a function and of all it needs, by name, none if it is missing; state: what to say of it."""

    code: dict[str, str]
    state: str


def bring_functions(*names: str) -> None:
    """Put your own functions into the cell that calls this, in place of the call, and define them right away.

    names: functions of earlier assignments, such as "pad2d". They are looked for in the notebooks in the folders beside
    this one (`../1-padding/padding.ipynb`). It says what is missing or not written yet. For that the call stays in the
    cell, so that running the cell again tries again, and until then the function raises NotImplementedError.
    Raises ValueError for an unknown name and for a call that is not a line of its own; RuntimeError outside a notebook.
    """
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise RuntimeError("bring_functions works in a notebook: run it in a cell")
    # A submission has to stand on its own: what lies beside it on the grader's machine is not part of it.
    autograding = os.environ.get("NBGRADER_EXECUTION") == "autograde"
    text, states = own_functions(names, None if autograding else Path.cwd().parent)
    cell = replace_call(shell.user_ns.get("In", [""])[-1], text)
    for name, state in states.items():
        found = state.startswith("found")
        print(f"{'✓' if found else '✗'} {name}: {state}")
        if not found:
            shell.user_ns[name] = _stand_in(name)
    if any(state.startswith("found") for state in states.values()):
        print("Whether they are right, their checks over there say. This cell shows their code now: save the notebook.")
    code = text.partition("\n\n\nbring_functions(")[0]
    linecache.cache[OWN_FUNCTIONS] = (len(code), None, code.splitlines(keepends=True), OWN_FUNCTIONS)
    exec(compile(code, OWN_FUNCTIONS, "exec"), shell.user_ns)
    shell.set_next_input(cell, replace=True)


def own_functions(names: Sequence[str], folder: Path | None) -> tuple[str, dict[str, str]]:
    """Code that defines the functions, taken from the notebooks below `folder`, and what to say of each function.

    The code ends with a call of bring_functions for those that are missing, if any is.
    Raises ValueError for a name that no earlier assignment defines.
    """
    unknown = [name for name in names if not isinstance(name, str) or name not in HOMES]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a function of an earlier assignment; known are {', '.join(HOMES)}")
    found, defined = {}, {}
    for name in names:
        found[name] = _find(name, folder)
        # Functions of the course are copies of one, in whichever notebook, and imports do not differ.
        own = {one: source for one, source in found[name].code.items() if one not in HOMES and not _imports(source)}
        twice = [one for one, source in own.items() if defined.get(one, (source, ""))[0] != source]
        if twice:
            found[name] = _Found(
                {}, f"uses another {twice[0]} than your {defined[twice[0]][1]}: give one of the two another name"
            )
        defined |= {one: (source, name) for one, source in own.items() if not twice}
    code = list(dict.fromkeys(part for one in found.values() for part in one.code.values()))
    imports = [part for part in code if _imports(part)]
    listed = ", ".join(f'"{name}"' for name in names)
    parts = ["\n".join([f"{HEADER.format(listed)}", *imports])]
    parts += [part for part in code if part not in imports]
    missing = [f'"{name}"' for name, one in found.items() if not one.code]
    if missing:
        parts.append(f"bring_functions({', '.join(missing)})  # once written and saved, run this cell again")
    return "\n\n\n".join(parts), {name: one.state for name, one in found.items()}


def _imports(source: str) -> bool:
    return source.startswith(("import ", "from "))


def replace_call(cell: str, text: str) -> str:
    """The cell with the line that calls bring_functions replaced by the text; all else stays."""
    try:
        body = ast.parse(cell).body
    except SyntaxError:
        body = []
    calls = [node for node in body if isinstance(node, ast.Expr) and ast.unparse(node).startswith("bring_functions(")]
    if len(calls) != 1:
        raise ValueError(
            "bring_functions(…) has to stand once in a cell, on a line of its own, without magics around it"
        )
    lines = cell.splitlines()
    return "\n".join([*lines[: calls[0].lineno - 1], text, *lines[calls[0].end_lineno :]])


def _stand_in(name: str):
    def missing(*args, **kwargs):
        raise NotImplementedError(
            f"{name} is written in {HOMES[name]}.ipynb: write it there, then run the toolbox cell again"
        )

    missing.__name__ = name
    return missing


def _find(name: str, folder: Path | None) -> _Found:
    home = f"{HOMES[name]}.ipynb"
    if folder is None:
        return _Found({}, "was not brought over before this notebook was handed in")
    try:
        cells = json.loads((folder / home).read_text(encoding="utf-8-sig"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        definitions = _definitions(sources)
    except OSError:
        return _Found({}, f"there is no notebook {home} in {folder}: folders and files have to keep their names")
    except (ValueError, KeyError, TypeError) as error:
        return _Found({}, f"{home} cannot be read as a notebook ({type(error).__name__})")
    if name not in definitions:
        return _Found({}, _why_not_found(name, sources, home))
    if _is_untouched(definitions[name]):
        return _Found({}, f"not written yet in {home}, as it was saved last")
    wanted, lacking = _with_needs(name, definitions)
    state = f"found in {home}"
    if lacking:
        state += f", but not {' and '.join(lacking)}, which it uses: define it there, or import it by its name"
    return _Found({one: source for one, source in definitions.items() if one in wanted}, state)


def _definitions(cells: list[str]) -> dict[str, str]:
    """Every name defined at the top level of the cells, with the source that defines it; the last one counts."""
    found: dict[str, str] = {}
    for cell in cells:
        # Half-written cells are no Python; the rest of the notebook still counts.
        try:
            cell, body = parsed(cell)
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


def _why_not_found(name: str, cells: list[str], home: str) -> str:
    for cell in cells:
        if re.search(rf"^\s*def\s+{name}\b", cell, re.MULTILINE):
            try:
                parsed(cell)
            except SyntaxError as error:
                return f"its cell in {home} is no valid Python (line {error.lineno}: {error.msg})"
    return f"not found in {home}; is it saved there?"


def parsed(cell: str) -> tuple[str, list[ast.stmt]]:
    """A cell and its statements; where it is no Python, with lines such as `%%time` made to do nothing.

    Raises SyntaxError. Not by IPython's own transformer, which takes minutes for some cells.
    """
    try:
        return cell, ast.parse(cell).body
    except SyntaxError:
        # Not at once: a line of Python may begin with % as well.
        cell = re.sub(r"^([ \t]*)[%!].*$", r"\1pass", cell, flags=re.MULTILINE)
        return cell, ast.parse(cell).body


def _with_needs(name: str, definitions: dict[str, str]) -> tuple[set[str], list[str]]:
    """The name and every top-level name that its definition uses, directly or not; and what no cell defines of them."""
    wanted, waiting, lacking = set(), [name], set()
    while waiting:
        current = waiting.pop()
        if current in wanted:
            continue
        wanted.add(current)
        used = _globals(symtable.symtable(definitions[current], "", "exec"))
        waiting += [other for other in used if other in definitions]
        lacking |= {other for other in used if other not in definitions and not hasattr(builtins, other)}
    return wanted, sorted(lacking - {"display", "get_ipython"})


def _globals(table: symtable.SymbolTable) -> set[str]:
    """The names that code takes from outside of itself."""
    top = table.get_type() == "module"
    own = {one.get_name() for one in table.get_symbols() if one.is_referenced() and (top or one.is_global())}
    return own.union(*map(_globals, table.get_children()))


def _is_untouched(source: str) -> bool:
    """A skeleton's body is its docstring and `raise NotImplementedError`."""
    defined = ast.parse(source).body[0]
    body = getattr(defined, "body", [defined])
    last = body[-1]
    return isinstance(last, ast.Raise) and "NotImplementedError" in ast.unparse(last) and len(body) <= 2
