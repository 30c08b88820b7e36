"""`python tests/report.py`: tables of attacks, broken notebooks and faults, from what the last test run has seen."""

import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "seen"


def remember(table: str, rows: dict) -> None:
    """Keep what a test has seen, by row; rows of earlier runs stay, since a run may be of some tests alone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{table}.json").write_text(json.dumps(recall(table) | rows, indent=1))


def recall(table: str) -> dict:
    """What was kept; nothing where no test has run yet."""
    try:
        return json.loads((FOLDER / f"{table}.json").read_text())
    except FileNotFoundError:
        return {}
