"""The command line of the course: `convblocks`, for instructors, and its `new` for authors.

nbgrader takes a second to import, so that is left to the functions that need it, after the workers have begun to.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import functools
import gc
import itertools
import json
import logging
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from grading import workers
from grading.workers import NoCluster

if TYPE_CHECKING:
    from nbgrader.apps import AutogradeApp

    from grading.course import Course
    from grading.pool import Change, Summary
    from grading.status import Problem, Status
    from grading.submission import Ran

app = typer.Typer(no_args_is_help=True, add_completion=False)


class _Stopped(KeyboardInterrupt):
    """Ctrl-C was pressed.

    Once KeyboardInterrupt itself has left an `exec` of some text, as while a dataclass is being made, `python -m` ends
    by the signal, whatever exit code the command asks for.
    """


@contextlib.contextmanager
def _heeding_ctrl_c_once() -> Iterator[None]:
    """After Ctrl-C this process ignores it, to its very end, and ends what it has begun."""

    def stop(*_) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise _Stopped

    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if usual and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is stop:
            signal.signal(signal.SIGINT, signal.default_int_handler)


@app.callback()
def convblocks(context: typer.Context) -> None:
    """Run a course, in the folder of its nbgrader_config.py.

    Every command exits with 0 where all was done; with 1 where some of it could not be, which is named; with 2 where
    nothing was, as there is no course here or what was asked for is not there; and with 130 after Ctrl-C. What --json
    prints stands alone on standard output, and all else goes to standard error.
    """
    context.with_resource(_heeding_ctrl_c_once())


def _name(typed: str) -> str:
    """An assignment's name, also where a shell has completed that of its folder."""
    return typed.rstrip("/")


Assignment = Annotated[str, typer.Argument(help="Assignment, such as 1-padding.", parser=_name, metavar="ASSIGNMENT")]
Assignments = Annotated[
    list[str], typer.Argument(help="Assignments, such as 1-padding.", parser=_name, metavar="ASSIGNMENT…")
]
WorkerCount = Annotated[int, typer.Option(min=1, help="How many submissions are graded at once on this machine.")]
Scheduler = Annotated[str, typer.Option(help="Address of a Dask cluster's scheduler, to grade there.")]
Students = Annotated[
    list[str], typer.Option("--student", help="Only this student's, or these; 'a*' are all whose ids begin so.")
]
Unsafe = Annotated[
    bool, typer.Option("--unsafe-no-sandbox", help="Run submissions where they can read and change your files.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Say it for a program, on standard output.")]
PROCESSORS = workers.processors()


@app.command()
def grade(
    assignments: Assignments,
    workers: WorkerCount = PROCESSORS,
    scheduler: Scheduler = "",
    students: Students = ("*",),
    force: Annotated[bool, typer.Option("--force", help="Also what has been graded.")] = False,
    as_json: AsJson = False,
    unsafe_no_sandbox: Unsafe = False,
) -> None:
    """Grade what was collected, each submission in a sandbox: as `nbgrader autograde` does, but many at once.

    Ctrl-C stops it; the same command again goes on from there, or with --force begins anew.
    """
    graders = _graders(workers, scheduler, unsafe_no_sandbox)
    from grading import pool

    console = _console()
    options = (f"--Execute.unsafe_no_sandbox={unsafe_no_sandbox}",)
    apps = _apps(console, assignments, students, *["--force"] * force, *options)
    with _cluster_or_nothing(), _progress(console) as (begin, tell, _):
        summary = pool.grade(apps, options, graders, begin, tell)
    again = "begins anew, and the others keep what they had" if force else "goes on from there"
    _show(console, summary, "graded", f"What was graded is stored; the same command again {again}.")
    if summary.kept:
        console.print(_line(f"Kept the better earlier attempt of: {_named(summary.kept)}."))
    _exit(summary, as_json)


