"""Mutants: the solutions with one small change each, made mechanically, to see whether the checks notice.

`python -m autograde_tests.mutants` makes and tries all of them; `survivors.toml` says why those live that a check does
not kill. `train` has none: another seed, step or batch size is as right as the solution's.
"""

import contextlib
import multiprocessing
import os
import resource
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import wait

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


def trials(wanted: Iterable[Mutant], processes: int | None = None) -> Iterator[Trial]:
    """Try mutants on both checks, each in a forked process that its loops and arrays cannot outgrow.

    processes: how many at a time, one per processor by default. Trials come as they end.
    """
    context = multiprocessing.get_context("fork")
    running = {}
    for mutant in wanted:
        if mutant.function == "build_model":
            # The threads of Keras do not survive a fork, and nothing in a model runs for ever.
            yield _trial(mutant)
            continue
        if len(running) == (processes or os.cpu_count()):
            yield from _ended(running)
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_send_trial, args=(mutant, theirs))
        process.start()
        theirs.close()
        running[ours] = process, mutant
    while running:
        yield from _ended(running)


def _ended(running: dict) -> Iterator[Trial]:
    for connection in wait(list(running)):
        process, mutant = running.pop(connection)
        try:
            yield connection.recv()
        except EOFError:
            # It took its process along.
            yield Trial(mutant, hidden=True, visible=True)
        process.join()


def _send_trial(mutant: Mutant, connection) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
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
