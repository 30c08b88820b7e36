"""bring_functions in a real kernel: the cell becomes the student's own functions, and nothing is lost."""

import os
import shutil
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT, errors, run_cells
from jupyter_client.manager import start_new_kernel
from nbformat.v4 import new_code_cell, new_notebook

from convblocks.toolbox import own_functions
from grading.sample_class import STUDENTS, hand_in

OUTPUT_SIZE = "import math\nROUND = math.ceil\n\n\ndef output_size(size, k, s=1, padding='valid'):\n    return ROUND((size - k + 1) / s)"
AMOUNTS = "@staticmethod\ndef helper():\n    return output_size(9, 3)\n\n\ndef padding_amounts(size, k, s=1):\n    return helper(), 1"
PAD = 'def pad2d(images, k):\n    """Text."""\n    raise NotImplementedError'


def write(folder, *sources, name="1-padding/padding.ipynb"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)


@pytest.fixture
def kernel(tmp_path):
    """Runs code in a kernel in a folder beside the notebooks; the reply, and everything printed."""
    here = tmp_path / "2-conv-forward"
    here.mkdir()
    manager, client = start_new_kernel(cwd=str(here), env=os.environ | {"NBGRADER_EXECUTION": ""})
    printed = []

    def run(code):
        printed.clear()
        reply = client.execute_interactive(code, timeout=60, output_hook=lambda m: printed.append(m["content"]))
        return reply["content"], "".join(one.get("text", "") for one in printed)

    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_the_cell_becomes_the_functions_with_all_they_need(tmp_path, kernel):
    write(tmp_path, "%matplotlib inline\nnot python", OUTPUT_SIZE, "output_size(1, 1)", AMOUNTS, PAD)
    reply, printed = kernel(
        'from convblocks import bring_functions\n\nbring_functions("padding_amounts", "pad2d", "conv2d")'
    )
    assert reply["status"] == "ok"
    assert "✓ padding_amounts: found in 1-padding/padding.ipynb" in printed
    assert "✗ pad2d: not written yet in 1-padding/padding.ipynb" in printed
    assert (
        f"✗ conv2d: there is no notebook 2-conv-forward/conv_forward.ipynb in {tmp_path}: folders and files" in printed
    )
    (payload,) = [one for one in reply["payload"] if one["source"] == "set_next_input"]
    assert payload["replace"] is True
    for part in (
        "import math",
        "ROUND = math.ceil",
        "def output_size",
        "@staticmethod",
        "def helper",
        "def padding_amounts",
    ):
        assert part in payload["text"]
    assert "output_size(1, 1)" not in payload["text"]
    # What was found is there at once; what was not says where it is to be written.
    assert kernel("print(output_size(9, 3))")[1] == "7\n"
    reply, _ = kernel("pad2d(1, 2)")
    assert (reply["ename"], "1-padding/padding.ipynb" in reply["evalue"]) == ("NotImplementedError", True)

    # Once it is written, the cell as it stands now brings the rest and keeps what it has.
    write(tmp_path, OUTPUT_SIZE, AMOUNTS, "def pad2d(images, k):\n    return 'padded'")
    write(tmp_path, "def conv2d():\n    return 'convolved'", name="2-conv-forward/conv_forward.ipynb")
    reply, _ = kernel(payload["text"])
    (payload,) = [one for one in reply["payload"] if one["source"] == "set_next_input"]
    assert payload["text"].count("def padding_amounts") == payload["text"].count("def pad2d") == 1
    assert "\nbring_functions(" not in payload["text"]
    # The cell stands on its own now.
    kernel("%reset -f")
    assert kernel(payload["text"])[0]["status"] == "ok"
    assert kernel("print(pad2d(1, 2), conv2d())")[1] == "padded convolved\n"


def test_other_work_in_the_cell_stays(tmp_path, kernel):
    write(tmp_path, OUTPUT_SIZE)
    reply, _ = kernel('from convblocks import bring_functions\nmine = 3\nbring_functions("output_size")\nalso = 4')
    (payload,) = [one for one in reply["payload"] if one["source"] == "set_next_input"]
    assert payload["text"].startswith("from convblocks import bring_functions\nmine = 3\n")
    assert payload["text"].endswith("\nalso = 4")


@pytest.mark.parametrize("call", ['x = bring_functions("pad2d")', 'bring_functions("pad2d")\nbring_functions("pad2d")'])
def test_a_call_that_could_lose_something_is_refused(kernel, call):
    reply, _ = kernel(f"from convblocks import bring_functions\n{call}")
    assert reply["ename"] == "ValueError"
    assert not reply["payload"]


