"""`python -m autograde_tests.mutants`: the table of all mutants, and every one that lives with the reason why."""

import argparse
import sys
import tomllib
from pathlib import Path

from autograde_tests.mutants import Trial, functions, trials

SURVIVORS = Path(__file__).with_name("survivors.toml")


def accounted() -> dict[tuple[str, str, str], str]:
    """The reason of every survivor that `survivors.toml` names, by function, changed line and where it lives."""
    return {
        (function, line, one["lives"]): one["reason"]
        for one in tomllib.loads(SURVIVORS.read_text())["survivors"]
        for function, lines in one["lines"].items()
        for line in lines
    }


def survivor(trial: Trial) -> tuple[str, str, str] | None:
    """Function, changed line and where it lives, None for a mutant that both checks kill."""
    lives = {(False, False): "everywhere", (False, True): "hidden", (True, False): "visible"}
    where = lives.get((trial.hidden, trial.visible))
    return where and (trial.mutant.function, trial.mutant.line, where)


def main() -> None:
    """Try every mutant of the solutions on the hidden and the visible checks; fails where survivors.toml is not exact."""
    parser = argparse.ArgumentParser(prog="python -m autograde_tests.mutants", description=main.__doc__)
    parser.add_argument("functions", nargs="*", metavar="function", help="to be mutated (all, train aside)")
    asked = parser.parse_args().functions or functions()
    if unknown := set(asked) - set(functions()):
        parser.error(f"no mutants of {', '.join(sorted(unknown))}; there are of {', '.join(functions())}")
    reasons, living, totals = accounted(), [], [0, 0, 0]
    print(f"{'function':20}{'mutants':>9}{'killed by hidden':>18}{'killed by visible':>19}")
    for name in asked:
        tried = list(trials(name))
        counts = [len(tried), sum(trial.hidden for trial in tried), sum(trial.visible for trial in tried)]
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
        living += filter(None, map(survivor, tried))
        print("{:20}{:9}{:18}{:19}".format(name, *counts), flush=True)
    print("{:20}{:9}{:18}{:19}\n".format("in all", *totals))
    for function, line, lives in living:
        reason = reasons.get((function, line, lives), "NOT ACCOUNTED FOR in survivors.toml")
        print(f"{function}: `{line}` lives {lives if lives == 'everywhere' else f'after the {lives} check'}. {reason}")
    gone = [key for key in reasons if key[0] in asked and key not in living]
    for function, line, lives in gone:
        print(f"{function}: `{line}` does not live ({lives}) any more: take it out of survivors.toml")
    sys.exit(bool(gone or set(living) - set(reasons)))


if __name__ == "__main__":
    main()
