"""The feedback page: what a student may see of a graded notebook, as a page in which nothing runs."""

from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution

from grading.sanitize import is_official

NOT_SHOWN = "not shown: this cell ran after a hidden check"

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class HideLaterOutputs(NbGraderPreprocessor):
    """Replaces what a student's cells showed after the first hidden check: a function may have kept its inputs.

    Of a graded cell only grading's own result is shown, where it wrote one. The graded notebook itself keeps all.
    """

    def preprocess(self, nb, resources):
        checked = False
        for cell in filter(lambda cell: cell.cell_type == "code", nb.cells):
            if is_grade(cell) and not is_solution(cell):
                checked = True
                cell.outputs = list(filter(is_official, cell.outputs)) or cell.outputs
            elif checked and cell.outputs:
                cell.outputs = [new_output("stream", text=NOT_SHOWN)]
        return nb, resources


class FeedbackExporter(HTMLExporter):
    """nbgrader's page with a policy that lets no script run and nothing be loaded; it opens without a network too.

    nbgrader's template has no block for it that is smaller than the whole head. MathJax stays out with all other
    scripts; the lessons use no formulas.
    """

    def from_notebook_node(self, nb, resources=None, **kw):
        page, resources = super().from_notebook_node(nb, resources, **kw)
        tag = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        return page.replace("<head>", f"<head>\n{tag}", 1), resources
