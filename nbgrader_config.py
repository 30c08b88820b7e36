"""The course as nbgrader sees it: every `nbgrader` command run in this folder, and Formgrader, reads this file."""

import os
from pathlib import Path

from nbconvert.preprocessors import ClearMetadataPreprocessor, CoalesceStreamsPreprocessor
from nbgrader import preprocessors as nbgrader

from grading import execute, files, generate, intake

c = get_config()  # noqa: F821  (nbgrader gives it to this file)
root = Path(__file__).resolve().parent

# The name under which students find the course in their assignment list.
c.CourseDirectory.course_id = "convblocks"
c.CourseDirectory.root = str(root)
# nbgrader's own default is "solution".
c.CourseDirectory.solution_directory = "solutions"

# Where assignments are handed out and in: a folder here by default; a class on several machines sets a shared one.
c.Exchange.root = os.environ.get("CONVBLOCKS_EXCHANGE", str(root / "exchange"))
# nbgrader wants the folder to be there.
Path(c.Exchange.root).mkdir(parents=True, exist_ok=True)
# Keep a submission that can be read when a newer one cannot.
c.ExchangeFactory.collect = intake.Collect
# Archives from elsewhere, taken in with `nbgrader zip_collect`: what is in them stays in the student's folder.
c.ZipCollectApp.extractor_plugin = files.Extractor
c.ZipCollectApp.collector_plugin = files.Collector

# Random cases of the hidden checks are drawn from this seed: one for all students of a course, new for each course.
os.environ["CONVBLOCKS_SEED"] = "2026"

# What a student finds in place of a solution.
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
# nbgrader's own list, with our ClearSolutions: the toolbox cell has a stub of its own.
c.GenerateAssignment.preprocessors = [
    nbgrader.IncludeHeaderFooter,
    nbgrader.LockCells,
    generate.ClearSolutions,
    nbgrader.ClearOutput,
    nbgrader.CheckCellMetadata,
    nbgrader.ComputeChecksums,
    nbgrader.SaveCells,
    nbgrader.ClearHiddenTests,
    nbgrader.ClearMarkScheme,
    nbgrader.ComputeChecksums,
    nbgrader.CheckCellMetadata,
]
# nbgrader's own list would leave the hidden tests in; ours also refuses a solution that does not run.
c.GenerateSolution.preprocessors = [
    nbgrader.IncludeHeaderFooter,
    nbgrader.LockCells,
    nbgrader.ClearOutput,
    nbgrader.ClearHiddenTests,
    nbgrader.ClearMarkScheme,
    nbgrader.Execute,
    generate.FinishSolutions,
    # How often a print is flushed depends on how busy the machine is.
    CoalesceStreamsPreprocessor,
]

# nbconvert's preprocessors are off unless asked for.
c.CoalesceStreamsPreprocessor.enabled = True

# Reads whatever was handed in: a file that is no notebook gets a page that says so instead of stopping the class.
c.Autograde.exporter_class = intake.SubmissionExporter
# nbgrader's own list, with our Execute: a kernel that dies costs the cells after it and nothing else.
c.Autograde.autograde_preprocessors = [
    execute.Execute,
    nbgrader.IgnorePattern,
    ClearMetadataPreprocessor,
    nbgrader.LimitOutput,
    nbgrader.SaveAutoGrades,
    nbgrader.AssignLatePenalties,
    nbgrader.CheckCellMetadata,
    # What lacks its mark was interrupted, and is graded anew by the next run.
    intake.MarkGraded,
]
# Seconds for one cell; training in the last notebook is the longest.
c.Execute.timeout = 120
# Time stamps in the metadata would make every run's files differ.
c.Execute.record_timing = False
