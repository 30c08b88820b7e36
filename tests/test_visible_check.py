"""Visible checks in a real kernel: what a student sees for right, wrong and unwritten work."""

from conftest import errors, html, run_cells

from convblocks.table import as_sentence

CHECK = """
from convblocks import given, visible_check
visible_check(double, [given(2).expect(4, "twice two"), given([1, 2]).expect([2, 4], "a list")])
"""
RIGHT = "import numpy as np\ndef double(x):\n    return np.multiply(x, 2)"
WRONG = "import numpy as np\ndef double(x):\n    return np.multiply(x, 3)"
CRASH = "def double(x):\n    y = 0\n    return x / y"
SKELETON = "def double(x):\n    raise NotImplementedError"


def test_right_work_raises_nothing_and_says_what_is_still_to_come():
    cell = run_cells(RIGHT, CHECK)[1]
    assert not errors(cell)
    assert "2 of 2 visible examples agree" in html(cell)
    assert "hidden cases" in html(cell)


def test_wrong_work_is_told_in_one_line_and_in_numbers():
    cell = run_cells(WRONG, CHECK)[1]
    (error,) = errors(cell)
    assert error.ename == "VisibleCheckFailed"
    assert error.traceback == [
        "double: 0 of 2 visible examples agree. The first that does not:\ndouble(2): twice two:\nyours is 6, expected 4"
    ]
    assert "yours is 6, expected 4" in html(cell)
    assert "alt=" in html(cell)


def test_a_crash_is_shown_with_the_students_own_line():
    cell = run_cells(CRASH, CHECK)[1]
    assert "ZeroDivisionError: division by zero, at the line <code>return x / y</code> of double" in html(cell)


def test_of_a_crash_in_another_function_it_is_said_who_called_it():
    helped = "def halve(x):\n    return x / 0\ndef double(x):\n    return halve(x)"
    said = html(run_cells(helped, CHECK)[1])
    assert "<code>return x / 0</code> of halve, which double called at the line <code>return halve(x)</code>" in said


def test_a_skeleton_is_a_not_implemented_error():
    (error,) = errors(run_cells(SKELETON, CHECK)[1])
    assert error.traceback == ["double is not written yet: write it in the cell above, run that cell, then this one."]
    check = "try:\n    exec(CHECK)\nexcept NotImplementedError:\n    print('caught')"
    assert "caught" in str(run_cells(SKELETON, f"CHECK = {CHECK!r}", check)[2].outputs)


def test_what_is_half_written_is_shown_example_by_example():
    half = "def double(x):\n    if isinstance(x, list):\n        raise NotImplementedError\n    return 2 * x"
    cell = run_cells(half, CHECK)[1]
    assert "1 of 2 visible examples agree" in html(cell)
    assert "it still raises NotImplementedError" in html(cell)


def test_a_name_that_no_cell_has_defined_yet_is_said_to_be_so():
    (error,) = errors(run_cells("import convblocks\nimage + 1")[0])
    assert error.ename == "NameError"
    assert error.traceback[-1].startswith("Is it defined in a cell above that has not run?")


def test_what_keeps_a_function_from_being_checked_is_told_in_one_line():
    imports = "import convblocks"
    typo = "def double(x)\n    return 2 * x"
    misspelt = RIGHT.replace("double", "dubble")
    for cells, said in (
        ((imports, typo, CHECK), "The cell of double has not run, since it is no Python yet: expected ':', in line 1."),
        (
            (imports, misspelt, CHECK),
            "double is not defined. Has its cell run without an error, and is it spelt so there?",
        ),
        ((imports, SKELETON, typo, CHECK), "The cell of double has not run"),
        ((imports, SKELETON, typo, SKELETON, CHECK), "double is not written yet"),
    ):
        (error,) = errors(run_cells(*cells)[-1])
        assert len(error.traceback) == 1
        assert error.traceback[0].startswith(said)


def test_of_a_function_that_calls_a_skeleton_it_is_said_which_one_is_missing():
    calls = "def half(x):\n    raise NotImplementedError\ndef double(x):\n    return half(4 * x)"
    (error,) = errors(run_cells(calls, CHECK)[1])
    assert error.traceback == ["double cannot be tried: it calls half, which still raises NotImplementedError"]
    told = 'def half(x):\n    raise NotImplementedError("half is written elsewhere")'
    (error,) = errors(run_cells(f"{told}\ndef double(x):\n    return half(4 * x)", CHECK)[1])
    assert error.traceback == ["double cannot be tried: half is written elsewhere"]


def test_a_cell_that_calls_a_skeleton_says_what_is_not_written():
    _, (called,), (own,) = (
        errors(one) for one in run_cells(SKELETON, "from convblocks import draw\ndouble(2)", "1 / 0")
    )
    assert called.traceback == ["double is not written yet: write it in its cell above, run that cell, then this one."]
    assert len(own.traceback) > 1
    other = "import convblocks\nraise NotImplementedError('of my own')"
    (error,) = errors(run_cells(other)[0])
    assert "of my own" in error.traceback[-1]


def test_while_autograding_the_hidden_check_after_it_is_reached():
    endless = "def double(x):\n    while True: pass"
    for work in (WRONG, CRASH, SKELETON, endless):
        cell = run_cells(work, CHECK + "\nprint('reached')", NBGRADER_EXECUTION="autograde")[1]
        assert [one.text for one in cell.outputs] == ["reached\n"]


def test_nothing_lands_on_stderr_which_nbgrader_would_read_as_a_failure():
    noisy = "import sys, warnings\n" + RIGHT.replace(
        "return", "print('!', file=sys.stderr); warnings.warn('!'); return"
    )
    cell = run_cells(noisy, CHECK)[1]
    assert not [output for output in cell.outputs if output.output_type == "stream"]


def test_what_the_function_prints_is_shown_with_its_example():
    printing = "def double(x):\n    print(f'x is <{x}>')\n    return x * 3"
    cell = run_cells(printing, CHECK)[1]
    shown = html(cell)
    assert shown.index("double(2)") < shown.index("x is &lt;2&gt;") < shown.index("x is &lt;[1, 2]&gt;")
    endless = "def double(x):\n    for _ in range(10**5):\n        print('again and again')\n    return 2 * x"
    assert len(html(run_cells(endless, CHECK)[1])) < 10_000


def test_a_changed_input_is_named():
    changing = "def double(x):\n    if isinstance(x, list):\n        x[0] = 9\n        return [2, 4]\n    return 2 * x"
    cell = run_cells(changing, CHECK)[1]
    assert "changed its input x" in html(cell)
    assert errors(cell)


def test_a_sentence_begins_with_a_capital_unless_it_begins_with_code():
    assert as_sentence("the kernel is flipped") == "The kernel is flipped."
    assert as_sentence("use_bias is ignored") == "use_bias is ignored."
    assert as_sentence("kernel_size // 2 on both sides") == "kernel_size // 2 on both sides."


def test_a_check_may_give_an_example_more_or_less_time():
    slow = "import time\ndef double(x):\n    time.sleep(0.5)\n    return 2 * x"
    check = "from convblocks import given, visible_check\nvisible_check(double, [given(1).expect(2)], seconds={})"
    _, short, long = run_cells(slow, check.format(0.1), check.format(30))
    assert "no answer in time" in html(short) and errors(short)
    assert not errors(long)
