"""What is measured: that it can be, and that what is no measurement is not taken for one."""

import io
import json

import pytest
from rich.console import Console

from benchmarks import many_submissions, parts
from benchmarks.many_submissions import ASSIGNMENTS, KERAS, NOTHING, TWO


def test_where_the_time_of_a_submission_goes_is_measured_beside_the_floor(tmp_path):
    many_submissions.prepare(tmp_path / "course", "", 2, ASSIGNMENTS[:1])
    found = parts.measure(tmp_path / "course", ASSIGNMENTS[:1], "student0000", 1)
    (shares,) = found.values()
    assert all(part["median"] > 0 for part in shares.values())
    assert sum(part["median"] for name, part in shares.items() if name != parts.FLOOR) > shares[parts.FLOOR]["median"]
    shown = io.StringIO()
    many_submissions.show({"parts": found}, Console(file=shown, width=120))
    assert "times the floor" in shown.getvalue()


def test_sides_that_grade_the_same_work_are_compared_and_have_to_give_the_same_points(tmp_path, monkeypatch):
    assignments = ASSIGNMENTS[2:3]
    found = many_submissions.throughput(tmp_path / "course", 2, 1, [TWO], assignments)
    assert found["submissions"] == 2 and found["points"][TWO] > 0
    assert 0 < found["memory"][TWO]["a worker and its kernel, MB"]["median"] < 2000
    rates = {KERAS: 10.0, NOTHING: 50.0, TWO: 310.0}
    spread = {side: {"median": rate, "least": rate, "most": rate, "turns": 1} for side, rate in rates.items()}
    shown = io.StringIO()
    figures = json.loads(json.dumps({"throughput": found | {"a minute": spread, "points": dict.fromkeys(rates, 9.0)}}))
    many_submissions.show(figures, Console(file=shown, width=120))
    assert f"30 times {KERAS}: reached (31.0)" in shown.getvalue()
    assert f"8 times {NOTHING}: missed (6.2)" in shown.getvalue()
    for name, instead in (("prepare", 1), ("grade", 1.0)):
        monkeypatch.setattr(many_submissions, name, lambda *_, instead=instead, **__: instead)
    monkeypatch.setattr(many_submissions, "points", lambda course: float(course.name))
    with pytest.raises(RuntimeError, match="not all sides give the same points"):
        many_submissions.throughput(tmp_path / "other", 1, 1, ["here, 1 worker", TWO], assignments)