@app.command()
def regrade(
    assignments: Assignments,
    apply: Annotated[bool, typer.Option("--apply", help="Store it; otherwise it is only shown.")] = False,
    workers: WorkerCount = PROCESSORS,
    scheduler: Scheduler = "",
    students: Students = ("*",),
    as_json: AsJson = False,
    unsafe_no_sandbox: Unsafe = False,
) -> None:
    """Score again, after a check was changed, its cells and those that build on them, and show who gains or loses what.

    On a terminal it asks whether to store that; --apply does so without a question. All else of what was graded stays.
    """
    graders = _graders(workers, scheduler, unsafe_no_sandbox)
    from grading import pool

    console = _console()
    options = (f"--Execute.unsafe_no_sandbox={unsafe_no_sandbox}",)
    apps = _apps(console, assignments, students, *options)
    _say_differing(console, apps)

    changes: list[Change] = []

    def decide(found: list[Change], outdated: int) -> bool:
        # Or the bar would be drawn over the question.
        stop()
        changes.extend(found)
        _show_changes(console, changes, outdated)
        somebody_there = console.is_terminal and sys.stdin.isatty() and not as_json
        try:
            store = apply or bool(changes and somebody_there and typer.confirm("Store these scores?", err=True))
        except typer.Abort:
            # Ctrl-C, as anywhere else in a run.
            raise KeyboardInterrupt from None
        if changes and not store:
            console.print("Nothing was stored; the same command with --apply does it.")
        return store

    # What was said of these submissions when they were graded is known.
    with _cluster_or_nothing(), _progress(console, failures_alone=True) as (begin, tell, stop):
        summary = pool.regrade(apps, options, graders, begin, tell, decide)
    if summary.due:
        console.print(f"{summary.due} not graded yet, or handed in anew: `convblocks grade` grades them.")
    if summary.kept:
        said = "An earlier attempt than the one in submitted/ counts, and keeps its score, of"
        console.print(_line(f"{said}: {_named(summary.kept)}. Put it back there to have it scored again."))
    if apply or summary.graded or summary.failed or summary.stopped or summary.lost or summary.skipped:
        _show(console, summary, "stored", "All other scores stay as they were; the same command again begins anew.")
    _exit(summary, as_json, changes=list(map(dataclasses.asdict, changes)))


