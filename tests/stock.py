"""Stock nbgrader, shut in: nothing outside of the run's own folder is written, and nothing outlives it.

`python -m stock KIND FOLDER NAME…`, in the folder tests, is what runs inside: one class of attacks or broken notebooks.
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

from attacks import STOCK, Attack, Place, all_attacks
from attacks.course import NBGRADER, ROOT, Run, ask_keras, grade, run_command, scores_of, set_up

from grading.packages import font_cache

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


def grade_attacks(attacks: list[Attack], folder: Path) -> dict[str, Run]:
    """The run of each attack, by name.

    Some stop or change others, so they are alone; the rest are in as many classes as there are processors.
    """
    # The lonely ones first: one of them only waits.
    classes = [[attack] for attack in attacks if attack.alone]
    for lesson in dict.fromkeys(attack.lesson for attack in attacks):
        classes += _split([attack for attack in attacks if attack.lesson == lesson and not attack.alone])
    names = [[attack.name for attack in members] for members in classes]
    found = {}
    for members, (place, said) in zip(classes, _shut_in("attacks", names, folder), strict=True):
        run = Run(Place(place, members[0].lesson), **said)
        found |= {attack.name: run for attack in members}
    return found


def grade_broken(names: list[str], folder: Path) -> dict[str, str]:
    """What stock makes of each of the broken notebooks, in words."""
    return {name: said for _, found in _shut_in("broken", _split(names), folder) for name, said in found.items()}


def _split(things: list) -> list[list]:
    """As many parts as there are processors, but no small ones: each has two honest students as well."""
    parts = min(os.cpu_count() or 1, len(things) // 10 + 1)
    return [things[place::parts] for place in range(parts) if things]


def _shut_in(kind: str, classes: list[list[str]], folder: Path) -> list[tuple[Path, dict]]:
    """Grade each class in namespaces of its own; its folder, and what was said of it."""
    # Inside nothing can be kept.
    ask_keras()

    def one(number: int) -> tuple[Path, dict]:
        place = folder / str(number)
        fonts = place / "home" / ".cache" / "matplotlib"
        fonts.mkdir(parents=True)
        for file in font_cache().glob("*.json"):
            shutil.copy(file, fonts)
        options = ["--unshare-all", "--die-with-parent", "--new-session", "--ro-bind", "/", "/", "--dev", "/dev"]
        # The course or its environment may lie in /tmp themselves.
        options += [
            "--proc",
            "/proc",
            "--tmpfs",
            "/tmp",
            *_seen(ROOT),
            *_seen(sys.prefix),
            "--bind",
            str(place),
            str(place),
        ]
        options += ["--chdir", f"{ROOT}/tests"]
        command = ["bwrap", *options, sys.executable, "-m", "stock", kind, str(place), *classes[number]]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace")
        if done.returncode:
            raise RuntimeError(f"stock could not be run: {done.stderr[-3000:]}")
        return place, json.loads((place / "said.json").read_text())

    with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        return list(pool.map(one, range(len(classes))))


def _seen(place: str | Path) -> list[str]:
    return ["--ro-bind", str(place), str(place)]


def _attacks(folder: Path, names: list[str]) -> dict:
    members = [_bare(attack) for attack in all_attacks() if attack.name in names]
    alone, lesson = members[0].alone, members[0].lesson
    timeout = f"--Execute.timeout={ALONE if alone else max(SECONDS, lesson.seconds)}"
    command = *NBGRADER, timeout
    run = grade(members, folder, CONFIG, command, python=_python(folder), patience=ALONE if alone else 1500)
    return {field.name: getattr(run, field.name) for field in dataclasses.fields(run) if field.name != "place"}


def _bare(attack: Attack) -> Attack:
    """An attack on the lesson's graded cells alone: what the others draw takes most of the time, and is nothing to it."""
    return dataclasses.replace(attack, lesson=dataclasses.replace(attack.lesson, bare=True))


def _broken(folder: Path, names: list[str]) -> dict:
    from test_broken_notebooks import hand_in

    run, python = Run(Place(folder)), _python(folder)
    set_up(run.place, CONFIG)
    run_command(run, python, "nbgrader", "generate_assignment", "1-padding")
    found = {}
    for name in names:
        hand_in(name, run.place.submission(name))
        run.output, run.code = "", 0
        one = f"--student={name}"
        run_command(
            run, python, "nbgrader", "autograde", "1-padding", one, f"--Execute.timeout={SECONDS}", patience=ALONE
        )
        score = scores_of(run.place).get(name)
        if not run.code:
            found[name] = f"{score:g} of 12 points"
        elif "There was an error processing assignment" in run.output:
            found[name] = "not graded, no feedback"
        else:
            found[name] = "stops the class"
    return found


def _python(folder: Path) -> str:
    """A Python of the run's own, in which the course is installed from its folder, as instructors do it."""
    venv.create(folder / "python", symlinks=True)
    (site,) = (folder / "python").glob("lib/*/site-packages")
    places = [sysconfig.get_path("purelib"), str(folder / "course"), str(ROOT)]
    (site / "course.pth").write_text("\n".join(places))
    return str(folder / "python" / "bin" / "python")


if __name__ == "__main__":
    kind, place, *names = sys.argv[1:]
    said = {"attacks": _attacks, "broken": _broken}[kind](Path(place), names)
    (Path(place) / "said.json").write_text(json.dumps(said))
