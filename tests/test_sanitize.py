"""What a submission holds, in the pages that an instructor and a student open: nothing of it runs, figures still show."""

import csv
import json
import re
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import jinja2
import nbformat
import nbgrader.server_extensions.formgrader.formgrader as formgrader_app
import nbgrader.server_extensions.formgrader.handlers as formgrader
import pytest
from browser import browser, started
from bs4 import BeautifulSoup
from conftest import ROOT, nbgrader
from nbclient import NotebookClient
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension
from nbgrader.utils import determine_grade
from traitlets.config import Config

from convblocks import draw, grid
from convblocks.table import Line, html_table
from grading import feedback
from grading.intake import UNUSABLE
from grading.sanitize import (
    RESULT,
    CleanMessages,
    clean_html,
    clean_notebook,
    clean_text,
    highlight_code,
    markdown2html,
)

SOLUTION = ROOT / "solutions" / "1-padding" / "padding.ipynb"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


def run(name):
    """JavaScript that says it ran."""
    return f"window.pwned=[...(window.pwned||[]),'{name}']"


FIGURE = draw(grid([[1, 2], [3, 4]])).html

HTML = {
    "figure": FIGURE,
    "script": f"<script>{run('html script')}</script>",
    "onerror": f'<img src="nowhere:x" onerror="{run("html onerror")}">',
    "svg": f'<svg onload="{run("html svg")}"></svg>',
    "mutation": f'<svg><style><img src="nowhere:x" onerror="{run("mutation")}"></style></svg>',
    "noscript": f'<noscript><p title="</noscript><img src=nowhere:x onerror={run("noscript")}>"></noscript>',
    "frame": "<iframe srcdoc=\"<script>parent.pwned=[...(parent.pwned||[]),'html iframe']</script>\"></iframe>",
    "javascript link": f'<a id="link" href="javascript:{run("link")}">x</a><a href=" java\tscript:x()">y</a>',
    "data link": '<a href="data:text/html,<script>1</script>">x</a>',
    "relative link": '<a href="evil.html">x</a><a href="http:evil.html">y</a><a href="//evil.example">z</a>',
    "files link": f'<a href="files/javascript:{run("files")}">x</a><img src="files/http://evil.example/a">',
    "tracking": '<img src="http://evil.example/pixel"><p style="background:url(http://evil.example/style)">t</p>',
    "hidden url": '<p style="background:u\\72l(http://evil.example/style2)">t</p>',
    "overlay": '<div style="position:fixed;top:0;left:0;width:100%;z-index:9999">overlay</div>',
    "form": '<form action="http://evil.example/form"><button class="full-credit">Full credit</button></form>',
    "refresh": '<meta http-equiv="refresh" content="0;url=http://evil.example/refresh">',
    "stylesheet": '<link rel="stylesheet" href="http://evil.example/css"><style>body{display:none}</style>',
    "object": '<object data="http://evil.example/object"></object><embed src="http://evil.example/embed">',
    "ids": '<p id="test_pad2d" class="score tabbable" data-link="x" name="top">clobber</p>',
    "deep": "<div>" * 3000,
}
BUNDLES = [
    *({"text/html": html, "text/plain": name} for name, html in HTML.items()),
    {"image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg' onload=\"{run('svg')}\"/>"},
    {"application/javascript": run("javascript"), "text/plain": "javascript"},
    {"text/markdown": f"# m\n<script>{run('markdown output')}</script>"},
    {"text/latex": "$\\require{unicode}\\href{javascript:alert(1)}{x}$"},
    {"application/vnd.jupyter.widget-view+json": {"model_id": "x", "version_major": 2}, "text/plain": "w"},
    {"image/png": f'"><script>{run("png")}</script>'},
    {RESULT: {"score": 99}},
]
MARKDOWN = {
    **HTML,
    "javascript": f"[x](javascript:{run('md')}) <javascript:alert(1)> ![x](javascript:alert(1))",
    "files": f"[x](files/javascript:{run('md files')})",
    "fence": f'```"><script>{run("fence")}</script>\nx\n```',
    "fenced": "```python\ndef f(): return 1\n```",
    "math": f"$</p><script>{run('math')}</script>$ \\begin{{x}}<script>{run('env')}</script>\\end{{x}}",
    "template": "{{ 7*7 }} {% raw %} {{ resources }}",
    "attached": "![a](attachment:a.html) ![b](attachment:b.svg) ![c](attachment:c.png)",
}
RAW = f"<script>{run('raw')}</script><a href='javascript:1'>x</a>"
ATTACHMENTS = {
    "a.html": {"text/html": f"<script>{run('attachment')}</script>"},
    "b.svg": {"image/svg+xml": f'x"><script>{run("attached svg")}</script>'},
    "c.png": {"image/png": PIXEL},
}
TEXTS = [
    "\x1b]8;;javascript:alert(1)\x1b\\click\x1b]8;;\x1b\\",
    f"<script>{run('text')}</script>\0 \ud800",
    "\x1b[" + "9" * 9000 + "m",
]


