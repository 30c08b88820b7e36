"""`python -m autograde_tests`: keep what Keras, and every misconception of the bank, answers to every case of the course."""

import argparse
import contextlib
import fcntl
import importlib.metadata

from autograde_tests import diagnosis, oracle
from autograde_tests.cases import course_seed
from autograde_tests.checking import load_checks


def main() -> None:
    """Ask Keras, and every misconception of the bank, about every case of every check of the course; keep the answers."""
    parser = argparse.ArgumentParser(prog="python -m autograde_tests", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=course_seed(), help="of the random cases (%(default)s)")
    options = parser.parse_args()
    checks = list(load_checks().values())
    with contextlib.ExitStack() as stack:
        # Where nothing can be written, all may still be there.
        with contextlib.suppress(OSError):
            oracle.FOLDER.mkdir(parents=True, exist_ok=True)
            # Whoever comes second finds what the first has made.
            fcntl.flock(stack.enter_context((oracle.FOLDER / "lock").open("a")), fcntl.LOCK_EX)
        oracle.build(checks, options.seed)
        diagnosis.build(checks, options.seed)
    keras = importlib.metadata.version("keras")
    print(f"{len(checks)} checks, seed {options.seed}: what Keras {keras} answers is in {oracle.FOLDER}")


if __name__ == "__main__":
    main()
