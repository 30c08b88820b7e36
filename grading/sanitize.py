"""Nothing active from a submission opens in a browser: notebooks are cleaned when graded and again when shown."""

import base64
import functools
import re
import sys
from html import escape
from pathlib import Path

import jinja2
import nh3
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat.notebooknode import NotebookNode, from_dict
from nbformat.v4 import new_output
from nbformat.validator import NotebookValidationError
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade
from pygments.token import STANDARD_TYPES
from traitlets import List, Unicode

from convblocks.table import whole_characters
from grading.reading import DIGESTS, FOLDER, UNUSABLE

RESULT = "application/vnd.convblocks.result+json"
"""Mime type of a check's result; kept only where grading itself wrote it."""

TOO_MUCH_HTML = "<p>Not shown: the notebook shows more HTML than anyone reads.</p>"

PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
"""The pictures that outputs and attachments may hold, and how their bytes begin."""

_TAGS = """
    a abbr b blockquote br caption code dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img
    kbd li mark ol p pre s small span strong sub summary sup table tbody td tfoot th thead tr u ul
"""
# Nothing that moves a box, or lets what is in it hang over, so that nothing lies on another's score.
_PROPERTIES = """
    background background-color border border-bottom border-collapse border-color border-left border-right
    border-spacing border-style border-top border-width color font-style font-weight max-width overflow-wrap padding
    padding-bottom padding-left padding-right padding-top text-align text-decoration vertical-align white-space
    width
"""