def attacks() -> list:
    """Cells of every attack, with outputs; as plain data, since nbformat would refuse some."""
    outputs = [{"output_type": "display_data", "data": bundle, "metadata": {}} for bundle in BUNDLES]
    outputs[0]["metadata"] = {"filenames": {"image/png": f"<script>{run('name')}</script>"}}
    outputs[1]["metadata"] = {"text/html": {"isolated": True}}
    outputs += [{"output_type": "stream", "name": "stdout", "text": text} for text in TEXTS]
    outputs += [{"output_type": "error", "ename": text, "evalue": text, "traceback": [text]} for text in TEXTS]
    code = {"cell_type": "code", "source": "1", "outputs": outputs, "metadata": {}}
    code["metadata"]["tags"] = [f'"><script>{run("tag")}</script>']
    code["execution_count"] = f"<script>{run('count')}</script>"
    magic = {"cell_type": "code", "source": f"%%html\n<script>{run('source')}</script>", "outputs": []}
    magic |= {"execution_count": None, "metadata": {"magics_language": '"><script>'}}
    raw = {"cell_type": "raw", "source": RAW, "metadata": {"raw_mimetype": "text/html"}}
    unknown = {"cell_type": "odd", "type": f"<script>{run('type')}</script>", "source": "", "metadata": {}}
    markdown = [
        {"cell_type": "markdown", "source": text, "attachments": ATTACHMENTS, "metadata": {}}
        for text in MARKDOWN.values()
    ]
    cells = [code, magic, raw, unknown, *markdown]
    return [nbformat.from_dict({"id": f"attack-{place}", **cell}) for place, cell in enumerate(cells)]


def attack(nb) -> None:
    """Put all attacks into a notebook, in front of what is there."""
    nb.cells[:0] = attacks()
    nb.metadata |= {
        "title": f"</title><script>{run('title')}</script>",
        "language_info": {"name": f'"><script>{run("language")}</script>', "pygments_lexer": '"><script>'},
        "widgets": {
            "application/vnd.jupyter.widget-state+json": {"state": {}, "x": f"</script><script>{run('widgets')}"}
        },
    }


