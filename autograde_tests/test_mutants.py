"""The checks kill every mutant of the solutions but those that survivors.toml accounts for."""

import os
import subprocess
import sys

import pytest

from autograde_tests.cases import SEED_VARIABLE
from autograde_tests.mutants import __main__ as command
from autograde_tests.notebooks import ROOT, configured_seed


def test_every_survivor_is_accounted_for_and_no_other():
    # A process of its own: forks are made before anything imports Keras. A class is graded with the course's seed.
    environment = os.environ | {SEED_VARIABLE: configured_seed()}
    mutants = [sys.executable, "-m", "autograde_tests.mutants"]
    done = subprocess.run(mutants, cwd=ROOT, env=environment, capture_output=True, text=True)
    unaccounted = [line for line in done.stdout.split("\n") if "NOT ACCOUNTED FOR" in line or "not live" in line]
    assert done.returncode == 0, "\n".join(unaccounted) + done.stderr
    assert "build_model: `keras.layers.MaxPooling2D(),` lives everywhere. Equivalent" in done.stdout


def test_a_survivor_without_a_reason_and_a_reason_without_a_survivor_fail(tmp_path, monkeypatch, capsys):
    wrong = tmp_path / "survivors.toml"
    wrong.write_text("[[survivors]]\nlives = 'hidden'\nreason = 'none'\n[survivors.lines]\nflatten = ['gone']")
    monkeypatch.setattr(command, "SURVIVORS", wrong)
    monkeypatch.setattr(sys, "argv", ["mutants", "flatten"])
    with pytest.raises(SystemExit) as end:
        command.main()
    assert end.value.code
    said = capsys.readouterr().out
    assert "`return images.reshape(len(images), - 2)` lives everywhere. NOT ACCOUNTED FOR" in said
    assert "flatten: `gone` does not live (hidden) any more" in said
