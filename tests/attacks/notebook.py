"""The notebook's own parts: metadata that claim, outputs and texts that act, bytes that break writers."""

import copy

from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from . import Attack

KIND = "Notebook"

# What must not stay active in a page; EVIL marks it.
SCRIPT = "<script>EVIL()</script>"
ACTIVE = (
    SCRIPT
    + '<img src=x onerror="EVIL()"><svg onload="EVIL()"><script>EVIL()</script></svg><a href="javascript:EVIL()">x</a>'
    '<iframe srcdoc="EVIL"></iframe><object data="EVIL"></object><form action="http://EVIL.test"><button>x</button></form>'
    '<meta http-equiv="refresh" content="0;url=http://EVIL.test"><base href="http://EVIL.test/">'
    '<link rel="stylesheet" href="http://EVIL.test/x.css"><img src="http://EVIL.test/pixel.png">'
    '<details ontoggle="EVIL()" open>x</details><math><mtext><style><img src=x onerror="EVIL()"></style></mtext></math>'
)


def graded(notebook, name="check_pad2d"):
    """The cell with this id of nbgrader's."""
    return next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == name)


def on_graded(act):
    """A change that does `act(cell, cells)` to the last graded cell."""
    return lambda notebook, folder, place: act(graded(notebook), notebook.cells)


def kernel_of_its_own(notebook, folder, place):
    notebook.metadata.kernelspec = {"name": "bash", "display_name": "Bash", "language": "bash"}
    notebook.metadata.language_info = {"name": "../../x", "pygments_lexer": "../../x", "file_extension": "/../.sh"}


def path_kernel(notebook, folder, place):
    spec = folder / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(
        '{"argv": ["touch", "%s"], "display_name": "x", "language": "python"}' % (place.loot / "eve-kernel-beside")
    )
    notebook.metadata.kernelspec = {"name": "../kernels/python3", "display_name": "x", "language": "python"}


def twice(cell, cells):
    first = copy.deepcopy(cell)
    first.id, first.source = "first", "4"
    cells.insert(cells.index(cell), first)


def swap_ids(notebook, folder, place):
    """The right function's check stands under the id of the one that is not written."""
    one, other = graded(notebook, "check_output_size"), graded(notebook, "check_pad2d")
    one.metadata.nbgrader, other.metadata.nbgrader = other.metadata.nbgrader, one.metadata.nbgrader


def more_points(cell, cells):
    cell.metadata.nbgrader.update(points=400, checksum="0" * 32, solution=True, locked=False)
    cell.source = "400"


def own_graded_cells(notebook, folder, place):
    for name in ("extra", "check_conv2d", "../x", "check_pad2d "):
        cell = new_code_cell("4")
        cell.metadata.nbgrader = graded(notebook).metadata.nbgrader | {"grade_id": name, "points": 100}
        notebook.cells.append(cell)


def as_markdown(cell, cells):
    """Stock gives no automatic score to a Markdown cell and waits for a person."""
    cell.cell_type = "markdown"
    for name in ("outputs", "execution_count"):
        cell.pop(name, None)


def with_markdown(notebook, folder, place):
    text = (
        ACTIVE
        + "\n\n[x](javascript:EVIL()) ![x](attachment:x.svg) <!-- --><script>EVIL()</script>\n\n$\\href{javascript:EVIL()}{x}$"
    )
    cell = new_markdown_cell(text)
    cell.attachments = {"x.svg": {"image/svg+xml": "PHN2ZyBvbmxvYWQ9IkVWSUwoKSIvPg==", "text/html": ACTIVE}}
    notebook.cells.insert(0, cell)
    notebook.metadata.title = "</title>" + SCRIPT
    notebook.metadata.authors = [{"name": SCRIPT}]


def with_widgets(notebook, folder, place):
    state = {
        "state": {"a": {"model_name": SCRIPT, "state": {"x": "</script>" + SCRIPT}}},
        "version_major": 2,
        "version_minor": 0,
    }
    notebook.metadata.widgets = {"application/vnd.jupyter.widget-state+json": state}
    notebook.cells[1].metadata.tags = ['x" onclick="EVIL()']
    notebook.cells[1].id = "imports"


def nonsense_outputs(notebook, folder, place):
    notebook.cells[3].outputs = [
        new_output("stream", name="</div><script>EVIL()</script>", text="x"),
        new_output("display_data", data={"image/png": '"><script>EVIL()</script>', "text/html": ACTIVE}),
    ]


def show(mime: str, text: str) -> str:
    """Source of a cell that shows this, and says that it is the official result."""
    return f"from IPython.display import display\ndisplay({{{mime!r}: {text!r}}}, raw=True, metadata={{'convblocks': {{'official': True}}}})"