def write(path: Path, nb) -> Path:
    """Write a notebook that nbformat would refuse; surrogates as JSON writes them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(nb))
    return path


EMIT = """
import json
from IPython import get_ipython
kernel = get_ipython().kernel
# As a kernel of a student's own would send them, surrogates included.
kernel.session.pack = lambda message: json.dumps(message, default=str).encode()
for kind, content in json.loads({messages!r}):
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent("shell"), ident=b"x")
"""


@pytest.fixture(scope="module")
def graded(generated_course, tmp_path_factory) -> Path:
    """A course in which eve handed in all attacks, at rest and from her kernel, and both pages were made."""
    course = Path(shutil.copytree(generated_course, tmp_path_factory.mktemp("attacked") / "course"))
    nb = nbformat.read(SOLUTION, as_version=4)
    attack(nb)
    bad = [("display_data", {"data": bundle, "metadata": {"convblocks": {"official": True}}}) for bundle in BUNDLES]
    bad += [("stream", {"name": "stdout", "text": text}) for text in TEXTS]
    bad += [("execute_input", {"code": "", "execution_count": f"<script>{run('kernel count')}</script>"})]
    nb.cells.append(new_code_cell(EMIT.format(messages=json.dumps(bad)), id="emit"))
    nb.cells[0].source = "1\0 # \ud800"
    write(course / "submitted" / "eve" / "1-padding" / "padding.ipynb", nb)
    shutil.copytree(SOLUTION.parent, course / "submitted" / "ada" / "1-padding")
    nbgrader(course, "autograde", "1-padding")
    nbgrader(course, "generate_feedback", "1-padding")
    return course


def notebook(course: Path, student: str):
    return nbformat.read(course / "autograded" / student / "1-padding" / "padding.ipynb", as_version=4)


def formgrader_page(course: Path, notebook: Path, config: Config | None = None) -> str:
    """Formgrader's page of a graded notebook; config: another than the course's."""
    if config is None:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(course)
            extension = FormgradeExtension()
            extension.root_dir = str(course)
            extension.initialize([])
        config = extension.config
    name = f"</title><script>{run('name')}</script>"
    resources = {
        "assignment_id": "1-padding",
        "notebook_id": "padding",
        "submission_id": "1",
        "index": 0,
        "total": 1,
        "base_url": "",
        "student": name,
        "last_name": name,
        "first_name": name,
        "notebook_path": f'"><script>{run("path")}</script>',
    }
    page, _ = HTMLExporter(config=config).from_filename(str(notebook), resources=resources)
    return page


def formgrader_list(course: Path, student: str) -> str:
    """Formgrader's list of a student's assignments, as its server makes it with the config of a folder."""
    with pytest.MonkeyPatch.context() as patch:
        # What the course's config puts in its place holds for one server.
        patch.setattr(formgrader_app, "Environment", jinja2.Environment)
        patch.chdir(course)
        extension = FormgradeExtension()
        extension.root_dir = str(course)
        extension.initialize([])
        server = SimpleNamespace(settings={})
        extension.init_tornado_settings(server)
    template = server.settings["nbgrader_jinja2_env"].get_template("manage_students_assignments.tpl")
    return template.render(student_id=student, base_url="")


def stock(template: str) -> Config:
    """The exporter's config as nbgrader has it by itself."""
    config = Config()
    config.HTMLExporter.template_name = template
    config.HTMLExporter.extra_template_basedirs = [formgrader.template_path]
    return config


LOOK = """() => ({
    pwned: window.pwned || [],
    links: [...document.querySelectorAll('#notebook a[href]')].map(a => a.getAttribute('href')),
    pictures: [...document.querySelectorAll('#notebook img[src]')].map(i => [i.getAttribute('src'), i.naturalWidth]),
    active: [...document.querySelectorAll('#notebook :is(script, iframe, object, embed, form, base, meta, link, style, svg)')]
        .map(e => e.outerHTML),
    laid: [...document.querySelectorAll('#notebook *')]
        .filter(e => ['fixed', 'absolute'].includes(getComputedStyle(e).position)).map(e => e.outerHTML),
    clobbered: document.querySelectorAll('#notebook p:is([id], [class], [name])').length,
    text: document.body.innerText,
})"""


def open_page(path: Path, picture: Path | None = None) -> dict:
    """What a page does in a browser: what ran, what it asked the network for, and what it shows."""
    requests, dialogs = [], []

    def answer(route):
        local = route.request.url == path.as_uri() or route.request.url.startswith("data:")
        if local:
            route.continue_()
        else:
            requests.append(route.request.url)
            route.abort()

    with started("--disable-quic", "--no-first-run", "--disable-background-networking") as chromium:
        page = chromium.new_page()
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.route("**/*", answer)
        page.goto(path.as_uri())
        page.wait_for_timeout(1000)
        seen = page.evaluate(LOOK)
        if picture:
            page.screenshot(path=picture, full_page=True)
    return seen | {"requests": requests, "dialogs": dialogs}


def harmless(seen: dict, own: tuple = ()) -> None:
    """Assert that a page did nothing; own: what it loads that is nbgrader's."""
    assert seen["pwned"] == []
    assert seen["dialogs"] == []
    assert [url for url in seen["requests"] if not url.startswith(own)] == []
    assert seen["active"] == []
    assert seen["laid"] == []
    assert seen["clobbered"] == 0
    assert [link for link in seen["links"] if not link.startswith(("https://", "http://", "#"))] == []
    assert all(source.startswith("data:image/") and width for source, width in seen["pictures"]), seen["pictures"]


