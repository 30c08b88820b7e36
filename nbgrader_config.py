"""The course as nbgrader sees it: every `nbgrader` command run in this folder, and Formgrader, reads this file."""

import os
from pathlib import Path

from nbconvert.preprocessors import (
    ClearMetadataPreprocessor,
    CoalesceStreamsPreprocessor,
    CSSHTMLHeaderPreprocessor,
)
from nbgrader import preprocessors as nbgrader

from grading import execute, export, feedback, files, generate, intake, policy, sanitize

c = get_config()  # noqa: F821  (nbgrader gives it to this file)
# After an error in this file nbgrader goes on with its own defaults, without the sandbox: so nothing is graded before
# its last line has been read.
execute.hold_grading()
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
# What came without the exchange, such as a download, does not keep the others from getting their feedback.
c.ExchangeFactory.release_feedback = feedback.Release
# Archives from elsewhere, taken in with `nbgrader zip_collect`: what is in them stays in the student's folder.
# Downloads from Canvas, Moodle and Blackboard need no regular expression, only the names from `convblocks roster`.
c.ZipCollectApp.extractor_plugin = files.Extractor
c.ZipCollectApp.collector_plugin = files.Collector

# Random cases of the hidden checks are drawn from this seed: one for all students of a course, new for each course.
os.environ["CONVBLOCKS_SEED"] = str(2026)

# What a student finds in place of a solution.
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
# nbgrader's own list, with our ClearSolutions: the toolbox cell has a stub of its own. A cell that is graded by its own
# code is refused, since whoever runs it can give itself any score.
c.GenerateAssignment.preprocessors = [
    nbgrader.IncludeHeaderFooter,
    nbgrader.LockCells,
    generate.ClearSolutions,
    generate.RefuseUnchecked,
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
    generate.RunSolution,
    generate.FinishSolutions,
    # How often a print is flushed depends on how busy the machine is.
    CoalesceStreamsPreprocessor,
]

# nbconvert's preprocessors are off unless asked for.
c.CoalesceStreamsPreprocessor.enabled = True

# Reads whatever was handed in: a file that is no notebook gets a page that says so instead of stopping the class.
c.Autograde.exporter_class = intake.SubmissionExporter
# What a kernel sent is checked once it has been cleaned, not before.
c.Exporter.optimistic_validation = True
# nbgrader's own list, after a cleaning that leaves nothing in a submission that could not be written again.
c.Autograde.sanitize_preprocessors = [
    sanitize.Sanitize,
    nbgrader.ClearOutput,
    nbgrader.DeduplicateIds,
    nbgrader.OverwriteKernelspec,
    nbgrader.OverwriteCells,
    nbgrader.CheckCellMetadata,
]
# nbgrader's own list, with our Execute: submissions run in a sandbox and the broker keeps the scores. What the kernel
# sent is cleaned before anything reads it. The cells' metadata have been checked, and nothing changes them since. From
# SaveScores on steps store what they find, in the course's one writer, and change nothing in the notebook.
c.Autograde.autograde_preprocessors = [
    execute.Execute,
    sanitize.Sanitize,
    nbgrader.IgnorePattern,
    ClearMetadataPreprocessor,
    nbgrader.LimitOutput,
    execute.OfficialScoresOnly,
    # What lacks its mark was interrupted, and is graded anew by the next run.
    intake.MarkGraded,
    execute.SaveScores,
    nbgrader.AssignLatePenalties,
]
# Seconds for one cell of a submission, and how many of them it may have a processor, as a loop that never ends does;
# what else the machine has to do costs it none of these. Without training, even loops in plain Python take less than
# one. By default, the second grows with the first where that is longer:
# c.Execute.timeout = 20
# c.Execute.processor_seconds = 3
# c.Execute.timeout_with_keras = 120
# What comes late loses a share of its score for each day begun; `convblocks extend` gives one student more time.
c.AssignLatePenalties.plugin_class = policy.LatePolicy
# By default lateness costs nothing. What has been graded keeps its penalty until `convblocks grade --force`, or
# `convblocks extend`, also by 0 hours, reckons it anew; `convblocks status` names whose would change.
# c.LatePolicy.percent_a_day = 0
# c.LatePolicy.grace_minutes = 0
# Of several attempts the "last" counts, or the "best" after late penalties, which `convblocks grade` finds. By default:
# c.SubmissionExporter.counts = "last"
# Time stamps in the metadata would make every run's files differ.
c.Execute.record_timing = False

# Feedback and Formgrader clean what they show once more: notebooks graded elsewhere or earlier, and Markdown.
c.HTMLExporter.preprocessors = [sanitize.Sanitize, sanitize.EscapeNames]
c.HTMLExporter.filters = {
    "markdown2html": "grading.sanitize.markdown2html",
    "clean_html": "grading.sanitize.clean_html",
    "highlight_code": "grading.sanitize.highlight_code",
}
# Formgrader's lists show names and ids as text.
sanitize.escape_formgrader()
# A page in which no script runs.
c.GenerateFeedback.exporter_class = feedback.FeedbackExporter
# nbgrader's own list, no outputs that could tell of a hidden check, what the page says on top, and what tells
# `convblocks status` whether the gradebook says something else since.
c.GenerateFeedback.preprocessors = [
    nbgrader.GetGrades,
    feedback.HideLaterOutputs,
    feedback.Overview,
    feedback.Mark,
    CSSHTMLHeaderPreprocessor,
]

# nbgrader's grades.csv, in which no name is a formula. For a learning platform:
# `nbgrader export --exporter=grading.export.CanvasExport --to=canvas.csv`, MoodleExport or BlackboardExport.
c.ExportApp.plugin_class = export.CsvExport
# Headings of the columns there, where they are not the assignments' names:
# c.BlackboardExport.columns = {"1-padding": "1-padding [Total Pts: 12 Score] |12345"}

execute.allow_grading()
