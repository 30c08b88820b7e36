"""What is measured: that it can be, and that what is no measurement is not taken for one."""

import datetime
import io

import pytest
from nbgrader.api import Gradebook
from rich.console import Console

from benchmarks import many_submissions, parts, rush, spread
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


def test_growth_is_measured_in_one_gradebook_that_keeps_them_all(tmp_path, monkeypatch):
    monkeypatch.setattr(many_submissions, "ENDLESS_EVERY", 3)
    # Its limit of time is not what is looked at here.
    monkeypatch.setattr(many_submissions, "SECONDS", 2)
    assignments = ASSIGNMENTS[:2]
    took = many_submissions.growth(tmp_path, [2, 1], 1, assignments)
    assert took.keys() == {2, 1} and all(each["median"] > 0 for each in took.values())
    with Gradebook(f"sqlite:///{tmp_path}/growth 0/gradebook.db") as gradebook:
        first, second = (
            {one.student.id: one.score for one in gradebook.assignment_submissions(name)} for name in assignments
        )
    assert [*map(sorted, (first, second))] == [["more00000", "more00001"], ["more00000"]]
    assert first["more00000"] == 12 > first["more00001"]


def test_time_that_grows_faster_than_the_number_of_submissions_is_a_bar_that_was_missed():
    for seconds, said in (((5.0, 21.0, 75.0), "reached (15.0 times"), ((5.0, 19.0, 85.0), "missed (17.0 times")):
        found = {str(50 * 4**place): spread([took]) for place, took in enumerate(seconds)}
        shown = io.StringIO()
        many_submissions.show({"growth": found}, Console(file=shown, width=120))
        assert f"Time that grows no faster than their number: {said}" in shown.getvalue()


def test_in_a_rush_what_is_lost_or_stored_twice_or_not_as_deserved_is_seen():
    deserved = {("1-padding", kind): points for kind, points in (("right", 12.0), ("wrong", 8.0))}
    early, late = (datetime.datetime(2026, 11, 30, hour) for hour in (10, 11))
    names = [(student, "1-padding") for student in ("ada", "bob", "cem", "dee")]
    expected = dict(zip(names, (("right", late), ("wrong", late), ("right", late), ("wrong", early)), strict=True))
    stored = dict(zip(names, ((12.0, early), (12.0, late), (12.0, late)), strict=False))
    came = rush.Rush(deserved, expected, stored=stored, attempts=["ada 10", "bob 10", "bob 11", "ada 10", "cem 11"])
    # ada's first, dee's at all; ada's; bob's.
    assert (came.missing, came.twice, came.different) == (2, 1, 1)


def test_in_a_rush_who_is_early_hands_in_once_more_and_that_counts():
    coming = rush._in_order(12, ["1-padding", "2-conv-forward"])
    last, first = ({one[:2]: one[2] for one in order} for order in (coming, reversed(coming)))
    again = [one for one in first if sum(one == each[:2] for each in coming) == 2]
    assert len(coming) == 24 + len(again) > len(last) == 24 and {first[one] for one in again} == {"half done"}
    assert last == {one: rush.KINDS[one[1] % len(rush.KINDS)] for one in last}


def test_the_memory_of_a_clusters_workers_is_measured(tmp_path):
    many_submissions.prepare(tmp_path / "course", "", 2, ASSIGNMENTS[1:2])
    found = many_submissions.peaks("here, Dask with 2 workers", tmp_path / "course", ASSIGNMENTS[1:2], 1)
    everything, worker = (peak["median"] for peak in found.values())
    assert 50 < worker < everything, found
