"""Keras as the oracle: imported quietly, asked once, its answers kept on disk.

An answer depends on the check, the seed, the version of Keras and the files that cases are made of. The answers of a whole
seed are computed by one command, `python -m autograde_tests`, in one process, and kept in `.cache/expected/`
beside this package with the inputs they belong to. Grading with the answers there imports no TensorFlow. What the
misconceptions of the bank compute on the same cases is kept in the same way (see `diagnosis`).
"""

import contextlib
import functools
import hashlib
import importlib
import importlib.metadata
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from autograde_tests.cases import Case, Check
from convblocks.transfer import MalformedMessage, pack, unpack

ROOT = Path(__file__).resolve().parent.parent

FOLDER = ROOT / ".cache" / "expected"

ANSWERS = "answers"
"""The kind of what is kept that Keras said; that of the bank is named after its folder."""

WITHOUT_A_SAY = (
    "test_",
    "conftest",
    "__",
    "bank",
    "checking",
    "diagnosis",
    "explaining",
    "lending",
    "notebooks",
    "versions",
    "wrong_",
)
"""Beginnings of the names of modules here that Keras' answers do not depend on."""

log = logging.getLogger(__name__)


@contextlib.contextmanager
def silence():
    """Keep TensorFlow's start-up log, which C++ writes to the process' stderr, out of a student's cell."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # oneDNN sums in another order on every kind of processor, and has been seen to get strided convolutions wrong.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def keras():
    """The module keras, imported quietly at the first call."""
    with silence():
        module = importlib.import_module("keras")
        # Whatever Keras' own settings in the home folder say.
        module.config.set_floatx("float32")
        module.config.set_image_data_format("channels_last")
        module.config.set_epsilon(1e-7)
        # The first operation of all starts TensorFlow's runtime, which logs as well.
        module.ops.zeros(1)
    return module


def layer(name: str, *args, inputs, weights=(), **kwargs) -> np.ndarray:
    """The output of one Keras layer `keras.layers.<name>(*args, **kwargs)` on a batch, with the given weights."""
    made = getattr(keras().layers, name)(*args, **kwargs)
    batch = np.asarray(inputs, dtype="float32")
    made.build(batch.shape)
    if weights:
        made.set_weights([np.asarray(one, dtype="float32") for one in weights])
    return np.asarray(made(batch))


def expected(check: Check, seed: int) -> list:
    """What Keras answers to every case of the check: from the cache, which is made first where it is missing or damaged."""
    cases = check.cases(seed)
    answers = kept(ANSWERS, check, seed, cases)
    return unpack(pack([_data(check.answer(case)) for case in cases])) if answers is None else answers


def build(checks: list[Check], seed: int) -> None:
    """Ask Keras about every case of the checks and keep the answers. Imports Keras; raises OSError where nothing can be kept."""
    for check in checks:
        keep(ANSWERS, check, seed, lambda cases, check=check: [_data(check.answer(case)) for case in cases])


def kept(kind: str, check: Check, seed: int, cases: list[Case]):
    """What is kept of this kind for the check's cases, made first where it is missing or damaged; None where it cannot be."""
    file = _file(check, seed, kind)
    content = _read(file, check, cases)
    if content is None:
        # In a process of its own, so that this one, which may grade for hours, never holds TensorFlow.
        made = subprocess.run(
            [sys.executable, "-m", "autograde_tests", "--seed", str(seed)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        content = _read(file, check, cases)
    if content is None:
        log.warning("the %s to %s cannot be kept in %s: %s", kind, check.name, FOLDER, made.stderr[-300:])
    return content


def keep(kind: str, check: Check, seed: int, make: Callable[[list[Case]], object]) -> None:
    """Keep what `make(cases)` gives, which has to be data, unless it is there already. Raises OSError where it cannot be kept."""
    cases = check.cases(seed)
    file = _file(check, seed, kind)
    if _read(file, check, cases) is None:
        _write(file, check, cases, make(cases))


def is_there(kind: str, check: Check, seed: int) -> bool:
    """Whether something of this kind is kept for a check, sound or not."""
    return _file(check, seed, kind).is_file()


def is_warm(checks: list[Check], seed: int) -> bool:
    """Whether the answers to all of these checks are there and sound."""
    return all(_read(_file(check, seed), check, check.cases(seed)) is not None for check in checks)


def _data(answer):
    """An oracle's answer as it is kept: arrays that own their numbers, whatever Keras gave."""
    return np.array(answer) if isinstance(answer, np.ndarray) else answer


def _file(check: Check, seed: int, kind: str = ANSWERS) -> Path:
    return FOLDER / f"{check.name}-{seed}-{_fingerprint(kind)}.{kind}"


@functools.cache
def _fingerprint(kind: str) -> str:
    """Changes with Keras, NumPy, every module that has a say in what is kept, the trained weights, drawings and padding."""
    # Once a process: a module that is edited later is not the one that runs here.
    digest = hashlib.sha256()
    for package in ("keras", "numpy"):
        digest.update(importlib.metadata.version(package).encode())
    here = Path(__file__).parent
    modules = {module for module in here.glob("*.py") if not module.stem.startswith(WITHOUT_A_SAY)}
    if kind != ANSWERS:
        # Made by its module out of what is in its folder.
        modules |= {here / "diagnosis.py", *here.glob(f"{kind}/*.py")}
    for module in sorted(modules):
        digest.update(module.read_bytes())
    for used in ("source/6-shapes-classifier/weights.npz", "convblocks/arithmetic.py", "convblocks/shapes.py"):
        digest.update((ROOT / used).read_bytes())
    return digest.hexdigest()[:16]


def _inputs(cases: list[Case]) -> list:
    return [[case.name, list(case.args), case.kwargs, case.probe] for case in cases]


def _read(file: Path, check: Check, cases: list[Case]):
    """The content kept in a file; None, and a word in the log, for one that is damaged or was made for other cases."""
    try:
        found = file.read_bytes()
    except OSError:
        return None
    # Its own digest tells a damaged file, name and inputs one that belongs to something else.
    digest, content = found[:32], memoryview(found)[32:]
    with contextlib.suppress(MalformedMessage, KeyError, TypeError):
        if hashlib.sha256(content).digest() == digest:
            name, inputs, made = unpack(content)
            if (name, inputs) == (check.name, _digest(cases)):
                return made
    log.warning("what is kept for %s is damaged or not ours, and is made anew: %s", check.name, file)
    return None


def _digest(cases: list[Case]) -> str:
    return hashlib.sha256(pack(_inputs(cases))).hexdigest()


def _write(file: Path, check: Check, cases: list[Case], made) -> None:
    content = pack([check.name, _digest(cases), made])
    file.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and moved, so that two processes at once never see half a file.
    with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as aside:
        aside.write(hashlib.sha256(content).digest() + content)
    os.replace(aside.name, file)
