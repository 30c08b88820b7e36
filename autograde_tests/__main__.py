"""`python -m autograde_tests`: ask Keras about every case of every check of the course, and keep its answers."""

import argparse
import importlib.metadata

from autograde_tests.cases import course_seed
from autograde_tests.checking import load_checks
from autograde_tests.oracle import FOLDER, build


def main() -> None:
    """Ask Keras about every case of every check of the course and keep its answers."""
    parser = argparse.ArgumentParser(prog="python -m autograde_tests", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=course_seed(), help="of the random cases (%(default)s)")
    options = parser.parse_args()
    checks = list(load_checks().values())
    build(checks, options.seed)
    keras = importlib.metadata.version("keras")
    print(f"{len(checks)} checks, seed {options.seed}: what Keras {keras} answers is in {FOLDER}")


if __name__ == "__main__":
    main()
