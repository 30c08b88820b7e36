"""What the notebooks of the course import: block figures, visible checks, drawings; NumPy and no TensorFlow."""

from convblocks.checks import as_batch, given, visible_check
from convblocks.compare import compare
from convblocks.figures import connections, draw, grid, keras_diagram, line_chart, network
from convblocks.guesses import guess
from convblocks.step import step
from convblocks.toolbox import bring_functions

__all__ = [
    "as_batch",
    "bring_functions",
    "compare",
    "connections",
    "draw",
    "given",
    "grid",
    "guess",
    "keras_diagram",
    "line_chart",
    "network",
    "step",
    "visible_check",
]
