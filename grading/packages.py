"""The Python of the sandbox: of the machine what it needs to run, and of its packages those that a notebook imports."""

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "sandbox"


def python() -> str:
    """The interpreter behind the virtual environment."""
    return os.path.realpath(sys.executable)


@functools.cache
def system() -> list[str]:
    """What of the system Python needs to run: itself, its standard library, shared libraries, and a shell for `!`."""
    places = [
        python(),
        f"{sys.base_prefix}/lib",
        sysconfig.get_path("stdlib"),
        "/usr/lib",
        "/lib",
        "/lib64",
        "/usr/lib64",
    ]
    places += ["/bin/sh", "/etc/ld.so.cache"]
    found = dict.fromkeys(place for place in places if os.path.exists(place))
    # Folders first, so that what lies in another one is not hidden by it.
    return sorted(found, key=lambda place: (place.count("/"), place))


@functools.cache
def others() -> list[str]:
    """Folders of packages beside the standard library, which are covered up."""
    folders = {sysconfig.get_path("purelib", vars={"base": sys.base_prefix, "platbase": sys.base_prefix})}
    for place in system():
        if os.path.isdir(place):
            folders |= {str(one) for one in Path(place).glob("python3*/*-packages")}
            folders |= {str(one) for one in Path(place).glob("*-packages")}
    return sorted(one for one in folders if os.path.isdir(one))


@functools.cache
def _importable(keras: bool) -> dict[str, Path]:
    """What a notebook can import: the packages that convblocks depends on, by the name of their file or folder."""
    found: dict[str, Path] = {"convblocks": ROOT / "convblocks"}
    waiting, seen = [Requirement("convblocks[keras]" if keras else "convblocks")], set()
    while waiting:
        wanted = waiting.pop()
        if (wanted.name, *sorted(wanted.extras)) in seen:
            continue
        seen.add((wanted.name, *sorted(wanted.extras)))
        distribution = importlib.metadata.distribution(wanted.name)
        for text in distribution.requires or []:
            need = Requirement(text)
            extras = wanted.extras or {""}
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in {"", *extras}):
                waiting.append(need)
        if wanted.name == "convblocks":
            # Of the course's own folder nothing else, whatever its list of files says.
            continue
        for name in _top_names(distribution):
            if name not in ("..", "__pycache__") and not name.endswith(".pth"):
                found.setdefault(name, Path(distribution.locate_file(name)))
    return {name: place for name, place in sorted(found.items()) if place.exists()}


def _top_names(distribution: importlib.metadata.Distribution) -> set[str]:
    """Files and folders of a package as they lie beside others."""
    record = distribution.read_text("RECORD")
    if record is None:
        return {file.parts[0] for file in distribution.files or []}
    # A path object for each of TensorFlow's files would take half a second.
    return {re.split("[/,]", line, maxsplit=1)[0] for line in record.splitlines()}


@functools.cache
def _as_first_seen(keras: bool) -> list[int]:
    return [one.stat().st_ino for one in folders(keras)]


def are_the_same(keras: bool) -> bool:
    """Whether the folders that notebooks import from are those that they were when this process first asked."""
    try:
        return _as_first_seen(keras) == [one.stat().st_ino for one in folders(keras)]
    except OSError:
        return False


@functools.cache
def folders(keras: bool) -> tuple[Path, Path]:
    """Two folders to import from, which hold nothing else, made where there are none.

    In the first one packages are the same files once more, so that it can be mounted as one; in the second are links
    to those that cannot be had so, since they lie on another disk, belong to somebody else, or are the course's own.
    """
    wanted = _importable(keras)
    content = json.dumps({name: str(place) for name, place in wanted.items()})
    made = CACHE / f"importable-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
    if not made.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as new:
            whole, single = Path(new, "made", "whole"), Path(new, "made", "single")
            for folder in (whole, single):
                folder.mkdir(parents=True)
            for name, place in wanted.items():
                try:
                    if place.is_relative_to(ROOT / "convblocks"):
                        raise OSError
                    _link(place, whole / name)
                except OSError:
                    shutil.rmtree(whole / name, ignore_errors=True)
                    (single / name).symlink_to(place)
            # Another process may be faster.
            with contextlib.suppress(OSError):
                Path(new, "made").rename(made)
    return made / "whole", made / "single"


def _link(place: Path, target: Path) -> None:
    """The same file under another name, or every file of a folder. Raises OSError."""
    if place.is_dir():
        shutil.copytree(place, target, copy_function=os.link)
    else:
        os.link(place, target)


@functools.cache
def font_cache() -> Path:
    """The folder with Matplotlib's list of fonts, made once: without it kernels would look for fonts for seconds."""
    folder = CACHE / f"matplotlib-{importlib.metadata.version('matplotlib')}"
    if not list(folder.glob("*.json")):
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", "import matplotlib.font_manager"]
        subprocess.run(command, env=os.environ | {"MPLCONFIGDIR": str(folder)}, capture_output=True)
    return folder
