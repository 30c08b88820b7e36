"""Call a function that someone else wrote and say what came of it, whatever it does."""

import contextlib
import copy
import functools
import inspect
import io
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from convblocks.keras_model import Recipe
from convblocks.toolbox import OWN_FUNCTIONS
from convblocks.transfer import MalformedMessage, Unknown, called, pack, plain, unpack

NOT_WRITTEN = "not written yet: it still raises NotImplementedError"
NO_END = "no answer in time: does a loop never end?"

SECONDS = 5.0
"""How long one call may take unless told otherwise, in seconds."""

BUSY = 1.0
"""Seconds of a processor that a call which may take no longer than that has: a loop that never ends takes them at once,
and what else the machine has to do costs a call none of them."""


def limits(seconds: float) -> tuple[float, ...]:
    """What a call may take that is given so many seconds: these, and of a processor, where that is limited."""
    return (seconds, BUSY) if seconds <= SECONDS else (seconds,)


class TookTooLong(BaseException):
    """Raised inside a call at its time limit; no Exception, so that `except Exception` does not swallow it."""


@dataclass
class Outcome:
    """What one call did.

    kind: "returned", "not written", "raised" or "too long"; `sentence` says the last three in words.
    value: what was returned, None otherwise. printed: what the call wrote to stdout and stderr.
    changed: names of array arguments that the call changed in place. borrowed: whether it called functions lent to it.
    """

    kind: str
    value: object = None
    sentence: str = ""
    printed: str = ""
    changed: list[str] = field(default_factory=list)
    borrowed: bool = False


