"""Every command of the README is one that a test or the demo runs."""

import os
import re
import signal
import subprocess
import time
import urllib.request
from types import SimpleNamespace

from conftest import ROOT, free_port
from traitlets.config.loader import PyFileConfigLoader

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
    port = free_port()
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


def test_the_hub_of_the_docs_names_the_same_course_exchange_and_folders_everywhere():
    recipe = ROOT / "docs" / "jupyterhub"
    hub, students = (
        PyFileConfigLoader(name, str(recipe)).load_config() for name in ("jupyterhub_config.py", "nbgrader_config.py")
    )
    course_id, exchange = students.CourseDirectory.course_id, students.Exchange.root
    assert f'course_id = "{course_id}"' in (ROOT / "nbgrader_config.py").read_text()
    seats = {}
    for name in ("instructor", "ada"):
        seats[name] = SimpleNamespace(user=SimpleNamespace(name=name), notebook_dir="")
        hub.Spawner.pre_spawn_hook(seats[name])
    instructor, student = seats.values()
    course = instructor.notebook_dir
    assert {f"CONVBLOCKS_EXCHANGE={exchange}", f"--chdir={course}"} < set(instructor.cmd)
    assert course not in f"{student.cmd} {student.environment} {student.notebook_dir}"
    dockerfile = (recipe / "Dockerfile").read_text()
    for folder in (course, f"{exchange}/{course_id}", student.cmd[0].removesuffix("/bin/jupyterhub-singleuser")):
        assert f" {folder} " in dockerfile, folder
    for copied in re.findall(r"^COPY (?:--\S+ )?(.+) \S+$", dockerfile, re.MULTILINE):
        for name in copied.split():
            assert (ROOT / name).exists(), name
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / "docs" / "jupyterhub.md").read_text()):
        assert (ROOT / "docs" / target).exists(), target
