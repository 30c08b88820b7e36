"""Imported by the process that workers are forked from: what each would do at its first submission is done once."""

import contextlib
import gc
import importlib

from grading.workers import collect_garbage

WANTED = (
    "grading.submission",
    "grading.intake",
    "grading.feedback",
    "grading.generate",
    "grading.export",
    "grading.policy",
    "IPython.display",
    "ipykernel.kernelspec",
)


def preload() -> None:
    """Import what grading takes and what the course's configuration names, and make what is made once for all."""
    for name in WANTED:
        importlib.import_module(name)
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
    from sqlalchemy.orm import configure_mappers

    from autograde_tests import checking

    # What goes wrong here does so once more where it can be said.
    with contextlib.suppress(Exception):
        configure_mappers()
        checking.load_checks()
        # Each is held against its schema, which is compiled the first time.
        new_notebook(cells=[new_markdown_cell(), new_code_cell(outputs=[new_output("stream")])])


gc.disable()
try:
    preload()
finally:
    collect_garbage()