def test_the_notebooks_beside_are_not_changed(tmp_path, kernel):
    write(tmp_path, OUTPUT_SIZE)
    before = (tmp_path / "1-padding/padding.ipynb").read_bytes()
    kernel('from convblocks import bring_functions\nbring_functions("output_size")')
    assert (tmp_path / "1-padding/padding.ipynb").read_bytes() == before


def test_the_last_definition_counts(tmp_path):
    write(tmp_path, "def output_size():\n    return 1", "def output_size():\n    return 2")
    text, _ = own_functions(["output_size"], tmp_path)
    assert "return 2" in text and "return 1" not in text


def test_a_function_made_in_another_way_than_def_is_found(tmp_path):
    write(tmp_path, "output_size = lambda size: size")
    assert "lambda" in own_functions(["output_size"], tmp_path)[0]


def test_a_broken_notebook_is_named(tmp_path):
    write(tmp_path, OUTPUT_SIZE)
    (tmp_path / "1-padding/padding.ipynb").write_text("{")
    assert "cannot be read as a notebook" in own_functions(["output_size"], tmp_path)[1]["output_size"]


def test_a_function_with_a_mistake_in_its_syntax_is_found_and_said_to_have_one(tmp_path):
    write(tmp_path, OUTPUT_SIZE, "def padding_amounts(size, k)\n    return 1, 1")
    _, states = own_functions(["output_size", "padding_amounts", "pad2d"], tmp_path)
    assert states == {
        "output_size": "found in 1-padding/padding.ipynb",
        "padding_amounts": "its cell in 1-padding/padding.ipynb is no valid Python (line 1: expected ':')",
        "pad2d": "not found in 1-padding/padding.ipynb; is it saved there?",
    }


def test_helpers_of_one_name_that_differ_are_named_and_neither_takes_the_others_place(tmp_path):
    write(tmp_path, "def two(x):\n    return x, x", "def pad2d(x, k=3):\n    return two(x)")
    write(
        tmp_path,
        "def two(x, y):\n    return x",
        "def max_pool2d(x):\n    return two(x, 1)",
        name="4-max-pool/max_pool.ipynb",
    )
    text, states = own_functions(["pad2d", "max_pool2d"], tmp_path)
    assert states == {
        "pad2d": "found in 1-padding/padding.ipynb",
        "max_pool2d": "uses another two than your pad2d: give one of the two another name",
    }
    assert 'bring_functions("max_pool2d")' in text and "def two(x, y)" not in text


def test_what_a_function_takes_from_a_magic_cell_or_from_nowhere_is_seen(tmp_path):
    write(
        tmp_path,
        "from math import *",
        "kernel = 5",
        "%%time\ndef output_size(size, kernel):\n    return ceil(size / kernel)",
    )
    text, states = own_functions(["output_size"], tmp_path)
    assert states["output_size"].startswith("found in 1-padding/padding.ipynb, but not ceil, which it uses")
    # The parameter is no variable of the notebook.
    assert "kernel = 5" not in text


def test_a_line_that_goes_on_with_a_percent_sign_is_no_magic(tmp_path):
    write(tmp_path, "def output_size(size, k):\n    return (size\n        % k)")
    assert "        % k)" in own_functions(["output_size"], tmp_path)[0]


def test_an_error_of_ones_own_earlier_function_is_told_with_its_line(tmp_path, kernel):
    write(tmp_path, "def output_size(size, k):\n    return size / k")
    kernel('from convblocks import bring_functions\nbring_functions("output_size")')
    kernel("def places(size):\n    return output_size(size, 0)")
    told = "from convblocks.calling import call\nprint(call(places, 3).sentence)"
    said = "at the line `return size / k` of output_size, which places called at the line `return output_size(size, 0)`"
    assert said in kernel(told)[1]


def test_an_unknown_function_is_named(tmp_path):
    with pytest.raises(ValueError, match="'pad3d' is not a function"):
        own_functions(["pad3d"], tmp_path)


def test_on_the_graders_machine_nothing_is_looked_for(tmp_path):
    write(tmp_path, OUTPUT_SIZE)
    text, states = own_functions(["output_size"], None)
    assert "not brought over" in states["output_size"]
    assert "def output_size" not in text


def test_the_toolbox_of_a_sample_student_without_functions_can_be_run_again(tmp_path):
    folder = Path(shutil.copytree(ROOT / "release" / "6-shapes-classifier", tmp_path / "6-shapes-classifier"))
    fay = next(one for one in STUDENTS if one.name == "fay")
    hand_in(fay, folder / "numpy_classifier.ipynb", ROOT / "solutions/6-shapes-classifier/numpy_classifier.ipynb")
    cells = nbformat.read(folder / "numpy_classifier.ipynb", as_version=4).cells
    ran = run_cells(next(cell.source for cell in cells if cell.id == "toolbox"), folder=folder)
    assert not errors(ran[0])
