"""Every command of the README is one that a test or the demo runs."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request

from conftest import ROOT

README = (ROOT / "README.md").read_text()
COMMANDS = [
    line.split("  #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]


def test_every_command_is_run_somewhere():
    demo = (ROOT / "grading" / "demo.py").read_text()
    ci = (ROOT / ".ci" / "run").read_text()
    here = "".join(path.read_text() for path in (ROOT / "tests").glob("test_*.py") if path.name != "test_readme.py")
    here += (ROOT / "autograde_tests" / "test_notebooks.py").read_text() + README_RUNS
    for command in COMMANDS:
        program, *arguments = command.split()
        if program == "nbgrader":
            assert f'"{arguments[0]}"' in demo + here, command
        elif program == "convblocks":
            assert f'"{arguments[0]}"' in here, command
        elif program == "make":
            # The demo itself is run by hand, before a release.
            assert command in ci or command == "make demo" or f'"make", "{arguments[0]}"' in here, command
        elif program == "pytest":
            assert arguments == ["autograde_tests"] or '"--notebook"' in here, command
        else:
            assert command == ". .venv/bin/activate"


README_RUNS = '"make", "lab"'


def test_make_lab_opens_jupyterlab_with_the_assignments_and_overwrites_nothing(tmp_path):
    lab = tmp_path / "lab"
    (lab / "1-padding").mkdir(parents=True)
    (lab / "1-padding" / "padding.ipynb").write_text("my work")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"--no-browser --port={port} --ServerApp.port_retries=0 --IdentityProvider.token= --allow-root"
    server = subprocess.Popen(
        ["make", "lab", f"LAB={lab}", f"LAB_OPTIONS={options}"],
        cwd=ROOT,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        for _ in range(120):
            time.sleep(0.5)
            assert server.poll() is None, server.stdout.read().decode()
            try:
                listing = urllib.request.urlopen(f"http://127.0.0.1:{port}/api/contents").read().decode()
                break
            except OSError:
                continue
        assert "6-shapes-classifier" in listing
        assert b"jupyter" in urllib.request.urlopen(f"http://127.0.0.1:{port}/lab").read()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)
    assert (lab / "1-padding" / "padding.ipynb").read_text() == "my work"
    assert (lab / "5-flatten" / "flatten.ipynb").is_file()


def test_links_and_folders_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    for folder in re.findall(r"^\| `([a-z_]+/)`", README, re.MULTILINE):
        assert (ROOT / folder).is_dir(), folder
