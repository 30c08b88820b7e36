"""The attacks on stock nbgrader, shut in: nothing outside of the run's own folder is written, and nothing outlives it.

`python -m attacks.stock FOLDER NAME…`, in the folder tests, is what runs inside, for one class.
"""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grading.sandbox import _font_cache

from . import STOCK, Attack, Place, all_attacks
from .course import ROOT, Run, ask_keras, grade

CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "stock"
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
"""

SECONDS, ALONE = 8, 90
"""How long a cell may take in a class, and an attacker who is alone in all; some would never end."""


def shown(attacks: list[Attack]) -> list[Attack]:
    """The attacks that are to be seen at work on stock."""
    return [attack for attack in attacks if attack.on_stock in STOCK]


def grade_on_stock(attacks: list[Attack], folder: Path) -> dict[str, Run]:
    """The run of each attack, by name. Some stop or change others, so they are alone; the rest are in as many classes as
    there are processors."""
    # Inside nothing can be kept.
    ask_keras()
    workers = os.cpu_count() or 1
    together = [attack for attack in attacks if not attack.alone]
    # The lonely ones first: one of them only waits.
    classes = [[attack] for attack in attacks if attack.alone]
    for lesson in dict.fromkeys(attack.lesson for attack in together):
        own = [attack for attack in together if attack.lesson == lesson]
        classes += [own[place::workers] for place in range(min(workers, len(own)))]
    with ThreadPoolExecutor(workers + 1) as pool:
        places = [folder / str(number) for number in range(len(classes))]
        runs = pool.map(_shut_in, classes, places)
        return {attack.name: run for run, members in zip(runs, classes, strict=True) for attack in members}


def _shut_in(members: list[Attack], folder: Path) -> Run:
    """Grade one class in namespaces of its own, and read what it has left."""
    fonts = folder / "home" / ".cache" / "matplotlib"
    fonts.mkdir(parents=True)
    for file in _font_cache():
        shutil.copy(file, fonts)
    options = [
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--ro-bind",
        "/",
        "/",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
    ]
    options += ["--tmpfs", "/tmp", "--bind", str(folder), str(folder), "--chdir", str(ROOT / "tests")]
    command = ["bwrap", *options, sys.executable, "-m", "attacks.stock", str(folder), *(one.name for one in members)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise RuntimeError(f"stock could not be run: {done.stderr[-3000:]}")
    return Run(Place(folder, members[0].lesson), **json.loads((folder / "run.json").read_text()))


def _python(folder: Path) -> str:
    """A Python of the run's own, in which the course is installed from its folder, as instructors do it."""
    venv.create(folder / "python", symlinks=True)
    (site,) = (folder / "python").glob("lib/*/site-packages")
    places = [sysconfig.get_path("purelib"), str(folder / "course"), str(ROOT)]
    (site / "course.pth").write_text("\n".join(places))
    return str(folder / "python" / "bin" / "python")


def main(folder: str, *names: str) -> None:
    """Grade the class of these attacks in the folder."""
    members = [attack for attack in all_attacks() if attack.name in names]
    alone = len(members) == 1
    limits = {"patience": ALONE} if alone else {}
    timeout = f"--Execute.timeout={ALONE if alone else SECONDS}"
    run = grade(members, Path(folder), CONFIG, timeout, python=_python(Path(folder)), **limits)
    said = dataclasses.asdict(run)
    del said["place"]
    (Path(folder) / "run.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
