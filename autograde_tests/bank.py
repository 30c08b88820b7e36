"""`python -m autograde_tests.bank`: what becomes of every misconception of the bank, in a table.

Killed by visible: a visible example of the lesson disagrees, so the student sees it before handing in. Killed by hidden: it
loses points. Named: the feedback says what goes wrong, alone or together with another that gives the same numbers.
Below it, what becomes of the wrong answers that the bank was not built from.
"""

from collections import Counter

from autograde_tests.checking import check, load_checks
from autograde_tests.misconceptions import load_bank
from autograde_tests.notebooks import configured_seed, visible_result
from autograde_tests.wrong_answers import WRONG_ANSWERS

SEEDS = (0, int(configured_seed()))
"""What the tests try: outside a course, and in this one. For both the answers are kept anyway."""

MODELS = ("build_model", "train")
"""Checks for which models are built and trained, which takes long; their cases are the same for every seed."""


def main() -> None:
    """Print the table, and below it what is not seen or not named, with the reason that the bank gives."""
    seed = SEEDS[1]
    print("function              entries  visible  hidden  named: alone  with another  not")
    reasons, total = [], [0] * 6
    for name in load_checks():
        bank = [one for one in load_bank().values() if one.check == name]
        results = [check(name, one.function, points=10, seed=seed) for one in bank]
        ways = [len(result.causes) for result in results]
        seen = [visible_result(name, one.function) != "" for one in bank]
        row = [len(bank), sum(seen), sum(result.score < 10 for result in results)]
        row += [ways.count(1), len(ways) - ways.count(0) - ways.count(1), ways.count(0)]
        total = [sum(both) for both in zip(total, row, strict=True)]
        print(_line(name, row), flush=True)
        for one, is_visible, many in zip(bank, seen, ways, strict=True):
            reasons += [f"  {name}, {one.name}: not seen: {one.unseen or '?'}"] * (not is_visible)
            reasons += [f"  {name}, {one.name}: not named: {one.untellable or '?'}"] * (not many)
    print(_line("in all", total), *reasons, sep="\n")
    said = ", ".join(f"{number} {what}" for what, number in diagnoses(seed).items())
    print(f"{len(WRONG_ANSWERS)} wrong answers that the bank was not built from: {said}")


def diagnoses(seed: int) -> Counter[str]:
    """How many of the wrong answers are named rightly, named falsely, missed, or have mistakes that the bank has not."""
    found = Counter({"named rightly": 0, "named falsely": 0, "missed": 0, "not in the bank, and not named": 0})
    for one in WRONG_ANSWERS:
        named = [{each.name for each in cause} for cause in check(one.check, one.function, points=10, seed=seed).causes]
        right = "named rightly" if set(one.causes) in named else "named falsely"
        found[right if named else "missed" if one.causes else "not in the bank, and not named"] += 1
    return found


def _line(name: str, row: list[int]) -> str:
    return f"{name:20}" + "".join(f"{number:{width}}" for number, width in zip(row, (9, 9, 8, 14, 14, 5), strict=True))


if __name__ == "__main__":
    main()
