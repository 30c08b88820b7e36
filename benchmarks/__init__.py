"""Measurements of this course side by side with stock nbgrader, both in one run."""

import json
import os
import platform
import socket
import statistics
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FIGURES = ROOT / "benchmarks" / "figures.json"
"""What was measured last on this machine, by the benchmark that did."""


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def spread(values: Sequence[float]) -> dict:
    """What is told of several measurements of the same."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values), "turns": len(values)}


def told(found: dict, digits: int = 0, unit: float = 1) -> str:
    """What `spread` tells, for a table, in multiples of a unit."""
    median, least, most = (f"{found[one] / unit:.{digits}f}" for one in ("median", "least", "most"))
    return f"{median} ({least} to {most})" if found["turns"] > 1 else median


def keep(benchmark: str, figures: dict) -> None:
    """Keep what one benchmark has measured beside what others have, and on what machine."""
    known = json.loads(FIGURES.read_text()) if FIGURES.is_file() else {}
    machine = {"processors": os.cpu_count(), "python": platform.python_version(), "system": platform.release()}
    known[benchmark] = {"machine": machine} | figures
    FIGURES.write_text(json.dumps(known, indent=1) + "\n")
