"""Commands of nbgrader and convblocks for the tests: real processes, forked from one that has imported what they need.

To import it takes longer than most of what a command does in a test.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

_idle: list[subprocess.Popen] = []


def call(module: str, arguments: Sequence[str], course: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run `python -m module …`, nbgrader or grading.cli, in a folder; its exit code, as of subprocess, and all it printed."""
    try:
        server = _idle.pop()
    except IndexError:
        # One for each command that runs at the same time.
        server = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with tempfile.NamedTemporaryFile("r") as output:
        print(
            json.dumps([module, list(arguments), str(course), environment, output.name]), file=server.stdin, flush=True
        )
        code = int(server.stdout.readline())
        said = output.read()
    _idle.append(server)
    return code, said


def _serve() -> tuple[str, list[str], str, dict[str, str], str] | None:
    """Fork for every order on the standard input; the order in a child, None once there are no more."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            return json.loads(line)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    return None


def _become(module: str, arguments: list[str], course: str, environment: dict[str, str], output: str) -> None:
    """Do in this process what the command does."""
    with open(os.devnull) as nothing, open(output, "a") as log:
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    if warm:
        # Its kernels are forked from what the server has started; it is not this one's to end.
        sandbox.take(WarmParent(warm._asking, warm._said))
    os.chdir(course)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module, *arguments]
    # What `python -m` puts first; here it was the folder of the tests.
    sys.path[0] = course
    if module == "nbgrader":
        nbgraderapp.main()
    else:
        cli.app(prog_name="convblocks")


if __name__ == "__main__":
    from nbgrader.apps import nbgraderapp

    # What nbgrader_config.py asks for, and the commands for themselves.
    from grading import (  # noqa: F401
        cli,
        execute,
        export,
        feedback,
        files,
        generate,
        intake,
        policy,
        pool,
        sandbox,
        sanitize,
    )
    from grading.warm import WarmParent

    warm = sandbox.begin()
    order = _serve()
    if order:
        _become(*order)
