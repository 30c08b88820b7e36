"""`pytest autograde_tests --notebook PATH` scores one notebook instead of running the tests."""

from pathlib import Path

import pytest

from autograde_tests.notebooks import score_notebook


def pytest_addoption(parser):
    parser.addoption("--notebook", metavar="PATH", help="score this notebook and print the table of its feedback")


def pytest_cmdline_main(config):
    path = config.getoption("--notebook")
    if path is None:
        return None
    if not Path(path).is_file():
        raise pytest.UsageError(f"--notebook {path}: there is no such file")
    try:
        results = list(score_notebook(Path(path)))
    except Exception as error:
        # A notebook may be broken in any way; the person wants one line.
        reason = str(error).split("\n")[0] or type(error).__name__
        raise pytest.UsageError(f"--notebook {path} cannot be scored: {reason}") from None
    for result in results:
        print(f"{result}\n")
    score, points = sum(result.score for result in results), sum(result.points for result in results)
    print(f"{path}: {score:g} of {points:g} points")
    return pytest.ExitCode.OK if score == points else pytest.ExitCode.TESTS_FAILED