@browser
def test_the_attacks_run_on_stock_nbgrader(tmp_path):
    nb = nbformat.read(SOLUTION, as_version=4)
    attack(nb)
    # What stock nbgrader refuses as no notebook, what it cannot write, and what hides or leaves the rest of its page.
    spoilers = ("<div><div>", "refresh", "<style>", "\\ud800", "'odd'")
    nb.cells = [cell for cell in nb.cells if cell.get("outputs") or not any(word in repr(cell) for word in spoilers)]
    nb.cells[0].outputs = [one for one in nb.cells[0].outputs if not any(word in repr(one) for word in spoilers)]
    nb.cells[0].execution_count, nb.cells[0].metadata = 1, {}
    path = write(tmp_path / "padding.ipynb", nb)
    (tmp_path / "page.html").write_text(formgrader_page(tmp_path, path, stock("formgrade")))
    seen = open_page(tmp_path / "page.html")
    expected = {"html script", "html onerror", "html svg", "html iframe", "markdown output", "name"}
    assert set(seen["pwned"]) >= expected, sorted(set(seen["pwned"]))
    assert any("evil.example" in url for url in seen["requests"])
    with pytest.raises(AssertionError):
        harmless(seen)


@browser
@pytest.mark.parametrize("ours", [True, False], ids=["ours", "stock"])
def test_an_id_in_the_address_of_a_list_is_shown_and_does_not_run(generated_course, tmp_path, ours):
    # Any page can link to such an address, and Formgrader looks up nobody before it shows the id.
    student = f'";{run("script")};"<img src="nowhere:x" onerror="{run("html")}">'
    page = formgrader_list(generated_course if ours else tmp_path, student)
    (tmp_path / "page.html").write_text(page)
    seen = open_page(tmp_path / "page.html")
    assert ("html" in seen["pwned"]) == (not ours)
    assert "onerror" in seen["text"] or not ours


@browser
def test_nothing_runs_on_the_feedback_page(graded):
    path = graded / "feedback" / "eve" / "1-padding" / "padding.html"
    seen = open_page(path, graded.parent / "feedback.png")
    harmless(seen)
    assert any("svg+xml" in source for source, _ in seen["pictures"])
    assert "{{ 7*7 }}" in seen["text"]
    assert "Score: 12 of 12 points" in seen["text"]


@browser
def test_nothing_runs_on_formgraders_page(graded, tmp_path):
    page = formgrader_page(graded, graded / "autograded" / "eve" / "1-padding" / "padding.ipynb")
    (tmp_path / "page.html").write_text(page)
    harmless(open_page(tmp_path / "page.html"), own=("file:///formgrader/", "https://cdnjs.cloudflare.com/"))


@browser
def test_nothing_runs_of_a_notebook_that_was_graded_before_cleaning(graded, tmp_path):
    course = Path(shutil.copytree(graded, tmp_path / "course"))
    nb = notebook(course, "ada")
    attack(nb)
    path = course / "autograded" / "ada" / "1-padding" / "padding.ipynb"
    path.chmod(0o644)
    write(path, nb)
    (tmp_path / "page.html").write_text(formgrader_page(course, path))
    harmless(open_page(tmp_path / "page.html"), own=("file:///formgrader/", "https://cdnjs.cloudflare.com/"))
    nbgrader(course, "generate_feedback", "1-padding", "--student=ada", "--force")
    harmless(open_page(course / "feedback" / "ada" / "1-padding" / "padding.html"))


def test_what_a_kernel_sends_costs_nobody_the_run_and_nobody_a_point(graded):
    with Gradebook(f"sqlite:///{graded}/gradebook.db") as gradebook:
        assert {one.student.id: one.score for one in gradebook.assignment_submissions("1-padding")} == {
            "ada": 12,
            "eve": 12,
        }
    nb = notebook(graded, "eve")
    nbformat.validate(nb)
    (emitted,) = [cell for cell in nb.cells if cell.id == "emit"]
    # The kernel had sent a script for its number as well.
    assert isinstance(emitted.execution_count, int)
    shown = {mime for output in emitted.outputs for mime in output.get("data", {})}
    assert shown == {"text/plain", "text/html"}
    assert all(not output.get("metadata") for output in emitted.outputs)
    assert set(nb.metadata) == {"graded", "graded_digests", "kernelspec", "language_info"}
    assert all(set(cell.metadata) <= {"nbgrader", "deletable", "editable"} for cell in nb.cells)


