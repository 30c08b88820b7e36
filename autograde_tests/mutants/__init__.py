"""Mutants: the solutions with one small change each, made mechanically, to see whether the checks notice.

`python -m autograde_tests.mutants` makes and tries all of them; `survivors.toml` says why those live that a check does
not kill. `train` has none: another seed, step or batch size is as right as the solution's.
"""

import contextlib
import multiprocessing
import resource
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from autograde_tests.checking import conversation, load_checks, to_outcome
from autograde_tests.mutants.operators import ArgumentRemover, OtherAxis, TextEmptier
from autograde_tests.notebooks import lesson, visible_result
from convblocks.calling import answer
from convblocks.transfer import pack

SECONDS = 1.0
"""How long one call of a mutant may take: more than ten times what any solution needs."""

CPU_SECONDS, MEMORY = 30, 4 * 2**30
"""What all calls of one mutant may take, for loops that no signal ends and for giant arrays (in bytes)."""


@dataclass(frozen=True)
class Mutant:
    """function: its name; line: the changed line; source: the whole changed function."""

    function: str
    line: str
    source: str


@dataclass(frozen=True)
class Trial:
    """Whether the hidden and the visible check of its function kill a mutant."""

    mutant: Mutant
    hidden: bool
    visible: bool


def functions() -> list[str]:
    """The functions whose solutions are mutated, in the lessons' order."""
    return [name for name in load_checks() if name != "train"]


def mutants(function: str) -> list[Mutant]:
    """Every change that the operators make to the solution of `function`, each once."""
    source = lesson(function).source
    tree = get_ast(source)
    # Operators with arguments of their own want names to put in.
    operators = [made() for made in map(get_operator, sorted(operator_names())) if not made.arguments()]
    found = {}
    for operator in [*operators, ArgumentRemover(), TextEmptier(), OtherAxis()]:
        for occurrence in range(sum(len(list(operator.mutation_positions(node))) for node in ast_nodes(tree))):
            changed = mutate_code(source, operator, occurrence)
            with contextlib.suppress(SyntaxError), warnings.catch_warnings(action="ignore"):
                compile(changed, function, "exec")
                found[changed] = Mutant(function, _changed_line(source, changed), changed)
    found.pop(source, None)
    return list(found.values())


def _changed_line(source: str, changed: str) -> str:
    lines = zip(source.splitlines(), changed.splitlines(), strict=True)
    return next((after.strip() for before, after in lines if before != after), "")


def trials(function: str) -> Iterator[Trial]:
    """Try the mutants of one function on both of its checks, in a forked process that their calls cannot outgrow."""
    waiting = mutants(function)
    if function == "build_model":
        # The threads of Keras do not survive a fork, and nothing in a model runs for ever.
        yield from map(_trial, waiting)
        return
    # What they need is made once, before the process that tries them.
    _loses_points(function, lesson(function).names[function])
    context = multiprocessing.get_context("fork")
    while waiting:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_try_all, args=(waiting, theirs))
        process.start()
        theirs.close()
        with contextlib.suppress(EOFError):
            while waiting:
                yield ours.recv()
                waiting = waiting[1:]
        process.join()
        if waiting:
            # It took the process along.
            yield Trial(waiting[0], hidden=True, visible=True)
            waiting = waiting[1:]


def _try_all(wanted: list[Mutant], connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for mutant in wanted:
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + CPU_SECONDS, resource.RLIM_INFINITY))
        connection.send(_trial(mutant))


def _trial(mutant: Mutant) -> Trial:
    names = dict(lesson(mutant.function).names)
    with warnings.catch_warnings(action="ignore"):
        exec(mutant.source, names)
    function = names[mutant.function]
    return Trial(mutant, _loses_points(mutant.function, function), bool(visible_result(mutant.function, function)))


def _loses_points(name: str, function) -> bool:
    steps, reply = conversation(name, points=1), None
    while True:
        try:
            request = steps.send(reply)
        except StopIteration as end:
            return end.value.score < 1
        reply = to_outcome(answer(function, pack(request | {"seconds": SECONDS})))
