"""What a student waits for after the button Validate: `python -m benchmarks.validate`, a part of `make bench`.

A real JupyterLab server is asked as the button asks it, for every solved notebook. Beside it stands what the
cells alone take, in a kernel that has run them before; the rest is a kernel's start, the imports and the answer.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from rich.console import Console
from rich.table import Table

from benchmarks import ROOT, free_port, spread, told

NOTHING = ["def f(x):\n    return x + 1", "assert f(1) == 2"]
"""Cells of a notebook for which there is next to nothing to do."""

STOCK = "stock: "
"""How names begin of notebooks in which checks stand where students see them, and ask Keras: as on stock nbgrader."""


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """The address of a JupyterLab server that shows this folder."""
    port = free_port()
    options = ["--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0"]
    options += ["--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"]
    command = [sys.executable, "-m", "jupyterlab", *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        while True:
            if process.poll() is not None:
                raise RuntimeError((folder / "log.txt").read_text()[-3000:])
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/api").close()
                break
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait()


def pressed(address: str, notebook: str) -> float:
    """Seconds from the button to its answer. Raises RuntimeError where that is no success."""
    data = urllib.parse.urlencode({"path": notebook}).encode()
    begin = time.perf_counter()
    with urllib.request.urlopen(f"{address}/assignments/validate", data) as answer:
        said = json.load(answer)
    seconds = time.perf_counter() - begin
    # Of a notebook that passes there is nothing to tell.
    if said != {"success": True, "value": {}}:
        raise RuntimeError(said)
    return seconds


def own_code(notebook: Path) -> float:
    """Seconds that the cells take in a kernel that has run all of them once."""
    nb = nbformat.read(notebook, as_version=4)
    resources = {"metadata": {"path": str(notebook.parent)}}
    client = NotebookClient(nb, timeout=600, resources=resources, extra_arguments=["--log-level=ERROR"])
    with client.setup_kernel():
        for _ in range(2):
            begin = time.perf_counter()
            for index, cell in enumerate(nb.cells):
                client.execute_cell(cell, index)
            seconds = time.perf_counter() - begin
    return seconds


def as_on_stock(solved: Path, source: Path) -> NotebookNode:
    """A solved notebook with the checks of its source, in the student's kernel."""
    notebook = nbformat.read(solved, as_version=4)
    checks = {one.id: one.source for one in nbformat.read(source, as_version=4).cells if "import check" in one.source}
    for cell in notebook.cells:
        if cell.id in checks:
            cell.source = checks[cell.id].replace("from autograde_tests", "from benchmarks.one_submission")
    return notebook


def measure(turns: int) -> dict:
    """By notebook: seconds of the button, of the cells alone, and what is left of the one without the other."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        shutil.copytree(ROOT / "solutions", place, dirs_exist_ok=True)
        nbformat.write(new_notebook(cells=[new_code_cell(one) for one in NOTHING]), place / "next to nothing.ipynb")
        for path in sorted(place.glob("*/*.ipynb")):
            nbformat.write(
                as_on_stock(path, ROOT / "source" / path.relative_to(place)), path.with_name(STOCK + path.name)
            )
        with server(place) as address:
            for path in sorted(place.rglob("*.ipynb")):
                name = str(path.relative_to(place))
                pairs = [(pressed(address, name), own_code(path)) for _ in range(turns)]
                button, alone = zip(*pairs, strict=True)
                more = [one - other for one, other in pairs]
                found[name] = {"button": spread(button), "own code": spread(alone), "more": spread(more)}
    return found


def show(figures: dict, console: Console) -> None:
    """Print the figures as a table."""
    table = Table("", "button", "own code", "the rest", title="Validate, in seconds")
    for name, took in figures.items():
        table.add_row(name, *(told(took[what], 1) for what in ("button", "own code", "more")))
    console.print(table)


if __name__ == "__main__":
    show(measure(turns=3), Console())
