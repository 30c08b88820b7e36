"""Calling a student's function: whatever it does is told apart, and nothing of it leaks."""

import sys
import threading
import time
import warnings

import numpy as np
import pytest
from conftest import until

from convblocks import calling
from convblocks.calling import answer, call
from convblocks.transfer import pack, unpack


def test_a_value_comes_back_and_prints_and_warnings_are_kept_away(capsys):
    def noisy(x):
        print("on stdout")
        print("on stderr", file=sys.stderr)
        warnings.warn("mind", RuntimeWarning, stacklevel=1)
        return np.float64(1) / np.array([0.0, x])

    outcome = call(noisy, 2)
    assert outcome.kind == "returned"
    assert outcome.value.tolist() == [np.inf, 0.5]
    assert outcome.printed.splitlines()[:3] == ["on stdout", "on stderr", "Python warned: mind"]
    assert "Python warned: divide by zero" in outcome.printed
    assert capsys.readouterr() == ("", "")


def test_a_skeleton_is_not_written_yet():
    def skeleton():
        raise NotImplementedError

    assert call(skeleton).kind == "not written"
    assert "not written yet" in call(skeleton).sentence


@pytest.mark.parametrize(
    "error", [ValueError("no"), RecursionError("deep"), SystemExit(3), KeyError("k"), MemoryError()]
)
def test_what_it_raises_is_named(error):
    def raising():
        raise error

    outcome = call(raising)
    assert outcome.kind == "raised"
    assert type(error).__name__ in outcome.sentence


def test_a_one_element_array_where_a_number_is_needed_is_explained():
    outcome = call(lambda: float(np.array([[1.0]])[0]))
    assert ".item()" in outcome.sentence


def test_an_endless_loop_is_stopped_even_where_exceptions_are_swallowed():
    def endless():
        while True:
            try:
                while True:
                    pass
            except Exception:
                pass

    outcome = call(endless, seconds=0.2)
    assert outcome.kind == "too long"
    assert "loop" in outcome.sentence


@pytest.fixture
def busy(monkeypatch):
    """Seconds of a processor that a call has, here, where it may take a minute in all."""
    monkeypatch.setattr(calling, "SECONDS", 60)
    monkeypatch.setattr(calling, "BUSY", 0.5)
    return calling.BUSY


def test_a_loop_is_stopped_for_what_it_takes_of_a_processor(busy):
    def endless():
        while True:
            pass

    begin = time.thread_time()
    assert call(endless, seconds=60).kind == "too long"
    assert busy <= time.thread_time() - begin < 3 * busy


def test_what_other_threads_take_of_a_processor_is_not_the_calls(busy):
    over, begin = threading.Event(), time.process_time()

    def spin():
        while not over.is_set():
            pass

    other = threading.Thread(target=spin)
    other.start()
    try:
        outcome = call(lambda: until(lambda: time.process_time() - begin > 1.5 * busy), seconds=60)
    finally:
        over.set()
        other.join()
    assert outcome.kind == "returned", outcome.sentence


def test_what_waits_or_is_given_more_time_may_take_longer_than_a_loop(busy):
    def trains():
        begin = time.thread_time()
        while time.thread_time() - begin < 1.5 * busy:
            pass
        return 1

    assert call(lambda: time.sleep(1.5 * busy), seconds=60).kind == "returned"
    assert call(trains, seconds=61).value == 1


def test_a_changed_input_is_named_and_ours_stays():
    def changing(images, kernel, bias=None):
        images[0] = 9
        bias[0] = 9
        return images

    images, kernel, bias = np.zeros(2), np.ones(2), np.zeros(1)
    outcome = call(changing, images, kernel, bias=bias)
    assert outcome.changed == ["images", "bias"]
    assert images.tolist() == [0, 0] and bias.tolist() == [0]


def test_a_function_without_a_signature_can_be_called():
    assert call(max, 2, 3).value == 3


def test_what_is_too_large_to_be_sent_is_called_so_and_ends_nothing():
    request = {"args": (), "kwargs": {}, "seconds": 5.0, "probe": None, "lent": []}
    reply = unpack(answer(lambda: [np.zeros(2**20) for _ in range(5)], pack(request)))
    assert reply["kind"] == "returned"
    assert reply["value"].called == "a list, which is too large to be looked at,"