def test_messages_of_wrong_form_do_not_stop_the_run():
    class Client(CleanMessages, NotebookClient):
        pass

    messages = [
        ("stream", {"name": 5, "text": ["a", 1]}),
        ("stream", {}),
        ("error", {"ename": 1, "evalue": None, "traceback": "t"}),
        ("display_data", {"data": 5, "metadata": None}),
        ("display_data", {"data": {"text/plain": 5, "text/html": {"a": 1}, "x": [1]}, "metadata": {}}),
        ("execute_result", {"data": {}, "metadata": {}, "execution_count": "x"}),
        ("status", {}),
        ("update_display_data", {"data": {}, "transient": 5}),
        ("clear_output", {}),
        ("comm_open", {"data": 5}),
    ]
    emit = new_code_cell(EMIT.format(messages=json.dumps(messages)))
    nb = new_notebook(cells=[emit, new_code_cell("6 * 7")])
    Client(nb, timeout=60, allow_errors=True).execute()
    clean_notebook(nb)
    nbformat.validate(nb)
    assert {output.output_type for output in nb.cells[0].outputs} == {"error"}
    assert nb.cells[1].outputs[0].data == {"text/plain": "42"}


def test_later_outputs_are_hidden_from_the_student_alone(graded):
    page = (graded / "feedback" / "eve" / "1-padding" / "padding.html").read_text()
    cells = [cell for cell in notebook(graded, "eve").cells if cell.cell_type == "code"]
    first = next(place for place, cell in enumerate(cells) if cell.metadata.get("nbgrader", {}).get("grade"))
    own = [cell for cell in cells[first:] if cell.outputs and not cell.metadata.get("nbgrader", {}).get("grade")]
    assert page.count(feedback.NOT_SHOWN) == len(own) > 0
    # Of the cells before the check the page shows what they printed; of its own and later checks the results.
    assert "SyntaxError" in page
    assert page.count("cases agree with Keras") == 3


def graded_cell(*outputs):
    """A notebook with one graded cell that has these outputs."""
    metadata = {"grade": True, "solution": False, "grade_id": "check", "points": 3, "schema_version": 3}
    cell = new_code_cell("1", metadata={"nbgrader": metadata | {"locked": True, "task": False}})
    cell.outputs = [nbformat.from_dict(output) for output in outputs]
    nb = new_notebook()
    # Added afterwards, since nbformat would refuse some.
    nb.cells.append(cell)
    return nb


OFFICIAL = {
    "output_type": "execute_result",
    "data": {"text/plain": "2.5", "text/html": FIGURE, RESULT: {"score": 2.5}},
    "metadata": {"convblocks": {"official": True}},
    "execution_count": 1,
}


def test_the_official_result_stays_as_it_was_written():
    nb = graded_cell(OFFICIAL)
    clean_notebook(nb)
    assert nb.cells[0].outputs == [OFFICIAL]
    assert determine_grade(nb.cells[0]) == (2.5, 3)


def test_of_a_graded_cell_the_student_sees_the_official_result_alone():
    nb = graded_cell({"output_type": "stream", "name": "stdout", "text": "inputs"}, OFFICIAL)
    feedback.HideLaterOutputs().preprocess(nb, {})
    assert nb.cells[0].outputs == [OFFICIAL]


@pytest.mark.parametrize("change", ["not graded", "not marked", "marked with a word"])
def test_a_result_that_grading_did_not_write_is_dropped(change):
    forged = json.loads(json.dumps(OFFICIAL))
    nb = graded_cell(forged)
    if change == "not graded":
        nb.cells[0].metadata = {}
    if change == "not marked":
        nb.cells[0].outputs[0].metadata = {}
    if change == "marked with a word":
        nb.cells[0].outputs[0].metadata = {"convblocks": {"official": "True"}}
    clean_notebook(nb)
    assert set(nb.cells[0].outputs[0].data) == {"text/plain", "text/html"}
    assert nb.cells[0].outputs[0].metadata == {}


@pytest.mark.parametrize(
    "output",
    [
        {"output_type": "error", "ename": 1, "evalue": None, "traceback": {}},
        {"output_type": "error"},
        {"output_type": "stream", "name": "stderr", "text": 5},
        {"output_type": "execute_result", "data": {"text/html": "x"}, "metadata": {}},
        {"output_type": "execute_result", "data": 5},
        {"output_type": "execute_result", "data": {"text/plain": 0}},
    ],
)
def test_cleaning_gives_no_points(output):
    nb = graded_cell(output)
    clean_notebook(nb)
    nbformat.validate(nb)
    assert determine_grade(nb.cells[0]) == (0, 3)


