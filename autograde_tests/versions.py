"""What tells a check from the same one before it was changed: what is asked, lent and right, and how it is judged."""

import ast
import functools
import hashlib
import inspect
import textwrap
from collections.abc import Sequence
from types import CodeType, FunctionType, ModuleType

import numpy as np

from autograde_tests.cases import Case
from convblocks.calling import limits
from convblocks.compare import compare
from convblocks.transfer import pack

OURS = {"autograde_tests", "convblocks"}
"""Packages whose code decides with a judge what is right; that of others, as NumPy, is pinned."""


def version(cases: list[Case], answers: list, builds_on: Sequence[str] = ()) -> str:
    """Follows from the cases with their weights, the answers, and the code of the judges, or else of the comparison.

    builds_on: functions that may be lent to the one that is asked.
    """
    return hashlib.sha256(pack([[_asked(one) for one in cases], answers, list(builds_on)])).hexdigest()[:12]


def _asked(one: Case) -> list:
    what = [one.name, list(one.args), one.kwargs, one.probe]
    judge = _does(one.judge, set()) if one.judge else _comparison()
    return [*what, one.weight, one.keeps_inputs, one.call, *limits(one.seconds), judge]


@functools.cache
def _comparison() -> list:
    return _does(compare, set())


def _does(value, seen: set[CodeType]):
    """What a function does, as data: its code without comments, what it closes over, and what of the course it uses."""
    if isinstance(value, functools.partial):
        return [_does(one, seen) for one in (value.func, list(value.args), value.keywords)]
    if isinstance(value, FunctionType):
        code = value.__code__
        if code in seen:
            return value.__qualname__
        seen.add(code)
        inside = [cell.cell_contents for cell in value.__closure__ or ()]
        names = sorted(_names(code))
        beside = {name: value.__globals__[name] for name in names if name in value.__globals__}
        for module in [one for one in beside.values() if isinstance(one, ModuleType) and _package(one) in OURS]:
            # Which of its names are meant is not looked for: some more do no harm.
            beside |= {f"{module.__name__}.{name}": getattr(module, name) for name in names if hasattr(module, name)}
        own = OURS | {_package(value)}
        mine = {name: one for name, one in beside.items() if not _package(one) or _package(one) in own}
        return [_code(code), *(_does(one, seen) for one in (inside, value.__defaults__, value.__kwdefaults__, mine))]
    if hasattr(value, "__wrapped__"):
        return _does(value.__wrapped__, seen)
    if isinstance(value, (list, tuple)):
        return [_does(one, seen) for one in value]
    if isinstance(value, dict):
        return [[str(key), _does(one, seen)] for key, one in value.items()]
    if isinstance(value, (set, frozenset)):
        return ["set", *sorted(repr(_does(one, seen)) for one in value)]
    if isinstance(value, (bytes, complex, range)):
        return repr(value)
    if value is None or isinstance(value, (bool, int, float, str, np.ndarray)):
        return value
    return type(value).__qualname__


def _package(value) -> str:
    """The package that something is from, "" where it is a number or the like."""
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return (name or "").partition(".")[0]


def _names(code: CodeType) -> set[str]:
    """All names that some code, or a function in it, looks up in its module."""
    return {*code.co_names}.union(*(_names(one) for one in code.co_consts if isinstance(one, CodeType)))


def _code(code: CodeType) -> str:
    try:
        return ast.unparse(ast.parse(textwrap.dedent(inspect.getsource(code))))
    except (OSError, SyntaxError):
        # Where it has no file, or is a part of a line.
        return code.co_code.hex()