@contextlib.contextmanager
def _time_limit(seconds: float):
    """Raises TookTooLong in what goes beyond its `limits`."""
    # Signals exist on POSIX and reach the main thread alone; elsewhere the kernel's own cell timeout has to do.
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    begin = time.thread_time()

    def stop(signum, frame):
        # SIGPROF's timer counts all threads together, and in ticks.
        if signum == signal.SIGALRM or time.thread_time() - begin >= BUSY:
            raise TookTooLong

    kinds = (signal.ITIMER_REAL, signal.SIGALRM), (signal.ITIMER_PROF, signal.SIGPROF)
    timers = [(*kind, limit) for kind, limit in zip(kinds, limits(seconds), strict=False)]
    before = {number: signal.signal(number, stop) for _, number, _ in timers}
    for timer, _, limit in timers:
        # Repeated, since a bare `except:` in a loop can swallow the first one.
        signal.setitimer(timer, limit, 0.2)
    try:
        yield
    finally:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        for timer, _, _ in timers:
            signal.setitimer(timer, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def call(function: Callable, *args, seconds: float = SECONDS, **kwargs) -> Outcome:
    """Call `function(*args, **kwargs)` on copies of the arguments; never raises for what the function does.

    Prints and warnings are kept away from the cell's output: on nbgrader's stderr stream a NumPy warning alone would
    cost a right answer its points. `seconds` limits the wall time, and where it is no more than SECONDS, BUSY the
    processor's (on POSIX, in the main thread).
    """
    # One deepcopy for both, so that an array given twice stays one array.
    ours, theirs = copy.deepcopy((args, kwargs)), copy.deepcopy((args, kwargs))
    written = io.StringIO()
    outcome = Outcome("raised")
    try:
        with (
            contextlib.redirect_stdout(written),
            contextlib.redirect_stderr(written),
            warnings.catch_warnings(record=True) as warned,
            _time_limit(seconds),
        ):
            warnings.simplefilter("default")
            outcome = Outcome("returned", function(*theirs[0], **theirs[1]))
    except NotImplementedError as error:
        outcome = Outcome("not written", sentence=_what_is_not_written(function, error))
    except TookTooLong:
        outcome = Outcome("too long", sentence=NO_END)
    except (Exception, SystemExit) as error:
        outcome = Outcome("raised", sentence=describe_error(error))
    told = dict.fromkeys(f"Python warned: {one.message}" for one in warned)
    outcome.printed = "\n".join(filter(None, [written.getvalue().rstrip("\n"), *told]))
    outcome.changed = _changed(function, ours, theirs)
    return outcome


def answer(function: Callable, message: bytes, ask: Callable[[bytes], bytes] | None = None) -> bytes:
    """Make the call that a check asks for in a message (see `transfer`), and answer with another.

    Asked: `args`, `kwargs`, `seconds`, `probe` (what a returned Keras model is tried on, see `transfer.plain`), and
    `lent`, the names of functions that are not the notebook's own while the call lasts: each of their calls is a
    message to `ask`, with `name`, `args` and `kwargs`, and what comes back is what `answer` gives.
    Answered: `kind`, `sentence`, `changed` as in Outcome, and the returned `value` as data.
    """
    request = unpack(message)
    args, kwargs = (_built(request[part]) for part in ("args", "kwargs"))

    # The value's own methods run while it is turned into data, so that belongs to the call and its time.
    @functools.wraps(function, updated=())
    def to_data(*given, **named):
        return plain(function(*given, **named), request["probe"])

    with _borrowed(function, request["lent"], ask):
        outcome = call(to_data, *args, seconds=request["seconds"], **kwargs)
    reply = {"kind": outcome.kind, "sentence": outcome.sentence, "changed": outcome.changed, "value": outcome.value}
    try:
        return pack(reply)
    except MalformedMessage:
        return pack(reply | {"value": Unknown(f"{called(outcome.value)}, which is too large to be looked at,")})


@contextlib.contextmanager
def _borrowed(function, names, ask):
    """Stand-ins in place of the functions of these names where `function` looks for them."""
    namespace = getattr(inspect.unwrap(function), "__globals__", {}) if names else {}
    own = {name: namespace[name] for name in names if name in namespace}
    namespace.update({name: _stand_in(name, ask) for name in names})
    try:
        yield
    finally:
        for name in names:
            namespace.pop(name, None)
        namespace.update(own)


def _stand_in(name, ask):
    def stand_in(*args, **kwargs):
        reply = unpack(ask(pack({"name": name, "args": plain(args), "kwargs": plain(kwargs)})))
        if reply["kind"] != "returned":
            raise ValueError(f"{name}: {reply['sentence']}")
        return reply["value"]

    stand_in.__name__ = stand_in.__qualname__ = name
    return stand_in


def _built(given):
    """The arguments with models in place of their recipes."""
    if isinstance(given, dict):
        return {name: one.build() if isinstance(one, Recipe) else one for name, one in given.items()}
    return tuple(one.build() if isinstance(one, Recipe) else one for one in given)


def _what_is_not_written(function: Callable, error: NotImplementedError) -> str:
    """Whether the function itself is still a skeleton, or one that it calls."""
    said = " ".join(map(str, error.args))
    if said:
        return f"not written yet: {said}"
    theirs = [frame.name for frame in traceback.extract_tb(error.__traceback__) if _is_theirs(frame)]
    if theirs and theirs[-1] != getattr(function, "__name__", theirs[-1]):
        return f"not written yet: it calls {theirs[-1]}, which still raises NotImplementedError"
    return NOT_WRITTEN


def _is_theirs(frame: traceback.FrameSummary) -> bool:
    """Whether a line stands in a notebook."""
    return "ipykernel_" in frame.filename or frame.filename == OWN_FUNCTIONS


def describe_error(error: BaseException) -> str:
    """One sentence: the error, and the line of a notebook where it happened if there is one."""
    try:
        said = str(error)
    except Exception:
        said = "(its text cannot be shown)"
    text = f"it raised {type(error).__name__}: {said}".rstrip(": ")
    if isinstance(error, TypeError) and "can be converted to Python scalars" in said:
        # NumPy 2.4 made float() of a one-element array an error; much older code relies on it.
        text += " (an array where one number is needed: take it out with .item(), or sum what is in it first)"
    theirs = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_theirs(frame)]
    if theirs and theirs[-1].line:
        text += f", at the line `{theirs[-1].line}` of {theirs[-1].name}"
        # The mistake may lie with who called it.
        caller = next((frame for frame in reversed(theirs) if frame.name != theirs[-1].name), None)
        if caller and caller.line:
            text += f", which {caller.name} called at the line `{caller.line}`"
    return text


def parameter_names(function: Callable, count: int) -> list[str]:
    """Names of the first `count` positional parameters, for telling a person which argument is meant."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    return (names + [f"argument {place + 1}" for place in range(len(names), count)])[:count]


def _changed(function, ours, theirs) -> list[str]:
    named = dict(zip(parameter_names(function, len(ours[0])), zip(ours[0], theirs[0], strict=True), strict=True))
    named |= {name: (value, theirs[1][name]) for name, value in ours[1].items()}
    return [name for name, (before, after) in named.items() if not _same(before, after)]


def _same(before, after) -> bool:
    if isinstance(before, np.ndarray):
        return isinstance(after, np.ndarray) and np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(map(_same, before, after))
    if isinstance(before, (dict, str, int, float, type(None))):
        return before == after
    # Anything else (a Keras model, say) is meant to be changed.
    return True
