"""README, docs and lessons: every line of code is run or at least read, every link leads somewhere, every name is there."""

import ast
import fcntl
import itertools
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import dask
import distributed  # noqa: F401
import nbformat
import numpy as np
import pytest
import typer
import yaml
from conftest import ROOT, scores
from markdown_it import MarkdownIt
from nbgrader.apps import NbGraderApp
from traitlets.config.loader import PyFileConfigLoader

import convblocks
from benchmarks import free_port
from grading.cli import app

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
README = PAGES[0].read_text()
LESSONS = {
    path: [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    for path in sorted((ROOT / "source").glob("*/*.ipynb"))
}
TESTS = "".join(
    path.read_text()
    for path in (*ROOT.glob("tests/test_*.py"), *ROOT.glob("autograde_tests/test_*.py"), ROOT / "grading" / "demo.py")
    if path.name != "test_docs.py"
)
# They take minutes, and are for a release or for the figures that a page gives.
BY_HAND = {
    "make demo",
    "make bench",
    *(f"python -m benchmarks.{one}" for one in ("scale", "rush", "week", "many_submissions")),
}
# Programs that are not the course's and not here, with what the page says of that.
ELSEWHERE = {
    "jupyterhub.md": ({"cd", "useradd", "git", "docker"}, "Not tried: building the image (there was no Docker")
}


def parts(markdown: str) -> list:
    """All parts of a page as GitHub reads it, those inside of a line among them."""
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
    return [one for token in tokens for one in (token, *(token.children or ()))]


def blocks(markdown: str, language: str) -> list[str]:
    """The fenced code of one language."""
    return [one.content for one in parts(markdown) if one.type == "fence" and one.info == language]


def commands(page: Path) -> list[list[str]]:
    """The words of every command in a page's blocks, and of the course's own ones within its text."""
    text = page.read_text()
    lines = "".join(blocks(text, "sh")).replace("\\\n", " ").splitlines()
    within = [one.content for one in parts(text) if one.type == "code_inline"]
    lines += [one for one in within if re.match(r"(convblocks|nbgrader|make|python|pytest) [\w-]", one)]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def test_every_block_of_code_is_in_a_language_that_is_run_or_read_here():
    languages = {"sh", "python", "yaml"}
    found = {
        (page.name, one.info)
        for page in PAGES
        for one in parts(page.read_text())
        if one.type in ("fence", "code_block")
    }
    # A test below compares the picture's names with the folders.
    assert {one for one in found if one[1] not in languages} == {("architecture.md", "mermaid")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_is_one_that_its_program_knows_and_that_is_run_somewhere(page):
    for block in blocks(page.read_text(), "sh"):
        subprocess.run(["sh", "-n"], input=block, text=True, check=True)
    unknown = [shlex.join(words) for words in commands(page) if not known(page, *words)]
    not_run = [shlex.join(words) for words in commands(page) if not run_somewhere(page, *words)]
    assert (unknown, not_run) == ([], [])


def assignments(page: Path) -> set[str]:
    """What a page may call an assignment: one of the course, one that the page has laid out, or a word in its place."""
    laid_out = re.findall(r"convblocks new (\d-[\w-]+)/", page.read_text())
    return {folder.name for folder in (ROOT / "source").iterdir()} | set(laid_out) | {"ASSIGNMENT"}


def is_understood(page: Path, command, arguments: tuple[str, ...]) -> bool:
    """Whether a command of convblocks takes these arguments; a page may name it without all that it needs."""
    try:
        given = command.make_context(command.name, list(arguments)).params
    except Exception as error:
        # Of typer's errors only this one's parent has a public name.
        return isinstance(error, typer.BadParameter) and type(error).__name__ == "MissingParameter"
    named = given.get("assignments") or [given.get("assignment")]
    return set(filter(None, named)) <= assignments(page)


def known(page: Path, program: str, *arguments: str) -> bool:
    """Whether there is such a command with such options, and all that its arguments name."""
    named = {one for one in arguments if re.fullmatch(r"\d-[\w-]+", one)}
    classes = [one for each in arguments for one in re.findall(r"=(grading\.\w+\.\w+)$", each)]
    modules = [one.rpartition(".") for one in classes]
    if not named <= assignments(page) or not all(hasattr(import_module(one), name) for one, _, name in modules):
        return False
    options = {one.partition("=")[0] for one in arguments if one.startswith("-")} - {"-m"}
    match program, *arguments:
        case "convblocks", name, *_:
            command = typer.main.get_command(app).commands.get(name)
            return command is not None and is_understood(page, command, tuple(arguments[1:]))
        case "nbgrader", name, *_:
            command, _ = NbGraderApp.subcommands[name]
            traits = {
                f"--{each.__name__}.{name}"
                for each in command().all_configurable_classes()
                for name in each.class_traits()
            }
            return options <= {f"--{one}" for one in (*command.aliases, *command.flags)} | traits
        case "make", target:
            return f"\n{target}: .venv/ready\n" in (ROOT / "Makefile").read_text()
        case "python", "-m", "pip", *_:
            return True
        case "python", "-m", module, *_:
            folder = find_spec(module).submodule_search_locations
            source = Path(folder[0], "__main__.py") if folder else Path(find_spec(module).origin)
            return all(f'"{one}"' in source.read_text() for one in options)
        case "python", script, *_:
            return (ROOT / script).is_file() or f"`{script}`" in page.read_text()
        case "pytest", folder, *_:
            course = re.findall(r'addoption\("(.+?)"', (ROOT / folder / "conftest.py").read_text())
            return options <= {"-k", *course}
    return True


def run_somewhere(page: Path, program: str, *arguments: str) -> bool:
    """Whether a test, the demo or CI runs the command; or its page says that nobody could."""
    if " ".join((program, *arguments[:2])) in BY_HAND or " ".join((program, *arguments[:1])) in BY_HAND:
        return True
    match program, *arguments:
        case (("convblocks" | "nbgrader"), name, *_):
            return f'"{name}"' in TESTS
        case "make", target:
            return f"make {target} " in (ROOT / ".ci" / "run").read_text() or f'"make", "{target}"' in TESTS + RUN_BELOW
        case "python", "-m", "pip", "install", what:
            return "[student]" in what and "[student]" in TESTS
        case "python", "-m", module, *_:
            return f'"{module}"' in TESTS or f"from {module} import" in TESTS
        case "python", script, *_:
            return re.search(rf'"{Path(script).name}"|\bimport {Path(script).stem}\b', TESTS + RUN_BELOW) is not None
        case "pytest", folder, *_:
            return folder in (ROOT / "pyproject.toml").read_text()
        case ".", script:
            return script == ".venv/bin/activate"
        case "git", "config", *_:
            return "CONFIGURE" in TESTS
        case (("printf" | "chmod"), *_):
            return "HOOK" in TESTS
        case ("exec", "9>", ".cron.lock") | ("flock", "--nonblock", "9", *_):
            return "test_what_cron_runs" in TESTS + RUN_BELOW
    programs, said = ELSEWHERE.get(page.name, (set(), ""))
    return program in programs and said in page.read_text()


RUN_BELOW = '"make", "lab" "cluster.py" "seen.py" test_what_cron_runs'


def test_what_the_tests_have_seen_is_printed():
    done = subprocess.run([sys.executable, "tests/seen.py"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.findall("^## (.*)", done.stdout, re.MULTILINE) == ["Attacks", "Broken notebooks", "Faults"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_all_python_of_a_page_runs(page, tmp_path):
    """One block after another, as a reader has run them; a program that is to be saved, as that."""
    names = {"np": np} | {name: getattr(convblocks, name) for name in convblocks.__all__}
    for block in blocks(page.read_text(), "python"):
        if "input(" not in block:
            exec(block, names)
            continue
        (tmp_path / "cluster.py").write_text(f"{block}\nprint(cluster.job_script())")
        done = subprocess.run(
            [sys.executable, "cluster.py"],
            cwd=tmp_path,
            # It would write its defaults into the home folder.
            env=os.environ | {"DASK_CONFIG": str(tmp_path)},
            input="\n",
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert re.match(r"tcp://\S+:\d+\n", done.stdout)
        # What the page says of it: a job has 14 workers of one thread.
        assert "--nthreads 1 " in done.stdout and "--nworkers 14 " in done.stdout


def test_the_yaml_of_the_docs_starts_commands_that_there_are():
    everything = [yaml.safe_load(block) for page in PAGES for block in blocks(page.read_text(), "yaml")]
    found = [one for one in everything if one.get("kind") == "DaskCluster"]
    programs = {one.name: one for one in entry_points(group="dask_cli")}
    for block in found:
        for role in ("worker", "scheduler"):
            for container in block["spec"][role]["spec"]["containers"]:
                program, name, *arguments = container["args"]
                known_options = {one for each in programs[name].load().params for one in each.opts}
                assert Path(program).name == "dask" and name == role
                assert {one for one in arguments if one.startswith("-")} <= known_options
    assert found and "Neither cluster was at hand" in (ROOT / "docs" / "scale.md").read_text()
    (settings,) = [one for one in everything if "distributed" in one]
    known, ours = dask.config.get("distributed.comm"), settings["distributed"]["comm"]
    assert ours.keys() <= known.keys() and ours["tls"].keys() <= known["tls"].keys()
    assert all(ours["tls"][role].keys() <= known["tls"][role].keys() for role in ("scheduler", "worker", "client"))
    (policy,) = [one for one in everything if one.get("kind") == "NetworkPolicy"]
    label = policy["spec"]["podSelector"]["matchLabels"].items()
    assert label <= found[0]["spec"]["scheduler"]["service"]["selector"].items()


def test_the_python_that_lessons_show_is_python():
    shown = [(path, block) for path, texts in LESSONS.items() for text in texts for block in blocks(text, "python")]
    for path, block in shown:
        ast.parse(block, path)
    assert shown


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
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    assert (lab / "1-padding" / "padding.ipynb").read_text() == "my work"
    assert (lab / "5-flatten" / "flatten.ipynb").is_file()


def test_folders_of_the_table_exist():
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


def test_the_architecture_names_every_module_of_grading_and_nothing_that_is_not_there():
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`((?:grading|autograde_tests|convblocks)/[\w/]*(?:\.py)?)`", page))
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
    modules = {f"grading/{path.name}" for path in (ROOT / "grading").glob("*.py")} - {"grading/__init__.py"}
    assert modules <= named
    # Those of the picture stand there without their folder.
    drawn = set(re.findall(r"\b\w+\.py\b", page.split("```")[1]))
    assert drawn <= {
        path.name for room in ("grading", "autograde_tests", "convblocks") for path in (ROOT / room).glob("*.py")
    }


def headings(markdown: str) -> list[str]:
    """The text of every heading."""
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
    return [after.content for one, after in itertools.pairwise(tokens) if one.type == "heading_open"]


def anchors(path: Path) -> set[str]:
    """What can stand behind # in a link to a file: GitHub's names of headings, and in a notebook JupyterLab's."""
    if path in LESSONS:
        return {one.replace(" ", "-") for text in LESSONS[path] for one in headings(text)}
    if path.suffix != ".md":
        return set()
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings(path.read_text())}


def targets(markdown: str) -> list[str]:
    """Where links and pictures point, written as Markdown or as HTML."""
    found = [
        one.attrs.get("href", one.attrs.get("src")) for one in parts(markdown) if one.type in ("link_open", "image")
    ]
    return found + re.findall(r'<(?:a|img)\b[^>]* (?:href|src)="([^"]+)"', markdown)


def test_every_link_leads_somewhere():
    broken = []
    texts = {page: [page.read_text()] for page in PAGES} | LESSONS
    for page, target in ((page, one) for page, each in texts.items() for text in each for one in targets(text)):
        path, _, anchor = unquote(target).partition("#")
        aim = (page.parent / path).resolve() if path else page
        if re.match(r"https://[\w.-]+\.\w+(/|$)", target):
            continue
        if not aim.exists() or (anchor and anchor not in anchors(aim)):
            broken.append((page.name, target))
    assert broken == []


def test_a_lesson_that_names_the_next_one_names_it_rightly():
    titles = "\n".join(headings(texts[0])[0] for texts in LESSONS.values())
    named = {one for texts in LESSONS.values() for one in re.findall(r"\*\*(\d · [A-Z][^*]+)\*\*", "\n".join(texts))}
    assert len(named) == 5
    assert [one for one in named if one not in titles] == []


def test_what_cron_runs_collects_and_grades_unless_the_run_before_still_does(course):
    folder = course / "exchange" / "convblocks" / "inbound" / "ada+1-padding+2026-11-20 10:00:00 UTC"
    shutil.copytree(ROOT / "solutions" / "1-padding", folder)
    (lines,) = (one for one in blocks((ROOT / "docs" / "scale.md").read_text(), "sh") if "flock" in one)
    script = lines.replace("--scheduler tcp://scheduler:8786", "--workers=1")
    assert script != lines
    (course / ".venv").symlink_to(sys.prefix)
    # What cron gives.
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(course), "SHELL": "/bin/sh"}
    environment["CONVBLOCKS_EXCHANGE"] = str(course / "exchange")
    how = {"cwd": course, "env": environment, "capture_output": True, "text": True}
    with (course / ".cron.lock").open("w") as before:
        fcntl.flock(before, fcntl.LOCK_EX)
        assert subprocess.run(["sh", "-c", script], **how).stderr == ""
        assert not (course / "submitted").exists()
    done = subprocess.run(["sh", "-c", script], **how)
    assert done.returncode == 0, done.stderr
    assert scores(course) == {"ada": 12}
