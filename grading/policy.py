"""Deadlines: what lateness costs, what is left of a score, who has more time. The deadlines are nbgrader's own."""

import datetime
import math
from collections import Counter
from pathlib import Path

import nbformat
from nbformat.v4 import new_notebook
from nbgrader.api import Assignment, Grade, Gradebook, MissingEntry, SubmittedAssignment, SubmittedNotebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import determine_grade, is_grade
from sqlalchemy import func
from traitlets import Float
from traitlets.config import Config

from grading.course import has_gradebook
from grading.gradebook import turn
from grading.intake import forget_attempt

DAY = 24 * 60 * 60
"""Seconds."""


class LatePolicy(LateSubmissionPlugin):
    """So many percent of what a submission scored are taken off for each day begun after the deadline."""

    percent_a_day = Float(0, min=0, help="Percent of the score for each day begun; 100 for no points at all.").tag(
        config=True
    )
    grace_minutes = Float(0, min=0, help="So late is still in time.").tag(config=True)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """Points to be taken off a notebook's score, to two decimals; None for none. Lateness is in seconds."""
        if not self.percent_a_day or total_seconds_late <= 60 * self.grace_minutes:
            return None
        share = self.percent_a_day / 100 * math.ceil(total_seconds_late / DAY)
        return score if share >= 1 else min(score, round(score * share, 2))


def points(submission: SubmittedAssignment, attempt: Path, stamp: datetime.datetime | None, config: Config) -> float:
    """What a student would have, after late penalties, were an attempt stored that was graded in the folder `attempt`.

    submission: the student's in the gradebook. What a person gave there would stay, as nbgrader leaves it.
    """
    scores = []
    for notebook in submission.notebooks:
        cells = nbformat.read(attempt / f"{notebook.name}.ipynb", as_version=4).cells
        checked = {one.metadata.nbgrader.grade_id: determine_grade(one)[0] for one in cells if is_grade(one)}
        score = 0.0
        for one in notebook.grades:
            given = checked.get(one.name) if one.manual_score is None else one.manual_score
            score += (given or 0) + (one.extra_credit or 0)
        scores.append(score)
    return _after_penalties(submission, scores, stamp, config)


def points_now(submission: SubmittedAssignment, config: Config) -> float:
    """What a student has, were late penalties reckoned now: the stored ones may be of an earlier deadline or policy."""
    return _after_penalties(submission, [one.score for one in submission.notebooks], submission.timestamp, config)


def _after_penalties(
    submission: SubmittedAssignment, scores: list[float], stamp: datetime.datetime | None, config: Config
) -> float:
    """The sum of the scores of a student's notebooks, were they handed in at `stamp`."""
    late = (stamp - submission.duedate).total_seconds() if stamp and submission.duedate else 0
    assigning, total = AssignLatePenalties(config=config), sum(scores)
    assigning.init_plugin()
    for score in scores if late > 0 else ():
        penalty = assigning.plugin_inst.late_submission_penalty(submission.student.id, score, late)
        total -= min(max(penalty or 0, 0), score)
    return total


def reckon_anew(db_url: str, config: Config, assignment: str, student: str) -> None:
    """Store the late penalties of what has been graded of a student as they are by today's deadline and policy."""
    with Gradebook(db_url) as gradebook:
        graded = [
            notebook.name
            for notebook in gradebook.find_submission(assignment, student).notebooks
            if any(one.auto_score is not None or one.manual_score is not None for one in notebook.grades)
        ]
    for notebook in graded:
        ids = {"assignment": assignment, "student": student, "notebook": notebook, "db_url": db_url}
        # The step of grading that does it, for a notebook of no cells: it looks at the gradebook alone.
        AssignLatePenalties(config=config).preprocess(new_notebook(), {"nbgrader": ids})