_LINK = re.compile(r"https?://\w[^\s]*", re.IGNORECASE)
# An SVG in an <img> runs no script and loads nothing.
_DRAWING = re.compile(r"data:image/(png|jpeg|svg\+xml);base64,[A-Za-z0-9+/=\s]+")
# Neither quotes, comments nor backslashes, in which a url() could hide; and of functions only those that are colours.
_STYLE = re.compile(r"(rgba?\(|hsla?\(|[\w\s:;#%.,!)-])*")
_COLOUR = re.compile(r"\x1b\[[\d;]{0,20}m")
_ESCAPE = re.compile(
    r"\x1b(\[[0-?]*[ -/]*[@-~]|[\]P^_X][^\x07\x1b]*(\x07|\x1b\\)?|[^\[\]P^_X])?|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
# What a page can colour in a moment; nbconvert copies the rest of a text at every change of colour.
_MOST_COLOURS = 2000
# Cleaning takes the square of the depth, and all tags may be one inside the other.
_MOST_TAGS = 20_000
# Tags and changes of colour in a notebook. The course's have a few hundred, a table of a thousand numbers two thousand.
_MOST_MARKS = 60_000
# HTML opens these anew in every element that follows until they are closed, so that a page has as many as the product:
# https://html.spec.whatwg.org/multipage/parsing.html#the-list-of-active-formatting-elements
_FORMATTING = re.compile(r"<(a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)\b", re.IGNORECASE)
_MOST_FORMATTED = 50_000
# Longer than any lesson; some texts take Markdown the square of their length.
_LONGEST_MARKDOWN = 20_000
# Some code takes Pygments the square of a line's length: 40 kB of `a.a.a.` half a minute.
_LONGEST_CODE, _LONGEST_LINE = 100_000, 500
# IPython's lexer takes the square of what is blank: 5,000 empty lines ten seconds.
_GAP = re.compile(r"\s{200}|(?:[^\S\n]*\n){30}")


def _attribute(tag: str, name: str, value: str) -> str | None:
    """The value of an attribute where it is harmless, None to drop it."""
    allowed = {"href": _LINK, "src": _DRAWING, "style": _STYLE}.get(name)
    return value if allowed is None or allowed.fullmatch(value) else None


_CLEANER = nh3.Cleaner(
    tags=set(_TAGS.split()),
    clean_content_tags={"script", "style", "title", "template", "iframe", "noscript", "textarea"},
    attributes={
        "*": {"style"},
        "a": {"href"},
        "details": {"open"},
        "img": {"alt", "height", "src", "width"},
        "ol": {"start"},
        "td": {"colspan", "rowspan"},
        "th": {"colspan", "rowspan", "scope"},
    },
    attribute_filter=_attribute,
    # Classes and ids of a student's would be found by Formgrader's own scripts; highlighted code needs these alone.
    allowed_classes={"span": set(STANDARD_TYPES.values()) - {""}, "div": {"highlight"}},
    filter_style_properties=set(_PROPERTIES.split()),
    url_schemes={"http", "https", "data"},
    url_relative="deny",
)

# A whole class shows the same figures, and what a kernel sent is cleaned as well as what becomes of it.
_OFTEN_THE_SAME = 50_000


def clean_html(html: str | list[str]) -> str:
    """HTML with words, tables and embedded pictures alone; links lead to http and https.

    What has more tags than any output of the course, or would become far longer, is shown as its own source.
    """
    html = _joined(html)
    return (_cleaned_once if len(html) < _OFTEN_THE_SAME else _cleaned)(html)


def _cleaned(html: str) -> str:
    html = clean_text(html)
    tags = html.count("<")
    if tags <= _MOST_TAGS and tags * len(_FORMATTING.findall(html)) <= _MOST_FORMATTED:
        cleaned = _CLEANER.clean(html)
        if len(cleaned) <= 10 * len(html) + 1000:
            return cleaned
    return f"<pre>{escape(html)}</pre>"


_cleaned_once = functools.lru_cache(200)(_cleaned)


@jinja2.pass_context
def markdown2html(context: jinja2.runtime.Context, source: str) -> str:
    """nbconvert's filter of the same name, with clean HTML as its result."""
    plain = f"<pre>{escape(source)}</pre>"
    if len(source) > _LONGEST_MARKDOWN:
        return plain
    renderer = _Renderer(
        escape=False, attachments=context.get("cell", {}).get("attachments", {}), exclude_anchor_links=True
    )
    try:
        return clean_html(MarkdownWithMath(renderer=renderer).render(source))
    except Exception:
        # A missing attachment is an error there, quotes in quotes in quotes another; neither is to cost the page.
        return plain


class _Renderer(IPythonRenderer):
    """nbconvert's, except that nobody chooses by which of Pygments' many lexers a block of code is read."""

    def block_code(self, code: str, info: str | None = None) -> str:
        language = (info or "").strip().partition(" ")[0]
        return highlight_code(code) if language in ("python", "ipython3") else f"<pre><code>{escape(code)}</code></pre>"


def highlight_code(source: str, language: str | None = None, metadata: NotebookNode | None = None) -> str:
    """nbconvert's filter of the same name; code that nobody has typed is shown without colours."""
    lines = source.split("\n")
    if len(source) > _LONGEST_CODE or max(map(len, lines)) > _LONGEST_LINE or _GAP.search(source):
        return f'<div class="highlight"><pre>{escape(source)}</pre></div>'
    return Highlight2HTML()(source, language or "ipython3", metadata)


def clean_text(value) -> str:
    """Text that can be written and shown: lines joined, no lone surrogates, of control sequences only colours."""
    text = whole_characters(_joined(value))
    many = len(_COLOUR.findall(text)) > _MOST_COLOURS
    return _ESCAPE.sub(lambda found: found[0] if not many and _COLOUR.fullmatch(found[0]) else "", text)


def _source(value) -> str:
    """Source code that can be written; other control characters are the student's own business."""
    return whole_characters(_joined(value)).replace("\0", "\ufffd")


def _joined(value, between: str = "") -> str:
    """A text that nbformat may keep as a list of its lines."""
    return between.join(map(str, value)) if isinstance(value, list) else str(value)


def clean_notebook(nb: NotebookNode) -> None:
    """Rebuild a notebook, in place, from what is known and harmless in it; what grading itself wrote stays."""
    kernelspec = _dict(nb.get("metadata")).get("kernelspec")
    metadata = {
        "kernelspec": {
            key: clean_text(_dict(kernelspec).get(key, value))
            for key, value in {"display_name": "Python 3", "language": "python", "name": "python3"}.items()
        },
        # A kernel may say anything about its language, which chooses how code is coloured.
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
    }
    for key in (UNUSABLE, FOLDER, DIGESTS):
        if key in _dict(nb.get("metadata")):
            metadata[key] = clean_text(nb.metadata[key])
    nb.metadata = from_dict(metadata)
    nb.nbformat, nb.nbformat_minor = 4, 5
    taken: set[str] = set()
    marks_left = _MOST_MARKS
    for place, cell in enumerate(nb.cells):
        marks_left = _clean_cell(cell, marks_left)
        if not _identifies(cell.get("id")) or cell.id in taken:
            cell.id = f"cell-{place}-of-{len(nb.cells)}"
        taken.add(cell.id)


def _clean_cell(cell: NotebookNode, marks_left: int) -> int:
    """Clean a cell in place; how many tags and colours the outputs of those behind it may hold."""
    metadata = _dict(cell.get("metadata"))
    kept = {key: bool(metadata[key]) for key in ("deletable", "editable") if key in metadata}
    if nbgrader := _nbgrader(metadata.get("nbgrader")):
        kept["nbgrader"] = nbgrader
    kind = cell.get("cell_type")
    clean = {
        # A cell of an unknown type is shown by neither template.
        "cell_type": kind if kind in ("code", "markdown", "raw") else "raw",
        "id": cell.get("id"),
        "metadata": kept,
        "source": _source(cell.get("source", "")),
    }
    if kind == "code":
        clean["execution_count"] = _count(cell.get("execution_count"))
        graded = is_grade(from_dict(clean))
        outputs = [_dict(output) for output in _list(cell.get("outputs"))]
        marks_left = _bound([one for one in outputs if not (graded and is_official(one))], marks_left)
        clean["outputs"] = [one for one in (_clean_output(output, graded) for output in outputs) if one]
    elif pictures := _attachments(cell.get("attachments")):
        clean["attachments"] = pictures
    cell.clear()
    cell.update(from_dict(clean))
    return marks_left


def _bound(outputs: list[dict], marks_left: int) -> int:
    """Take out the HTML and the colours that go beyond what is left for a notebook; what is left after it."""
    for output in outputs:
        data = _dict(output.get("data"))
        for place, key in ((output, "text"), (output, "traceback"), (data, "text/plain"), (data, "text/html")):
            if key not in place:
                continue
            text = _joined(place[key], "\n" if key == "traceback" else "")
            marks_left -= text.count("<") if key == "text/html" else len(_COLOUR.findall(text))
            if marks_left < 0:
                place[key] = TOO_MUCH_HTML if key == "text/html" else _COLOUR.sub("", text)
    return marks_left


def is_official(output: NotebookNode) -> bool:
    """Whether grading wrote this output of a graded cell."""
    return _dict(_dict(output.get("metadata")).get("convblocks")).get("official") is True


def _clean_output(output: dict, graded: bool) -> dict | None:
    """A harmless output of valid form, None where nothing is left of it; no error of a graded cell is ever lost."""
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {"output_type": kind, "name": name, "text": clean_text(output.get("text", ""))}
    if kind == "error":
        return {
            "output_type": kind,
            "ename": clean_text(output.get("ename", "")),
            "evalue": clean_text(output.get("evalue", "")),
            # As one text: its lines are shown together.
            "traceback": clean_text(_joined(output.get("traceback", ""), "\n")).split("\n"),
        }
    if kind not in ("execute_result", "display_data"):
        return None
    official = graded and is_official(output)
    data = _clean_data(_dict(output.get("data")), official)
    if kind == "execute_result" and graded and "text/plain" not in data:
        # nbgrader would find no score in it, and without any output give all points.
        return _clean_output({"output_type": "error", "ename": "NoScore", "evalue": "a result without text"}, graded)
    metadata = {"convblocks": {"official": True}} if official else {}
    count = {"execution_count": _count(output.get("execution_count"))} if kind == "execute_result" else {}
    return {"output_type": kind, "data": data, "metadata": metadata, **count}


def _clean_data(data: dict, official: bool) -> dict:
    clean = {mime: data[mime] for mime in PICTURES if _is_picture(mime, data.get(mime))}
    if "text/plain" in data:
        clean["text/plain"] = clean_text(data["text/plain"])
    if isinstance(data.get("text/html"), str | list):
        clean["text/html"] = clean_html(data["text/html"])
    if official and RESULT in data:
        clean[RESULT] = data[RESULT]
    return clean


def _is_picture(mime: str, data) -> bool:
    if not isinstance(data, str):
        return False
    try:
        return base64.b64decode("".join(data.split()), validate=True).startswith(PICTURES[mime])
    except ValueError:
        return False


def _attachments(attachments) -> dict:
    """Pictures attached to a Markdown cell, by their names."""
    clean = {}
    for name, bundle in _dict(attachments).items():
        pictures = {mime: data for mime, data in _dict(bundle).items() if mime in PICTURES and _is_picture(mime, data)}
        if pictures:
            clean[clean_text(name)] = pictures
    return clean


def _nbgrader(metadata) -> dict | None:
    """nbgrader's metadata of a cell, which it puts into pages as they are; None where they are not nbgrader's."""
    metadata = _dict(metadata)
    if not _identifies(metadata.get("grade_id")):
        return None
    kinds = {
        "cell_type": str,
        "checksum": str,
        "comment": str,
        "grade": bool,
        "grade_id": str,
        "locked": bool,
        "points": int | float,
        "schema_version": int,
        "score": int | float,
        "solution": bool,
        "task": bool,
    }
    clean = {key: metadata[key] for key, kind in kinds.items() if isinstance(metadata.get(key), kind)}
    return {key: clean_text(value) if isinstance(value, str) else value for key, value in clean.items()}


def _identifies(name) -> bool:
    return isinstance(name, str) and bool(_IDENTIFIER.fullmatch(name))


def _count(value) -> int | None:
    # A number of any length could carry what a check has asked for to the page.
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10_000 else None


def _list(value) -> list:
    return value if isinstance(value, list) else []


def _dict(value) -> dict:
    return value if isinstance(value, dict) else {}


class Preprocessor(NbGraderPreprocessor):
    """nbgrader's own, in which nbconvert's setting for pages is a setting again, and none that nbgrader warns of."""

    display_data_priority = List(Unicode()).tag(config=True)


class Sanitize(Preprocessor):
    """Cleans a notebook, see `clean_notebook`: before it runs, after it ran, and whenever it is shown."""

    def preprocess(self, nb, resources):
        clean_notebook(nb)
        return nb, resources


class EscapeNames(Preprocessor):
    """Formgrader puts what a student is called into its page as it is."""

    def preprocess(self, nb, resources):
        for name in ("student", "first_name", "last_name", "notebook_path"):
            if isinstance(resources.get(name), str):
                resources[name] = escape(clean_text(resources[name]))
        return nb, resources


TEMPLATES = Path(__file__).parent / "templates"


def pages() -> jinja2.Environment:
    """Templates of the course's own pages, in which whatever is filled in stands as text."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def escape_formgrader() -> None:
    """Let Formgrader's own pages escape what they show; called before it sets itself up, so in the course's config.

    It writes ids from a page's address into HTML and scripts as they are, and any link may lead to such an address.
    """
    # Loaded where Formgrader runs, which is where it matters.
    module = sys.modules.get("nbgrader.server_extensions.formgrader.formgrader")
    if module:
        module.Environment = functools.partial(jinja2.Environment, autoescape=True)


class CleanMessages:
    """To put in front of nbclient's NotebookClient: a message of wrong form becomes an error of the cell that ran.

    Only a kernel that a student has tampered with sends one, and nbclient would stop at it.
    """

    def process_message(self, msg, cell, cell_index):
        try:
            return super().process_message(msg, cell, cell_index)
        except (NotebookValidationError, AttributeError, LookupError, TypeError, ValueError):
            sentence = "the kernel sent a message that is not one of Jupyter's"
            cell.setdefault("outputs", []).append(
                new_output("error", ename="MalformedMessage", evalue=sentence, traceback=[sentence])
            )
            return None
