"""A catalogue of attacks on the grading, each a student of one class.

One module a class of attacks; `course.py` lets them all hand in and runs nbgrader, `tests/stock.py` does so with a stock one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path

from nbformat import NotebookNode

STOCK = ("points", "leak", "effect", "page", "stops")
"""What an attack can do on stock nbgrader; anything else in `on_stock` is a sentence that says why it is not shown there.

points: more than honest work earns. leak: a planted secret in a page. effect: a file outside, a call that arrived, a
process that survives, something active in a page or table. page: the attacker's own feedback is lost. stops: somebody
else is not graded, or not as they deserve.
"""

THREATS = """
np.allclose, np.testing, builtins, isinstance, float, input transformer, AST transformer, display hook, formatter,
silenced tracebacks, do_execute, redefined check, tampered stub

__eq__, __array__, __array_function__, __array_ufunc__, lying subclass, NaN, inf, object dtype, zero-stride giant,
inputs kept, inputs aliased, inputs changed, behaves only when watched, lying model, banned Keras, banned SciPy

files on disk, other students, gradebook, environment, arguments, /proc, frames, gc, linecache, network, DNS,
inputs recorded, error messages as oracle, timing as oracle, lent functions as oracle

writing the gradebook, results object, pickles, spoofed frames, file descriptors, stdout, os._exit, SystemExit, atexit,
signal handlers, racing

numpy.py, random.py, conftest.py, autograde_tests/ beside the notebook, sitecustomize, .pth, IPython start-up files,
symlinks, hard links, path traversal in archives, FIFOs, sockets, zip bombs, JSON bombs, notebook bombs

another kernelspec, duplicated grade ids, deleted grade ids, forged grade ids, forged points, forged checksums, HTML, SVG,
JavaScript, Markdown, attachments, CSV formulas, magics, shell escapes, null bytes, lone surrogates

loops that ignore interrupts, fork bombs, thread bombs, memory, shared memory, disk, inodes, 200 MB of output,
surviving processes, crash in C, hang in C, poisoning a warm worker, killing the supervisor
"""
"""What a submission may try, in the words that attacks use for `items`; a paragraph each for the modules of this package."""


@dataclass(frozen=True)
class Lesson:
    """A notebook that is attacked.

    functions: what students write in it; points: what all of them are worth. seconds: how long a cell of ours may take.
    bare: without the cells that are not graded, and without visible checks, where these take too long.
    """

    assignment: str
    notebook: str
    functions: tuple[str, ...]
    points: float
    seconds: int
    bare: bool = False


PADDING = Lesson("1-padding", "padding", ("output_size", "padding_amounts", "pad2d"), 12, 4)
KERAS = Lesson("6-shapes-classifier", "keras_classifier", ("build_model", "train"), 15, 60, bare=True)


@dataclass(frozen=True)
class Place:
    """Where a class is graded: what an attacker may know or guess."""

    root: Path
    lesson: Lesson = PADDING
    port: int = 0
    token: str = ""

    @property
    def course(self) -> Path:
        return self.root / "course"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def loot(self) -> Path:
        """Outside of every submission: whatever is found here got out. A file is named after who wrote it."""
        return self.root / "loot"

    def submission(self, student: str) -> Path:
        return self.course / "submitted" / student / self.lesson.assignment


@dataclass(frozen=True)
class Attack:
    """One student: the lesson's first function is right, the others are not written, unless told otherwise.

    tries: what, in words. items: those of THREATS that it stands for, with commas. on_stock: see STOCK.
    cell: code that stands above the lesson's second function, so after the first check. functions: other solutions.
    change: `change(notebook, folder, place)` alters anything else before it is handed in. roster: the gradebook's entry.
    honest: the most it may get; exactly: and the least, since the honest part ran before the attack.
    alone: on stock in a course of its own, since it changes or stops others, or takes its time.
    """

    name: str
    tries: str
    items: str
    on_stock: str
    cell: str = ""
    functions: dict[str, str] = field(default_factory=dict)
    change: Callable[[NotebookNode, Path, Place], None] | None = None
    roster: dict[str, str] = field(default_factory=dict)
    honest: float = 4
    exactly: bool = True
    alone: bool = False
    kind: str = ""
    lesson: Lesson = PADDING

    @property
    def student(self) -> str:
        return f"eve-{self.name}"


MODULES = ("subversion", "lying", "leaks", "forgery", "files", "notebook", "resources", "models")


def all_attacks() -> list[Attack]:
    """The whole catalogue, in order."""
    modules = [import_module(f"{__name__}.{name}") for name in MODULES]
    return [
        replace(attack, kind=module.KIND, lesson=getattr(module, "LESSON", PADDING))
        for module in modules
        for attack in module.ATTACKS
    ]


def words(text: str) -> set[str]:
    """What stands between the commas and paragraphs of a text."""
    return {word.strip() for word in text.replace("\n\n", ",").split(",")}


def asked_for(request, file: str) -> list[Attack]:
    """The attacks that the tests of a file are about in this session of pytest: with -k, some."""
    mine = [item for item in request.session.items if str(item.path) == file and hasattr(item, "callspec")]
    return [item.callspec.params["attack"] for item in mine if "attack" in item.callspec.params]
