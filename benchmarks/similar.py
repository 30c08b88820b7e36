"""`python -m benchmarks.similar`: how often independent answers are alike by chance, and how many copies are found.

The threshold `similar.ALIKE` was chosen on the right answers, above the most that two of them share; the wrong answers,
which had no say in it, are the test of it. A copy is an answer whose names, comments and layout were all changed. With
`--students 5000` it also makes a class of so many, and times it.
"""

import argparse
import ast
import collections
import itertools
import json
import random
import re
import resource
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks import ROOT
from grading import similar


def main() -> None:
    """Print the table, and with --students the time that a class takes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.similar", description=main.__doc__)
    parser.add_argument("--students", type=int, default=0, help="also make a class of so many, and time it")
    options = parser.parse_args()
    print("assignment           answers  pairs  most alike  alike by chance  copies found")
    for name, functions in assignments().items():
        found = similar.chance(functions)
        line = f"{name:20} {found.answers:7} {found.pairs:6} {found.most:11.1f} {found.submissions:16.2%}"
        print(f"{line} {copies_found(functions):13.0%}", flush=True)
    alike, pairs, most = held_out()
    print(f"of {pairs} pairs with an answer that the threshold was not chosen on, {alike} are alike; most: {most:.1f}")
    whole = similar.chance(similar.independent_answers())
    print(f"of {whole.pairs} pairs of right answers, {whole.alike} are alike; threshold: {similar.ALIKE}")
    if options.students:
        print(a_class(options.students))


def assignments() -> dict[str, list[str]]:
    """The functions of each assignment of the course, by what was released."""
    known = similar.independent_answers()
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "release").glob("*/*.ipynb")):
        names = (cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in json.loads(path.read_text())["cells"])
        found.setdefault(path.parent.name, []).extend(name for name in names if name in known)
    return found


def disguised(source: str) -> str:
    """The same code with other names, no comments and another layout."""
    tree = ast.parse(source)
    outside = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    own = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    own |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names = {name: f"renamed_{place}" for place, name in enumerate(sorted(own - outside))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = names[node.arg]
    return ast.unparse(tree)


def copies_found(functions: list[str]) -> float:
    """Of all submissions put together from independent answers, the share whose disguised copy is found."""
    scores = []
    for function in functions:
        sources = similar.independent_answers()[function]
        answers = [{one.number for one in similar.fragments(source, function)} for source in sources]
        copies = [{one.number for one in similar.fragments(disguised(source), function)} for source in sources]
        mine = []
        for answer, copy in zip(answers, copies, strict=True):
            counts = similar.weights([*answers, copy])
            mine.append(sum(counts.get(number, 0) for number in answer & copy))
        scores.append(mine)
    return similar.share_alike(scores)


def held_out() -> tuple[int, int, float]:
    """Pairs of a wrong answer and another answer to the same function: how many are alike, of how many, the most."""
    path = ROOT / "autograde_tests" / "wrong_answers.py"
    text, wrong = path.read_text(), collections.defaultdict(list)
    for node in ast.parse(text).body:
        for mark in getattr(node, "decorator_list", []):
            if ast.unparse(mark.func if isinstance(mark, ast.Call) else mark) == "wrong_answer":
                name = mark.args[0].value
                source = ast.get_source_segment(text, node).replace(f"def {node.name}(", f"def {name}(")
                wrong[name].append({one.number for one in similar.fragments(source, name)})
    scores = []
    for name, answers in wrong.items():
        sources = similar.independent_answers()[name]
        every = [*answers, *({one.number for one in similar.fragments(source, name)} for source in sources)]
        counts = similar.weights(every)
        for (place, one), (_, other) in itertools.combinations(enumerate(every), 2):
            if place < len(answers):
                scores.append(sum(counts.get(number, 0) for number in one & other))
    return sum(score >= similar.ALIKE for score in scores), len(scores), max(scores)


def hand_in(folder: Path, notebook: Path, functions: dict[str, str]) -> None:
    """Write a released notebook into the folder of a submission, with these sources in the cells of functions."""
    content = json.loads(notebook.read_text())
    for cell in content["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") in functions:
            cell["source"] = functions[cell["metadata"]["nbgrader"]["grade_id"]]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / notebook.name).write_text(json.dumps(content))


def a_class(students: int, assignment: str = "4-max-pool") -> str:
    """Make a class, read it, compare it and make its page; the time of each.

    Every number in an answer is drawn anew, so that as many share a fragment as may while it still counts.
    """
    from nbgrader.coursedir import CourseDirectory

    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as place:
        course = Path(place)
        shutil.copytree(ROOT / "release" / assignment, course / "release" / assignment)
        (notebook,) = (course / "release" / assignment).glob("*.ipynb")
        for student in range(students):
            answers = {name: rng.choice(similar.independent_answers()[name]) for name in assignments()[assignment]}
            written = {
                name: re.sub(r"\b[0-9]\b", lambda _: str(rng.randrange(students // similar.USUAL + 2)), source)
                for name, source in answers.items()
            }
            hand_in(course / "submitted" / f"s{student}" / assignment, notebook, written)
        started = time.perf_counter()
        handed = similar.read(CourseDirectory(root=str(course)), assignment)
        read = time.perf_counter()
        pairs = similar.compare(handed)
        compared = time.perf_counter()
        size = len(similar.page(handed, pairs))
        done = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return (
        f"{students} students: read in {read - started:.1f} s, compared in {compared - read:.1f} s, page of "
        f"{size / 1e6:.1f} MB in {done - compared:.1f} s; {memory:.0f} MB of memory"
    )


if __name__ == "__main__":
    main()