def test_a_notebook_of_wrong_types_becomes_a_valid_one():
    wrong = [5, "x", None, [1], {"a": 1}, "\ud800\0", -1, True]
    cells = [
        dict.fromkeys(("id", "source", "metadata", "outputs", "attachments", "execution_count"), value)
        | {"cell_type": kind}
        for value in wrong
        for kind in ("code", "markdown", "raw", "odd", value)
    ]
    cells += [{"cell_type": "code", "outputs": [{"output_type": "display_data", "data": value}]} for value in wrong]
    nb = nbformat.from_dict({"cells": cells, "metadata": {"kernelspec": 5}, "nbformat": 4, "nbformat_minor": 2})
    clean_notebook(nb)
    nbformat.validate(nb)
    nbformat.writes(nb).encode()


def test_ids_are_made_unique_and_our_own_note_stays():
    nb = new_notebook(metadata={UNUSABLE: "empty", "x": 1})
    nb.cells += [new_code_cell(id="same"), new_code_cell(id="same")]
    clean_notebook(nb)
    assert len({cell.id for cell in nb.cells}) == 2
    assert set(nb.metadata) == {"kernelspec", "language_info", UNUSABLE}


def test_markdown_of_any_length_is_shown_at_once():
    start = time.monotonic()
    assert markdown2html({}, "\\begin{x}" * 50_000).startswith("<pre>")
    assert time.monotonic() - start < 5


def test_text_keeps_colours_and_loses_other_sequences():
    assert clean_text("\x1b[31mred\x1b[0m") == "\x1b[31mred\x1b[0m"
    assert clean_text("\x1b]8;;http://evil.example\x07click\x1b]8;;\x07\x1b[2J\x1bc\x08\0") == "click"
    assert clean_text("\ud83d\ude00 \ud800") == "\N{GRINNING FACE} \ufffd"
    assert "\x1b" not in clean_text("\x1b[31mx\x1b[32my" * 100_000)