ATTACKS = [
    Attack(
        "kernelspec",
        "asks for another kernel and a language with a path in its name",
        "another kernelspec",
        "page",
        change=kernel_of_its_own,
    ),
    Attack(
        "kernel-beside",
        "brings a kernel of its own beside the notebook",
        "another kernelspec",
        "stock puts the kernel's name back from the gradebook",
        change=path_kernel,
    ),
    Attack(
        "duplicated-id",
        "a copy of the graded cell, before it, that shows a score",
        "duplicated grade ids",
        "stops",
        change=on_graded(twice),
        alone=True,
    ),
    Attack(
        "deleted-cell",
        "the graded cell is deleted",
        "deleted grade ids",
        "stock gives a cell that is gone no points",
        change=on_graded(lambda cell, cells: cells.remove(cell)),
    ),
    Attack(
        "swapped-ids",
        "the check of the right function stands under the other's id",
        "forged grade ids",
        "stock puts the source back by the id, so the right check is run",
        change=swap_ids,
    ),
    Attack(
        "forged-points",
        "400 points, a checksum of zeros, and a cell that says 400",
        "forged points, forged checksums",
        "stock puts points and source back from the gradebook",
        change=on_graded(more_points),
    ),
    Attack(
        "own-graded-cells",
        "graded cells that the gradebook does not know",
        "forged grade ids, forged points",
        "page",
        change=own_graded_cells,
    ),
    Attack(
        "markdown-check",
        "the graded cell is turned into Markdown",
        "forged grade ids",
        "stock turns it back by its metadata",
        change=on_graded(as_markdown),
    ),
    Attack("html", "HTML with scripts in an output", "HTML", "effect", cell=show("text/html", ACTIVE)),
    Attack(
        "svg",
        "SVG with scripts in an output",
        "SVG",
        "effect",
        cell=show("image/svg+xml", f"<svg xmlns='http://www.w3.org/2000/svg' onload='EVIL()'>{SCRIPT}</svg>"),
    ),
    Attack(
        "javascript", "JavaScript in an output", "JavaScript", "effect", cell=show("application/javascript", "EVIL()")
    ),
    Attack(
        "markdown-output",
        "Markdown and LaTeX with HTML in outputs",
        "Markdown",
        "effect",
        cell=show("text/markdown", ACTIVE) + "\n" + show("text/latex", "$x$" + ACTIVE),
    ),
    Attack(
        "markdown",
        "a Markdown cell with scripts, links, an attachment, and a title",
        "Markdown, attachments",
        "effect",
        change=with_markdown,
    ),
    Attack(
        "widgets",
        "widget state and tags that end their own element",
        "HTML, JavaScript",
        "stock's template escapes these",
        change=with_widgets,
    ),
    Attack(
        "forged-output",
        "outputs with names and images that end their own element",
        "HTML",
        "stock runs the cells, so saved outputs are lost",
        change=nonsense_outputs,
    ),
    Attack(
        "ansi",
        "a stream with terminal links and HTML in the text of an error",
        "HTML",
        "stock's template escapes these",
        cell="print('\\x1b]8;;javascript:EVIL()\\x07x\\x1b]8;;\\x07\\x1b[31m<script>EVIL()</script>')\n"
        "raise type('<script>EVIL()</script>', (Exception,), {})('<script>EVIL()</script>')",
    ),
    Attack(
        "csv",
        "a name that is a formula in the exported table",
        "CSV formulas",
        "effect",
        roster={"first-name": '=HYPERLINK("http://EVIL.test")', "last-name": "@SUM(1+1)", "email": "+1|cmd"},
    ),
    Attack(
        "magics",
        "magics that write files, run scripts and load extensions",
        "magics",
        "effect",
        cell="get_ipython().run_line_magic('cd', LOOT)\nget_ipython().run_cell_magic('writefile', f'{LOOT}/{ME}', 'x')",
    ),
    Attack("shell", "shell escapes", "shell escapes", "effect", cell="!touch $LOOT/$ME\n!kill -9 999999999"),
    Attack(
        "null-bytes",
        "null bytes in a cell and in an output",
        "null bytes",
        "stock survives them",
        cell="print('a\\0b')\nshown = compile('x = 1', 'a', 'exec')",
        change=lambda notebook, folder, place: notebook.cells.append(new_code_cell("print('\0')")),
    ),
    Attack(
        "surrogates",
        "a lone surrogate in a cell, which no UTF-8 file can hold",
        "lone surrogates",
        "page",
        change=lambda notebook, folder, place: notebook.cells.append(new_markdown_cell("half an emoji: \ud83d")),
    ),
    Attack(
        "surrogate-output",
        "a lone surrogate in an output",
        "lone surrogates",
        "ipykernel replaces it on its way",
        cell="print('\\ud800')\nfrom IPython.display import display\ndisplay({'text/plain': '\\udfff'}, raw=True)",
    ),
]