@app.command()
def roster(
    file: Annotated[
        Path, typer.Argument(help="CSV: id, first_name, last_name, email, lms_user_id; all but id optional.")
    ],
    skip_wrong: Annotated[bool, typer.Option("--skip-wrong", help="Import the right rows all the same.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put the class into the gradebook, with the names and identifiers that exports and zip_collect need.

    Wrong rows are named, and then nothing is imported. Nobody is taken out.
    """
    console = _console()
    app = _nbgrader()
    from nbgrader.api import Gradebook

    from grading.course import Course, NoCourse
    from grading.roster import Imported, compare, import_roster, read_roster

    try:
        read, done = read_roster(file), Imported()
    except OSError as error:
        _give_up(f"{file} cannot be read ({error.strerror}). Nothing was imported.")
    try:
        # Where nothing is imported, no gradebook comes to be.
        with Course(app.coursedir, None, app.config).gradebook() as gradebook:
            if gradebook:
                compare(gradebook, read)
    except NoCourse as reason:
        _give_up(f"Nothing was imported: {reason}.", 1)
    whole = not read.wrong or (skip_wrong and bool(read.rows))
    if whole:
        with _storing("imported"), Gradebook(app.coursedir.db_url, app.coursedir.course_id) as gradebook:
            done = import_roster(gradebook, read)
    if as_json:
        told = {"imported": whole, "wrong": [dataclasses.asdict(one) for one in read.wrong], "ignored": read.ignored}
        typer.echo(json.dumps(told | dataclasses.asdict(done), indent=2))
    else:
        for one in read.wrong:
            console.print(_line(f"{file.name}, line {one.line}: {one.problem}. {one.to_do}"))
        if read.ignored:
            console.print(_line(f"These columns mean nothing here: {', '.join(read.ignored)}."))
        if whole:
            wrong = f", {len(read.wrong)} left out" * bool(read.wrong)
            same = len(read.rows) - len(done.added) - len(done.changed)
            counts = f"{len(done.added)} added, {len(done.changed)} changed, {same} as they were{wrong}"
            console.print(f"{len(read.rows)} student{'s' * (len(read.rows) != 1)}: {counts}.")
        else:
            console.print("Nothing was imported. Mend these rows, or import the others with --skip-wrong.")
        if done.elsewhere:
            console.print(_line(f"In the gradebook, and not in this file: {', '.join(done.elsewhere)}. They stay."))
    if read.wrong:
        raise typer.Exit(1 if whole else 2)


@app.command()
def extend(
    assignment: Assignment,
    student: Annotated[str, typer.Argument(help="Id of the student.")],
    hours: Annotated[float, typer.Argument(help="Hours after everybody's deadline; 0 takes an extension back.")],
) -> None:
    """Give one student more time, also for what has been graded: its late penalty is reckoned anew."""
    console = _console()
    app = _nbgrader()
    from nbgrader.converters import NbGraderException

    from grading import policy

    app.log.addHandler(_Said(console))
    try:
        with _storing("changed"):
            due, before, after = policy.extend(app.coursedir, app.config, assignment, student, hours)
    except policy.NoExtension as error:
        _give_up(str(error))
    except NbGraderException as error:
        _give_up(str(error), 1)
    changed = f" Late penalty: {before:g} before, {after:g} now." * (before != after)
    console.print(_line(f"{student} has until {due:%Y-%m-%d %H:%M} UTC for {assignment}.{changed}"))


@app.command()
def status(
    as_json: AsJson = False,
) -> None:
    """Show what has been done in the course, what went wrong, and what comes next with the command for it.

    Changes nothing.
    """
    course = _course()
    _checks()
    from grading.course import NoCourse
    from grading.status import look

    try:
        found = list(look(course))
    except NoCourse as reason:
        _refuse(reason)
    if as_json:
        typer.echo(
            json.dumps(
                {"course": course.coursedir.course_id, "assignments": list(map(dataclasses.asdict, found))}, indent=2
            )
        )
    else:
        _show_status(Console(width=None if os.isatty(1) else 100, highlight=False), course, found)


@app.command()
def report(
    assignments: Annotated[
        list[str] | None, typer.Argument(help="Assignments; all by default.", parser=_name, metavar="ASSIGNMENT…")
    ] = None,
    to: Annotated[Path, typer.Option(help="The page, NAME.html, or a folder for it.")] = Path("report"),
) -> None:
    """Make one page on the class that opens without a network, and CSV files beside it.

    How scores are distributed, how hard each check is, what the class misunderstood, who needs help and who never
    started. It names students: mind who can read it.
    """
    course = _course()
    if to.suffix not in ("", ".html") and not to.is_dir():
        _give_up(f"Nothing to show: a report is a page, NAME.html, or a folder for it, and {to} is neither.")
    _checks()
    from grading import report
    from grading.course import NoCourse

    try:
        written = report.report(course, assignments or [], to)
    except NoCourse as reason:
        _refuse(reason)
    except OSError as reason:
        _give_up(f"The report cannot be written: {reason}.", 1)
    for path in written:
        typer.echo(path)


def _course() -> Course:
    """The course in this folder; ends the command with 2, and in words, where there is none."""
    from grading.course import NoCourse, open_course

    try:
        return open_course()
    except NoCourse as reason:
        _refuse(reason)
    finally:
        _collect_garbage()


def _collect_garbage() -> None:
    """From now on, as far as `main` has put it off: what takes its time has been imported."""
    if not gc.isenabled():
        workers.collect_garbage()


def _refuse(reason: Exception) -> NoReturn:
    _give_up(f"Nothing to show: {reason}.")


NAMED = 3
"""How many students a problem names on the screen."""


def _show_status(console: Console, course: Course, found: list[Status]) -> None:
    if not found:
        console.print("No assignment yet. Put a notebook into source/ASSIGNMENT/, and then run:")
        console.print("    nbgrader generate_assignment ASSIGNMENT")
        return
    table = Table("assignment", "released", "submitted", "graded", "feedback", title=_line(course.coursedir.course_id))
    for one in found:
        released = "yes" if one.released else "generated" if one.generated else "no"
        waiting = f"{one.waiting} to collect" if one.waiting else ""
        due = f"{one.due} to do" if one.due else ""
        stale = f"{one.stale} outdated" if one.stale else ""
        out = f"{one.out} out" if one.out else ""
        apart = f"{one.apart} to give by hand" if one.apart else ""
        table.add_row(
            _line(one.assignment),
            released,
            _numbers(one.collected, waiting, "download waits" * one.downloaded),
            _numbers(one.graded, due, f"{one.outdated} to regrade" if one.outdated else ""),
            _numbers(one.pages, out, apart, stale),
        )
    console.print(table)
    problems = [(one, problem) for one in found for problem in one.problems]
    if problems:
        console.print("[bold]Problems[/bold]")
        for one, problem in problems:
            console.print(f"  {_line(one.assignment)}: {_told(problem)}", soft_wrap=True)
    if any(one.outdated is None for one in found):
        from autograde_tests.cases import course_seed

        why = "Whether there is something to regrade is not known: what Keras answers now is not kept yet."
        console.print(f"{why} `python -m autograde_tests --seed {course_seed()}` does that.")
    todo = [(one, one.steps[0]) for one in found if one.steps]
    console.print("[bold]Next[/bold]" if todo else "Nothing to do.")
    for one, step in todo:
        more = f" (and then {len(one.steps) - 1} more)" if len(one.steps) > 1 else ""
        console.print(f"  {_line(one.assignment)}: {step.why}{more}", soft_wrap=True)
        console.print(f"    {_line(step.command)}", style="bold", soft_wrap=True)


def _numbers(whole: int, *parts: str) -> str:
    """A cell of the table: a number, and what is to be said of it."""
    said = ", ".join(filter(None, parts))
    return f"{whole}, {said}" if said else str(whole or "–")


def _told(problem: Problem) -> str:
    """A problem in one line, with the first few names and what is known of them."""
    named = [f"{name} ({why})" if why else name for name, why in list(problem.students.items())[:NAMED]]
    more = len(problem.students) - len(named)
    return _line(f"{len(problem.students)} {problem.what}: {'; '.join(named)}" + f"; and {more} more" * bool(more))


@app.command()
def similar(
    assignment: Assignment,
    as_json: AsJson = False,
    to: Annotated[Path | None, typer.Option(help="The page to write; similar-ASSIGNMENT.html by default.")] = None,
) -> None:
    """Show whose submissions are alike beyond what the task explains: a place to look, never a verdict.

    Nothing of a submission is run. Exits with 0 whatever is found.
    """
    course = _course()
    from grading import similar as similar_work

    try:
        handed = similar_work.read(course.coursedir, assignment)
        pairs = similar_work.compare(handed)
        page = to or (None if as_json else Path(f"similar-{assignment}.html"))
    except FileNotFoundError as missing:
        _give_up(f"Nothing was compared: {missing}. Is the assignment's name right, and was it generated?")
    try:
        if page:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(similar_work.page(handed, pairs), encoding="utf-8", errors="replace")
    except OSError as error:
        _give_up(f"The page could not be written: {error}", 1)
    if as_json:
        typer.echo(json.dumps(similar_work.as_data(handed, pairs), indent=1))
    console = _console()
    for student, said in handed.skipped.items():
        console.print(_line(f"{student}: {'; '.join(said)}. Left out."))
    console.print(
        f"{len(pairs)} of {handed.pairs:,} pairs share more than the task explains: a place to look, no verdict."
    )
    if page:
        console.print(_line(f"Side by side in {page}, with how often that comes by chance."))


@app.command()
def new(
    place: Annotated[str, typer.Argument(metavar="ASSIGNMENT/NOTEBOOK", help="Such as 7-average-pool/average_pool.")],
    function: Annotated[str, typer.Argument(help='What students write, also as "avg_pool2d(images, strides=1)".')],
) -> None:
    """Lay out one more exercise: a notebook, its hidden cases, its misconceptions; docs/authoring.md says what then.

    Writes nothing where a name cannot be used or is taken.
    """
    from grading import new as laying_out

    try:
        made = laying_out.exercise(place, function)
        *files, readme = laying_out.lay_out(made)
    except laying_out.Refused as reason:
        _give_up(f"Nothing was laid out: {reason}.")
    here = Path.cwd() == laying_out.ROOT
    for path in files:
        shown = path.relative_to(laying_out.ROOT) if here else path
        typer.echo(f"{shown}: write wherever there is a ✎ ({path.read_text().count('✎')})")
    typer.echo(f"{readme.relative_to(laying_out.ROOT) if here else readme}: one line in the table of assignments")
    if not here:
        typer.echo(f"All of it is in the checkout: cd {shlex.quote(str(laying_out.ROOT))}")
    typer.echo(f"Then: python -m grading.generate {made.assignment}")
    typer.echo(f'and:  pytest autograde_tests -k "{made.module} or {made.function}"')
    typer.echo("docs/authoring.md has every step.")


def _show_changes(console: Console, changes: list[Change], outdated: int) -> None:
    """Show who gains or loses what. outdated: of how many submissions a check has changed, scored again or not."""

    def in_all(one: Change) -> float:
        return round(one.in_all_after - one.in_all_before, 2)

    def total(one: Change) -> str:
        return f"{round(one.in_all_before, 2):g} → {round(one.in_all_after, 2):g}"

    differing = [one for one in changes if one.after != one.before]
    known = {(one.student, one.assignment) for one in differing}
    others = {(one.student, one.assignment): one for one in changes if in_all(one)}
    others = [one for whose, one in others.items() if whose not in known]
    if differing or others:
        table = Table("student", "assignment", "check", "before", "after", "difference", "in all")
        for one in differing:
            scores = f"{one.before:g}", f"{one.after:g}", f"{round(one.after - one.before, 2):+g}"
            table.add_row(_line(one.student), one.assignment, one.check, *scores, total(one))
        for one in others:
            table.add_row(_line(one.student), one.assignment, "late penalty", "", "", f"{in_all(one):+g}", total(one))
        console.print(table)
    gaining = sum(one.after > one.before for one in changes)
    checks = ", ".join(sorted({one.check for one in changes}))
    if not checks:
        many = f"of {outdated} that were graded before a check was changed"
        checks = many if outdated else "no check has changed since they were graded"
    same, losing = len(changes) - len(differing), len(differing) - gaining
    console.print(f"{len(changes)} scores reckoned again ({checks}): {gaining} gain, {losing} lose, {same} stay.")
    if others or any(in_all(one) != round(one.after - one.before, 2) for one in differing):
        console.print("In all: with the student's other checks, what a person gave, and today's late penalties.")


def _console() -> Console:
    # A log of a build server is as wide as it likes.
    return Console(stderr=True, width=None if os.isatty(2) else 200, highlight=False)


def _graders(count: int, scheduler: str, unsafe: bool) -> workers.Workers:
    """What grades: so many processes, which begin at once, or a cluster."""
    if scheduler:
        return functools.partial(workers.cluster, scheduler)
    workers.begin(sandboxes=not unsafe)
    return functools.partial(workers.processes, count, sandboxes=not unsafe)


def _apps(console: Console, assignments: list[str], students: list[str], *arguments: str) -> list[AutogradeApp]:
    """nbgrader's command for each assignment of each student, initialized; its warnings are shown on the console.

    Ends the command with 2 where of none of them there is what was asked for.
    """
    from nbgrader.converters import Autograde

    from autograde_tests import oracle
    from autograde_tests.cases import course_seed
    from grading.execute import Execute
    from grading.pool import Store

    checks = _checks()

    apps = []
    for assignment, student in dict.fromkeys(itertools.product(assignments, students)):
        nbgrader = _nbgrader(assignment, f"--student={student}", *arguments)
        # Without it nbgrader would run submissions where they can do anything.
        if Execute not in Autograde(parent=nbgrader).autograde_preprocessors:
            reason = "nbgrader_config.py does not put grading.execute.Execute into c.Autograde.autograde_preprocessors"
            _give_up(f"Nothing was done: {reason}. Submissions would run unprotected.")
        nbgrader.coursedir.assignment_id = assignment
        nbgrader.log.addHandler(_Said(console))
        apps.append(nbgrader)
    missing = dict.fromkeys(Store(coursedir=one.coursedir, parent=one).missing for one in apps)
    if all(missing):
        console.print(_line(f"Nothing was graded. {' '.join(missing)}"))
        raise typer.Exit(2)
    seed = course_seed()
    if not all(oracle.is_there(oracle.ANSWERS, check, seed) for check in checks.values()):
        console.print("Keras is asked for its answers first, which are kept: that takes about a minute.")
    return apps


def _checks() -> dict:
    """The course's hidden checks, by name; ends the command with 2 where one of their files cannot be used."""
    from autograde_tests.checking import BrokenCheck, load_checks

    try:
        return load_checks()
    except BrokenCheck as error:
        _give_up(f"Nothing was done: {error}")


def _say_differing(console: Console, apps: list[AutogradeApp]) -> None:
    """Say where points were changed of which the gradebook does not know yet."""
    from grading.course import Course, NoCourse

    for assignment, app in {one.coursedir.assignment_id: one for one in apps}.items():
        course = Course(app.coursedir, None, app.config)
        # What is wrong with a gradebook is said by whoever needs it.
        with contextlib.suppress(NoCourse), course.gradebook() as gradebook:
            if gradebook and (cells := course.differing_points(assignment, gradebook)):
                said = f"source/ gives other points than the gradebook for {', '.join(cells)} of {assignment}"
                console.print(_line(f"{said}: nbgrader generate_assignment {assignment} --force"))


@contextlib.contextmanager
def _progress(
    console: Console, failures_alone: bool = False
) -> Iterator[tuple[Callable[[int, int], None], Callable[[Ran], None], Callable[[], None]]]:
    """A progress bar; what begins it, what is told of each submission, and what ends it.

    failures_alone: whether what there is to be said of a submission that was graded is left out.
    """
    told = TextColumn("{task.fields[told]}")
    columns = TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), told
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=None, told="")
        failures, begun = 0, time.monotonic()

        def begin(total: int, failed: int) -> None:
            nonlocal failures, begun
            failures, begun = failed, time.monotonic()
            progress.update(bar, total=total)

        def tell(ran: Ran) -> None:
            nonlocal failures
            failures += ran.failed
            for sentence in ran.said if ran.failed or not failures_alone else ():
                console.print(_line(sentence if ran.job.student in sentence else f"{ran.job.student}: {sentence}"))
            progress.advance(bar)
            (task,) = progress.tasks
            passed = time.monotonic() - begun
            # Rich's own speed leaves out the time until the first one, which for a few is most of it.
            left = datetime.timedelta(seconds=round(passed / task.completed * (task.total - task.completed)))
            rate = f"{60 * task.completed / passed:.0f} a minute, {left} left"
            progress.update(bar, told=rate + f", {failures} failed" * bool(failures))

        yield begin, tell, progress.stop


@contextlib.contextmanager
def _cluster_or_nothing() -> Iterator[None]:
    try:
        yield
    except NoCluster as error:
        _give_up(str(error))


def _exit(summary: Summary, as_json: bool, **more) -> None:
    """Tell a program of a run, if that was asked for, and exit with the code for it."""
    if as_json:
        kept = [{"student": student, "assignment": assignment} for student, assignment in summary.kept]
        failed = [
            {"student": student or None, "assignment": assignment, "reason": reason}
            for (student, assignment), reason in summary.failed.items()
        ]
        typer.echo(json.dumps(dataclasses.asdict(summary) | {"kept": kept, "failed": failed} | more, indent=2))
    if summary.stopped:
        raise typer.Exit(130)
    if summary.failed or summary.lost:
        raise typer.Exit(1)


def _show(console: Console, summary: Summary, done: str, stopped: str) -> None:
    """One summary at the end. done: what was done to submissions; stopped: what to say where it was not done to all."""
    before = f", {summary.skipped} left as they were (graded before, or held back)" if summary.skipped else ""
    console.print(f"{summary.graded} submission{'s' * (summary.graded != 1)} {done}{before}.")
    if summary.failed:
        # Of what nobody has handed in there is nothing to try.
        again = "; the same command again tries them once more" * any(student for student, _ in summary.failed)
        console.print(f"{len(summary.failed)} could not be graded{again}:")
        for (student, assignment), reason in summary.failed.items():
            console.print(_line(f"  {f'{student}, ' if student else ''}{assignment}: {reason}"))
    if summary.stopped or summary.lost:
        console.print(f"{'The Dask cluster was lost' if summary.lost else 'Stopped'}. {stopped}")


def _named(submissions: list[tuple[str, str]]) -> str:
    return ", ".join(f"{student} ({assignment})" for student, assignment in sorted(submissions))


def _line(text: str) -> str:
    """A text that may hold what a student has named, for the terminal: one line, nothing that steers it."""
    return escape("".join(one if one.isprintable() else " " for one in text))


class _Said(logging.Handler):
    """Shows nbgrader's warnings above the progress bar."""

    def __init__(self, console: Console):
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        for line in record.getMessage().splitlines():
            self._console.print(_line(line))


def _nbgrader(*arguments: str) -> AutogradeApp:
    """nbgrader's command in this course, for its configuration and gradebook; ends the command where there is none."""
    from grading.course import NoCourse, open_app

    try:
        return open_app(*arguments)
    except NoCourse as reason:
        _give_up(f"Nothing was done: {reason}.")
    finally:
        _collect_garbage()


@contextlib.contextmanager
def _storing(what: str) -> Iterator[None]:
    """Give up, in words, where the gradebook cannot be written to; nothing was `what` then."""
    from sqlalchemy.exc import SQLAlchemyError

    from grading.gradebook import LOCKED, in_words, is_locked

    try:
        yield
    except SQLAlchemyError as error:
        unusable = f"the gradebook cannot be written to {in_words(error)}."
        said = LOCKED if is_locked(error) else unusable
        _give_up(f"Nothing was {what}: {said}", 1)


def _give_up(reason: str, code: int = 2) -> NoReturn:
    """Say why nothing was done, and exit with this code. Raises typer.Exit."""
    typer.echo(reason, err=True)
    raise typer.Exit(code) from None


def main() -> None:
    """Run a command in a process of its own, whose collector of garbage leaves alone what is imported."""
    gc.disable()
    try:
        app()
    finally:
        gc.freeze()


if __name__ == "__main__":
    main()
