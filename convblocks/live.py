"""Figures that answer to hands where there is a page to answer in, and are still pictures everywhere else."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from convblocks.calling import Outcome
from convblocks.figures import Figure


def live(still: Figure, script: str, answer: Callable[[dict], dict], first: dict) -> object:
    """A widget, with a still figure for pages where none runs: feedback, GitHub, print.

    still: what is seen without the widget. script: name of the module of JavaScript beside this file that draws it (an
    anywidget front end, https://anywidget.dev/en/afm/). It asks by `talk` of live.js, which sets the model's `asked`,
    and shows its `told`, both JSON; what is told bears its question's number, since an equal answer is an answer too.
    answer: is given what was asked and returns what to tell. first: what is told before anything was asked.
    While nbgrader autogrades, and where anywidget is not installed, the still figure is all there is.
    """
    if os.environ.get("NBGRADER_EXECUTION") == "autograde":
        return still
    try:
        # Imported here since nothing else needs it: a lesson without widgets starts without it.
        import anywidget
        import traitlets
    except ImportError:
        return still

    class Live(anywidget.AnyWidget):
        _esm = "".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("live.js", script))
        _css = Path(__file__).with_name("live.css")
        asked = traitlets.Dict().tag(sync=True)
        told = traitlets.Dict(first | {"number": 0}).tag(sync=True)

        @traitlets.observe("asked")
        def _answer(self, change) -> None:
            self.told = answer(change["new"]) | {"number": change["new"].get("number", 0)}

        def _repr_mimebundle_(self, **options):
            bundle = super()._repr_mimebundle_(**options)
            data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
            return still._repr_mimebundle_() | {key: value for key, value in data.items() if "widget" in key}, metadata

    return Live()


def shaped(outcome: Outcome, shape: tuple) -> tuple[np.ndarray, str]:
    """The numbers that a call gave, and what is wrong with them: "" if they have this shape and can be drawn."""
    if outcome.kind != "returned":
        return np.zeros(shape), outcome.sentence
    try:
        array = np.asarray(outcome.value, dtype=float)
    except Exception:
        return np.zeros(shape), f"it returned {type(outcome.value).__name__}, which is no array of numbers"
    if array.shape != shape:
        return np.zeros(shape), f"it returned the shape {array.shape} where {shape} was expected"
    return array, ""
