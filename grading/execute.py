"""Run a submission to its end: a kernel that dies costs the cells after it, not the student's page or the class."""

from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_markdown_cell, new_output
from nbgrader import preprocessors
from nbgrader.utils import is_grade


class Execute(preprocessors.Execute):
    """nbgrader's own, except that a kernel's death is told in the notebook, and graded cells left out get an error.

    Without an output nbgrader would give such a cell all of its points.
    """

    def preprocess(self, nb, resources, km=None):
        try:
            return super().preprocess(nb, resources, km)
        except DeadKernelError:
            # nbclient works on the same notebook, so what has run so far is in it.
            code = [cell for cell in nb.cells if cell.cell_type == "code"]
            last = max((place for place, cell in enumerate(code) if cell.execution_count), default=-1)
            sentence = (
                f"the kernel died while cell {last + 2} of the code cells was running, so what follows was not run"
            )
            self.log.error("%s: %s", resources["nbgrader"]["notebook"], sentence)
            for cell in filter(is_grade, code):
                if not cell.outputs:
                    cell.outputs = [new_output("error", ename="KernelDied", evalue=sentence, traceback=[sentence])]
            nb.cells.insert(0, new_markdown_cell(f"## This notebook ended early\n\n**{sentence}.**", id="kernel-died"))
            return nb, resources
