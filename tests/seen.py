"""`python tests/seen.py [--stock]`: tables of attacks, broken notebooks and faults, from what the last tests have seen.

With --stock the broken notebooks are graded by stock nbgrader first, which takes some minutes; the attacks are by a test.
"""

import argparse
import fcntl
import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "seen"


def remember(table: str, rows: dict) -> None:
    """Keep what a test has seen, by row; rows of earlier runs stay, since a run may be of some tests alone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Test files run side by side.
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (FOLDER / f"{table}.json").write_text(json.dumps(recall(table) | rows, indent=1))


def recall(table: str) -> dict:
    """What was kept; nothing where no test has run yet."""
    try:
        return json.loads((FOLDER / f"{table}.json").read_text())
    except FileNotFoundError:
        return {}


def attacks() -> Iterable[tuple]:
    """A row for each class of attacks: how many, what was seen on stock, what on ours."""
    from attacks import all_attacks
    from stock import shown

    catalogue = all_attacks()
    stock, ours = recall("attacks on stock"), recall("attacks on ours")
    for kind in dict.fromkeys(attack.kind for attack in catalogue):
        members = [attack for attack in catalogue if attack.kind == kind]
        tried = shown(members)
        seen = [one for one in tried if one.name in stock]
        works = Counter(one.on_stock for one in seen if one.on_stock in stock[one.name])
        said = ", ".join(f"{number} {effect}" for effect, number in works.items())
        graded = [one for one in members if one.name in ours]
        gained = [one for one in graded if set(ours[one.name]) - {"stops"}]
        on_stock = f"{works.total()} of {len(seen)} work ({said}); {len(members) - len(tried)} not tried"
        yield (
            kind,
            len(members),
            on_stock if seen else "not seen yet: run tests/test_attacks_on_stock.py",
            f"{len(gained)} of {len(graded)}" if graded else "not seen yet: run tests/test_attacks.py",
        )


def broken() -> Iterable[tuple]:
    """A row for each broken notebook: what became of it on stock, and on ours."""
    from test_broken_notebooks import BROKEN

    stock, ours = recall("broken on stock"), recall("broken on ours")
    for name in BROKEN:
        yield name, stock.get(name, "not seen yet: --stock"), ours.get(name, "not seen yet")


def faults() -> Iterable[tuple]:
    """A row for each test of a fault, whose name says it all."""
    yield from recall("faults").items()


def grade_broken_on_stock() -> None:
    """Let stock nbgrader grade the broken notebooks, and remember what it made of them."""
    from stock import grade_broken
    from test_broken_notebooks import BROKEN

    with tempfile.TemporaryDirectory() as folder:
        remember("broken on stock", grade_broken(list(BROKEN), Path(folder)))


def show(title: str, columns: tuple, rows: Iterable[tuple]) -> None:
    """Print a table as Markdown."""
    print(f"\n## {title}\n")
    for row in (columns, ["---"] * len(columns), *rows):
        print("|", " | ".join(map(str, row)), "|")


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stock", action="store_true", help="grade the broken notebooks with stock nbgrader first")
    if parser.parse_args().stock:
        grade_broken_on_stock()
    show("Attacks", ("class", "attacks", "on stock nbgrader", "gained something on ours"), attacks())
    show("Broken notebooks", ("notebook", "on stock nbgrader", "on ours"), broken())
    show("Faults", ("what happens, and what comes of it", "last test"), faults())


if __name__ == "__main__":
    main()
