"""What is measured: that it can be, and that what is no measurement is not taken for one."""

import io

import pytest
from nbgrader.api import Gradebook
from rich.console import Console

from benchmarks import many_submissions, parts, spread
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
    seconds, memory = (
        {KERAS: 36.0, NOTHING: 7.2, TWO: 1.2},
        {"all processes, MB": 500, "a worker and its kernel, MB": 240},
    )
    given = dict.fromkeys(seconds, 9.0) | {NOTHING: 12.0}
    for name, instead in (
        ("prepare", lambda *_: 6),
        ("grade", lambda side, *_: seconds[side]),
        ("points", lambda course: [*given.values()][int(course.name)]),
        ("peaks", lambda *_: {what: spread([peak]) for what, peak in memory.items()}),
    ):
        monkeypatch.setattr(many_submissions, name, instead)
    found = many_submissions.throughput(tmp_path, 1, 1, [*seconds], ASSIGNMENTS)
    shown = io.StringIO()
    many_submissions.show({"throughput": found}, Console(file=shown, width=120))
    assert f"30 times {KERAS}: reached (30.0)" in shown.getvalue()
    assert f"8 times {NOTHING}: missed (6.0)" in shown.getvalue()
    assert "A worker below 300 MB: reached (240)" in shown.getvalue()
    given[TWO] = 10.0
    with pytest.raises(RuntimeError, match="not all sides give the same points"):
        many_submissions.throughput(tmp_path, 1, 1, [*seconds], ASSIGNMENTS)


def test_growth_is_measured_in_one_gradebook_that_keeps_them_all(tmp_path):
    took = many_submissions.growth(tmp_path, [1, 2], 1)
    assert took.keys() == {1, 2} and all(each["median"] > 0 for each in took.values())
    course = tmp_path / "growth 0"
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        whole = gradebook.find_assignment(ASSIGNMENTS[1]).max_score
    assert many_submissions.points(course) == 3 * whole


def test_the_memory_of_a_clusters_workers_is_measured(tmp_path):
    many_submissions.prepare(tmp_path / "course", "", 2, ASSIGNMENTS[1:2])
    found = many_submissions.peaks("here, Dask with 2 workers", tmp_path / "course", ASSIGNMENTS[1:2], 1)
    everything, worker = (peak["median"] for peak in found.values())
    assert 50 < worker < everything, found