def test_the_courses_own_html_stays_as_it_is():
    table = html_table("pad2d: 1 of 2", [Line("even kernel", False, "1 < 2", 1, draw(grid([[1]]))), Line("odd", True)])
    assert html_of(clean_html(table)) == html_of(table)
    for path in (ROOT / "source").glob("*/*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                context = {"cell": cell}
                shown = HTMLExporter(exclude_anchor_links=True).markdown2html(context, cell.source)
                assert text_of(markdown2html(context, cell.source)) == text_of(shown), path


def html_of(html):
    """Tags with their attributes, without the blanks in styles that cleaning writes differently."""
    return [
        (tag.name, {key: re.sub(r"\s|;$", "", value) for key, value in tag.attrs.items()}, tag.text)
        for tag in BeautifulSoup(html, "html.parser").find_all()
    ]


def text_of(html):
    """Tags and words of some HTML."""
    soup = BeautifulSoup(html, "html.parser")
    return [tag.name for tag in soup.find_all()], soup.text


@pytest.mark.parametrize(
    "html",
    ["<div>" * 20_000, "<div></b>" * 19_000, "<b><p>" * 9_000, "<table>" * 20_000, "<div>" * 1_000_000],
    ids=["deep", "badly closed", "formatted", "tables", "huge"],
)
def test_deep_html_takes_no_time_and_breaks_no_page(html):
    start = time.monotonic()
    clean = clean_html(html)
    assert time.monotonic() - start < 15
    str(BeautifulSoup(clean[:1_000_000], "html.parser"))


def test_of_too_many_tags_in_all_outputs_together_only_the_first_are_shown():
    nb = graded_cell(OFFICIAL)
    deep = {"output_type": "display_data", "data": {"text/html": "<dl><dd>" * 9_500}, "metadata": {}}
    for _ in range(15):
        nb.cells.insert(0, nbformat.from_dict({"cell_type": "code", "source": "", "outputs": [deep] * 13}))
    clean_notebook(nb)
    shown = [output.data["text/html"] for cell in nb.cells[:-1] for output in cell.outputs]
    assert ["Not shown" in html for html in shown] == [False] * 3 + [True] * (len(shown) - 3)
    assert nb.cells[-1].outputs == [OFFICIAL]


def test_of_too_many_colours_in_all_outputs_together_only_the_first_are_shown():
    lines = ["".join(f"\x1b[{31 + place % 2}mx" for place in range(1_150)) for _ in range(3)]
    long = {"output_type": "error", "ename": "x", "evalue": "y", "traceback": lines}
    short = {"output_type": "stream", "name": "stdout", "text": lines[0]}
    nb = new_notebook(cells=[new_code_cell("x", outputs=[long, short]) for _ in range(58)])
    clean_notebook(nb)
    texts = ["".join(one.get("traceback", one.get("text"))) for cell in nb.cells for one in cell.outputs]
    colours = [text.count("\x1b[") for text in texts]
    # Of one output all or none.
    assert colours[:2] == [0, 1_150] and set(colours) == {0, 1_150} and sum(colours) < 60_000
    assert {re.sub(r"\x1b\[\d+m", "", text) for text in texts} == {"x" * 3 * 1_150, "x" * 1_150}


def test_code_that_takes_pygments_for_ever_is_shown_without_colours():
    assert "<span" in highlight_code("import numpy as np", metadata=None)
    assert "<span" in highlight_code("x = 1" + "\n" * 20 + "y = 2")
    for source in ("a." * 100_000, "x = 1\n" * 100_000, "x = 1" + "\n" * 90_000 + "y = 2", " \n" * 40_000):
        shown = highlight_code(source + "<b>")
        assert "<span" not in shown and "&lt;b&gt;" in shown


@pytest.mark.parametrize("language", ["python", "ipython3", "perl", ""])
def test_code_in_a_text_is_no_way_round_that(language):
    shown = markdown2html({}, f"```{language}\n{'a.' * 9_000}<b>\n```")
    assert "<span" not in shown and "&lt;b&gt;" in shown
    assert ("<span" in markdown2html({}, f"```{language}\nimport numpy\n```")) == ("python" in language)


def test_grades_csv_holds_no_formulas(graded, tmp_path):
    course = Path(shutil.copytree(graded, tmp_path / "course"))
    names = {
        "=1+1": "'=1+1",
        "+1": "'+1",
        "-2+3": "'-2+3",
        "@SUM(A1)": "'@SUM(A1)",
        "\t=1": "'\t=1",
        "\r=1": "'\r'=1",
        " =1": "' =1",
        # Where a spreadsheet takes semicolons for commas, these begin cells.
        "Lee;=1+1; +2": "Lee;'=1+1;' +2",
        'Strange, "Doctor"\n=1': 'Strange, "Doctor"\n\'=1',
        "Anne-Marie O'Neil; 2=1+1": "Anne-Marie O'Neil; 2=1+1",
    }
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for place, name in enumerate(names):
            gradebook.add_student(f"s{place}", last_name=name, email="=cmd|'/c calc'!A1")
    nbgrader(course, "export")
    with (course / "grades.csv").open(newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file) if row["assignment"] == "1-padding"}
    assert [rows[f"s{place}"]["last_name"] for place in range(len(names))] == [*names.values()]
    assert rows["s0"]["email"].startswith("'=")
    assert (rows["ada"]["score"], rows["s1"]["score"], rows["ada"]["max_score"]) == ("12.0", "0.0", "12.0")
    # The columns and numbers of nbgrader's own.
    nbgrader(
        course, "export", "--exporter=nbgrader.plugins.CsvExportPlugin", "--to=stock.csv", "--student=['ada','eve']"
    )
    nbgrader(course, "export", "--to=ours.csv", "--student=['ada','eve']")
    assert (course / "ours.csv").read_text() == (course / "stock.csv").read_text()


@pytest.mark.parametrize("many", [150, 1500])
def test_formatting_that_is_never_closed_does_not_grow_with_every_element(many):
    html = "<p>" + "".join(f'<b id="{one}">' for one in range(many)) + "<p>x" * many
    assert len(clean_html(html)) < 10 * len(html)


def test_a_table_with_some_words_in_bold_stays_a_table():
    html = "<table>" + "<tr><td><b>1</b></td><td>2</td></tr>" * 60 + "</table>"
    assert clean_html(html).count("<b>") == 60


def test_html_may_be_a_list_of_its_lines():
    assert clean_html(["<b>x</b>\n", "<script>y</script>z"]) == clean_html("<b>x</b>\n<script>y</script>z")
