"""Visible checks: a function is tried on examples small enough to compute by hand, and told about in plain words."""

import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from convblocks import toolbox
from convblocks.calling import NOT_WRITTEN, SECONDS, Outcome, call, parameter_names
from convblocks.compare import compare
from convblocks.figures import side_by_side
from convblocks.table import Line, html_table, plain_table


class VisibleCheckFailed(AssertionError):
    """Some examples of a visible check do not agree; shown in a notebook as one line instead of a traceback."""

    def _render_traceback_(self):
        return [str(self)]


class NotWrittenYet(NotImplementedError):
    """The function of a visible check still is the skeleton; shown in a notebook as one line."""

    def _render_traceback_(self):
        return [str(self)]


def _not_written(shell, kind, error, trace, tb_offset=None) -> list[str]:
    """What IPython shows of a skeleton that a cell has called: one line instead of a traceback."""
    frame = traceback.extract_tb(trace)[-1]
    if frame.filename == toolbox.__file__:
        shell._showtraceback(kind, error, [str(error)])
        return [str(error)]
    if error.args or frame.name == "<module>" or "ipykernel_" not in frame.filename:
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
        return []
    said = [f"{frame.name} is not written yet: write it in its cell above, run that cell, then this one."]
    shell._showtraceback(kind, error, said)
    return said


def _not_defined(shell, kind, error, trace, tb_offset=None) -> list[str]:
    """What IPython shows of a name that no cell has defined: where it may be; of a visible check's, that alone."""
    where = "Is it defined in a cell above that has not run? Run > Run All Above Selected Cell runs them all."
    checks = traceback.extract_tb(trace)[-1].name == "<module>" and "visible_check(" in shell.user_ns["In"][-1]
    if checks:
        broken = _syntax_error(error.name)
        shown = [
            broken
            or f"{error.name} is not defined. Has its cell run without an error, and is it spelt so there? {where}"
        ]
    else:
        shown = [*shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=tb_offset), where]
    shell._showtraceback(kind, error, shown)
    return shown


def _syntax_error(function: str) -> str:
    """What keeps the cell of a function from running, "" where what was run last of it has no error of syntax."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    ran = shell.user_ns.get("In", []) if shell else []
    of_it = [source for source in ran if re.search(rf"^[ \t]*def[ \t]+{function}\b", source, re.MULTILINE)]
    try:
        compile(toolbox.parsed(of_it[-1])[0] if of_it else "", "", "exec")
    except SyntaxError as error:
        return f"The cell of {function} has not run, since it is no Python yet: {error.msg}, in line {error.lineno}."
    except ValueError:
        pass
    return ""


def _in_words(shell, kind, error, trace, tb_offset=None) -> list[str]:
    """IPython knows one way to show errors besides its own."""
    show = _not_defined if issubclass(kind, NameError) else _not_written
    return show(shell, kind, error, trace, tb_offset)


if "IPython" in sys.modules and (shell := sys.modules["IPython"].get_ipython()):
    shell.set_custom_exc((NotImplementedError, NameError), _in_words)


@dataclass(frozen=True)
class Example:
    """Arguments of one call, what is expected of it, and why."""

    args: tuple
    kwargs: dict
    expected: object
    why: str


class given:
    """`given(*arguments).expect(value, why)`: one example of a visible check."""

    def __init__(self, *args, **kwargs):
        self._args, self._kwargs = args, kwargs

    def expect(self, value, why: str = "") -> Example:
        """value: what the function should return, a list of lists for an array; why: what the example shows."""
        return Example(self._args, self._kwargs, _as_array(value), why)


def as_batch(image) -> np.ndarray:
    """One image, (rows, columns) or (rows, columns, channels), as a batch: (1, rows, columns, channels)."""
    image = np.asarray(image)
    return image.reshape(1, *image.shape, *(1,) * (3 - image.ndim))


def visible_check(
    function: Callable, examples: Sequence[Example], name: str | None = None, seconds: float = SECONDS
) -> None:
    """Try `function` on every example, show a table of what agrees, and raise if something does not.

    name: what the student knows it by, where `function` only looks at what they wrote. seconds: for one example, as in
    `call`. Raises NotWrittenYet (a NotImplementedError) for a skeleton and VisibleCheckFailed for anything else. While
    nbgrader autogrades (its NBGRADER_EXECUTION is "autograde") it does nothing: the hidden check's result stands there.
    """
    if os.environ.get("NBGRADER_EXECUTION") == "autograde":
        return
    name = name or getattr(function, "__name__", "your function")
    lines, missing = [], []
    for example in examples:
        outcome = call(function, *example.args, seconds=seconds, **example.kwargs)
        missing += [outcome.sentence] if outcome.kind == "not written" else []
        lines.append(_line(function, example, outcome))
        if outcome.kind == "too long":
            break
    if len(missing) == len(examples):
        if missing[0] != NOT_WRITTEN:
            # It is another one that is missing.
            raise NotWrittenYet(f"{name} cannot be tried: {missing[0].removeprefix('not written yet: ')}")
        unwritten = f"{name} is not written yet: write it in the cell above, run that cell, then this one."
        raise NotWrittenYet(_syntax_error(name) or unwritten)
    right = sum(line.agrees for line in lines)
    heading = f"{name}: {right} of {len(examples)} visible examples agree"
    passed = right == len(examples)
    _show(heading + ". Your points come from hidden cases of the same kind, with other numbers." * passed, lines)
    if not passed:
        # Validate shows this alone, without the table.
        first = next(line for line in lines if not line.agrees)
        said = first.sentence.replace("`", "")
        raise VisibleCheckFailed(f"{heading}. The first that does not:\n{first.title}:\n{said}")


def _line(function: Callable, example: Example, outcome: Outcome) -> Line:
    sentence, figure = outcome.sentence, None
    if outcome.kind == "returned":
        comparison = compare(outcome.value, example.expected)
        sentence = comparison.sentence
        if not comparison.agrees:
            figure = side_by_side(outcome.value, example.expected)
        elif outcome.changed:
            sentence = f"the numbers agree, but the function changed its input {' and '.join(outcome.changed)}"
    title = describe_call(function, example.args, example.kwargs) + (f": {example.why}" if example.why else "")
    return Line(title, not sentence, sentence, figure=figure, printed=outcome.printed)


def describe_call(function: Callable, args: Sequence, kwargs: dict) -> str:
    """The call as a person would write it; arrays by their name and shape."""
    names = parameter_names(function, len(args))
    said = [_argument(name, value, name) for name, value in zip(names, args, strict=True)]
    said += [f"{name}={_argument('', value, name)}" for name, value in kwargs.items()]
    return f"{getattr(function, '__name__', 'function')}({', '.join(said)})"


def _argument(prefix: str, value, name: str) -> str:
    if isinstance(value, np.ndarray):
        return f"{prefix or name} {value.shape}".strip()
    if isinstance(value, list) and len(repr(value)) > 100:
        return f"{name} of {len(value)}"
    return repr(value)


def _as_array(value):
    """Nested lists of numbers stand for arrays; tuples, texts and lists of tuples stay what they are."""
    if isinstance(value, list):
        try:
            array = np.array(value)
        except ValueError:
            return value
        if array.dtype.kind in "iuf" and not any(isinstance(item, tuple) for item in value):
            return array
    return value


def _show(heading: str, lines: list[Line]) -> None:
    from IPython.display import display

    display({"text/html": html_table(heading, lines), "text/plain": plain_table(heading, lines)}, raw=True)
