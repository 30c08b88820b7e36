"""What tells a check from the same one before it was changed: what is asked, what is right, and how it is judged."""

import ast
import functools
import hashlib
import inspect
import textwrap
from types import CodeType, FunctionType

import numpy as np

from autograde_tests.cases import Case
from convblocks.compare import compare
from convblocks.transfer import pack


def version(cases: list[Case], answers: list) -> str:
    """Follows from the cases with their weights, the answers, and the code of the judges, or else of the comparison."""
    return hashlib.sha256(pack([[_asked(one) for one in cases], answers])).hexdigest()[:12]


def _asked(one: Case) -> list:
    what = [one.name, list(one.args), one.kwargs, one.probe]
    judge = _does(one.judge, set()) if one.judge else _comparison()
    return [*what, one.weight, one.keeps_inputs, one.call, one.seconds, judge]


@functools.cache
def _comparison() -> list:
    return _does(compare, set())


def _does(value, seen: set[CodeType]):
    """What a function does, as data: its code without comments, what it closes over, and what of its module it uses."""
    if isinstance(value, functools.partial):
        return [_does(one, seen) for one in (value.func, list(value.args), value.keywords)]
    if isinstance(value, FunctionType):
        code = value.__code__
        if code in seen:
            return value.__qualname__
        seen.add(code)
        inside = [cell.cell_contents for cell in value.__closure__ or ()]
        beside = {name: value.__globals__[name] for name in sorted(_names(code)) if name in value.__globals__}
        mine = {
            name: one
            for name, one in beside.items()
            if getattr(one, "__module__", value.__module__) == value.__module__
        }
        return [_code(code), *(_does(one, seen) for one in (inside, value.__defaults__, value.__kwdefaults__, mine))]
    if hasattr(value, "__wrapped__"):
        return _does(value.__wrapped__, seen)
    if isinstance(value, (list, tuple)):
        return [_does(one, seen) for one in value]
    if isinstance(value, dict):
        return [[str(key), _does(one, seen)] for key, one in value.items()]
    if value is None or isinstance(value, (bool, int, float, str, np.ndarray)):
        return value
    return type(value).__qualname__


def _names(code: CodeType) -> set[str]:
    """All names that some code, or a function in it, looks up in its module."""
    return {*code.co_names}.union(*(_names(one) for one in code.co_consts if isinstance(one, CodeType)))


def _code(code: CodeType) -> str:
    try:
        return ast.unparse(ast.parse(textwrap.dedent(inspect.getsource(code))))
    except (OSError, SyntaxError):
        # Where it has no file, or is a part of a line.
        return code.co_code.hex()
