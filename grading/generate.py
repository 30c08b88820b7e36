"""Preprocessors that make release/ and solutions/ from source/ the way this course wants them."""

import subprocess
import sys
import tempfile
from pathlib import Path

from nbgrader import preprocessors
from nbgrader.converters import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution

from grading.mending import called_check


class ClearSolutions(preprocessors.ClearSolutions):
    """nbgrader's own, with a stub of its own for a cell whose metadata give one as `convblocks.stub`.

    The toolbox cell's stub is the call that brings a student's earlier functions over.
    """

    def preprocess_cell(self, cell, resources, cell_index):
        stub = cell.metadata.pop("convblocks", {}).get("stub")
        if stub is None:
            return super().preprocess_cell(cell, resources, cell_index)
        usual, self.code_stub = self.code_stub, {**self.code_stub, resources["language"]: stub}
        try:
            return super().preprocess_cell(cell, resources, cell_index)
        finally:
            self.code_stub = usual


class RefuseUnchecked(NbGraderPreprocessor):
    """Refuses an assignment with a cell that is neither graded by a check nor by hand."""

    def preprocess_cell(self, cell, resources, cell_index):
        if is_grade(cell) and not is_solution(cell) and not called_check(cell.source)[0]:
            raise NbGraderException(
                f"cell {cell.metadata.nbgrader.grade_id} of {resources['nbgrader']['notebook']} is graded, but calls "
                'no check("…", function, points=…): its points could be forged. Let it call one, or grade it by hand.'
            )
        return cell, resources


class FinishSolutions(NbGraderPreprocessor):
    """After a solution has run: refuse errors, drop what only nbgrader reads and what differs from run to run."""

    MARKERS = ("### BEGIN SOLUTION", "### END SOLUTION")

    def preprocess(self, nb, resources):
        # The version of the Python that ran it would make every machine's solutions differ.
        nb.metadata.language_info = {"name": "python"}
        nb.metadata.pop("widgets", None)
        return super().preprocess(nb, resources)

    def preprocess_cell(self, cell, resources, cell_index):
        if cell.cell_type != "code":
            return cell, resources
        for output in cell.outputs:
            if output.output_type == "error":
                raise RuntimeError(
                    f"the solution of {resources['nbgrader']['notebook']} does not run: cell {cell.id} raised "
                    f"{output.ename}: {output.evalue}"
                )
        cell.outputs = [one for one in cell.outputs if one.output_type != "stream" or one.name != "stderr"]
        for output in cell.outputs:
            # A widget's number is another one in each run, and without a kernel only its still picture is left of it.
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
        cell.source = "\n".join(line for line in cell.source.split("\n") if line.strip() not in self.MARKERS)
        cell.metadata.pop("convblocks", None)
        return cell, resources


def main() -> None:
    """Make release/ and solutions/ anew, with nbgrader's own commands; used by `make release`."""
    root = Path(__file__).resolve().parent.parent
    generate_course(root)


def generate_course(course: Path) -> None:
    """Make release/ and solutions/ of every assignment in `course`, without touching a class' gradebook.

    Raises subprocess.CalledProcessError when an assignment cannot be generated, after nbgrader has said why.
    """
    with tempfile.TemporaryDirectory() as aside:
        # A gradebook with submissions refuses changes of cells, and this is about files alone.
        database = f"--db=sqlite:///{aside}/generate.db"
        for assignment in sorted(folder.name for folder in (course / "source").iterdir() if folder.is_dir()):
            for command in ("generate_assignment", "generate_solution"):
                print(f"{command} {assignment}", flush=True)
                subprocess.run(
                    [sys.executable, "-m", "nbgrader", command, assignment, "--force", "--log-level=WARN", database],
                    cwd=course,
                    check=True,
                )


if __name__ == "__main__":
    main()