def changed(gradebook: Gradebook, assignment: str, config: Config) -> dict[str, tuple[float, float]]:
    """Whose late penalty would be another one were it reckoned now: what it is and what it would be, by student.

    The policy, the deadline or the score may have changed since. Nobody's, where the policy is another than ours.
    """
    assigning = AssignLatePenalties(config=config)
    assigning.init_plugin()
    if not isinstance(assigning.plugin_inst, LatePolicy):
        return {}
    # One pass over the grades; nbgrader's own column would look for those of each notebook.
    scores = gradebook.db.query(Grade.notebook_id, func.sum(Grade.score).label("score")).group_by(Grade.notebook_id)
    scores = scores.subquery()
    own, notebook, stored = SubmittedAssignment, SubmittedNotebook, SubmittedNotebook.late_submission_penalty
    rows = gradebook.db.query(own.student_id, own.timestamp, own.extension, Assignment.duedate, scores.c.score, stored)
    rows = rows.select_from(own).join(Assignment, own.assignment_id == Assignment.id)
    rows = rows.join(notebook, notebook.assignment_id == own.id).join(scores, scores.c.notebook_id == notebook.id)
    is_, would_be = Counter(), Counter()
    for student, stamp, extension, due, score, penalty in rows.filter(Assignment.name == assignment):
        late = (stamp - due - (extension or datetime.timedelta())).total_seconds() if stamp and due else 0
        reckoned = assigning.plugin_inst.late_submission_penalty(student, score, late) if late > 0 else 0
        is_[student] += penalty or 0
        would_be[student] += reckoned or 0
    return {one: (is_[one], would_be[one]) for one in is_ if abs(is_[one] - would_be[one]) >= 0.01}


class NoExtension(Exception):
    """More time cannot be given; its text is a sentence that says why and what to do."""


def extend(
    coursedir: CourseDirectory, config: Config, assignment: str, student: str, hours: float
) -> tuple[datetime.datetime, float, float]:
    """Give a student so many hours more than everybody, in place of what was given before; 0 takes that back.

    What has been graded keeps its scores, and its penalty becomes what it would have been with that deadline. Returns
    the student's deadline (UTC), and the penalty before and after, in points. Raises NoExtension, or NbGraderException
    where this person may not store.
    """
    with turn(Path(coursedir.root), coursedir.db_url, coursedir.log):
        return _extend(coursedir, config, assignment, student, hours)


def _extend(
    coursedir: CourseDirectory, config: Config, assignment: str, student: str, hours: float
) -> tuple[datetime.datetime, float, float]:
    if not 0 <= hours < 24 * 366:
        raise NoExtension(f"{hours:g} hours are no extension. 0 takes one back, and the longest is a year.")
    none = "none, before `nbgrader generate_assignment`"
    if not has_gradebook(coursedir):
        raise NoExtension(f"There is no assignment {assignment}; there is {none}.")
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        try:
            due = gradebook.find_assignment(assignment).duedate
        except MissingEntry:
            names = ", ".join(sorted(one.name for one in gradebook.assignments)) or none
            raise NoExtension(f"There is no assignment {assignment}; there is {names}.") from None
        if due is None:
            command = f'`nbgrader db assignment add {assignment} --duedate="2026-12-24 18:00 UTC"`'
            raise NoExtension(f"{assignment} has no deadline. Set it in Formgrader, or with {command}.")
        try:
            gradebook.find_student(student)
        except MissingEntry:
            raise NoExtension(f"There is no student {student}. `convblocks roster FILE` puts a class in.") from None
        try:
            submission = gradebook.find_submission(assignment, student)
        except MissingEntry:
            if not hours:
                return due, 0, 0
            submission = gradebook.add_submission(assignment, student)
        before = submission.late_submission_penalty
        gradebook.grant_extension(assignment, student, hours=hours)
    reckon_anew(coursedir.db_url, config, assignment, student)
    # An attempt that lost by its lateness may now be the better one.
    forget_attempt(Path(coursedir.format_path(coursedir.autograded_directory, student, assignment)))
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        submission = gradebook.find_submission(assignment, student)
        return submission.duedate, before, submission.late_submission_penalty
