"""Grades for learning platforms, lateness and extensions, and downloads from there, on real gradebooks."""

import csv
import datetime
import io
import os
import shutil
import time
import zipfile

import pytest
from conftest import CONVBLOCKS, ROOT, nbgrader, run
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import ZipCollectApp
from nbgrader.coursedir import CourseDirectory
from test_status import problems, status
from traitlets.config import Config

from grading.export import BlackboardExport, CanvasExport, MoodleExport, final_scores
from grading.files import Collector, Extractor
from grading.policy import DAY, LatePolicy, NoExtension, extend

CLASS = {
    # id: (last name, first name, email, lms_user_id)
    "ada": ("Lovelace", "Ada", "ada@example.org", "101"),
    "bob": ("Ross", "Bob", "bob@example.org", "102"),
    "eva": ("=1+1", "@Éva", "eva@example.org", "103"),
    "fay": ("Wray", "Fay", "fay@example.org", "104"),
}
DUE = datetime.datetime(2026, 11, 20, 18)


def gradebook_of(course):
    return Gradebook(f"sqlite:///{course}/gradebook.db")


def grade(gradebook, student, score, penalty=None, assignment="1-padding"):
    """Store what grading stores for a submission of one notebook."""
    gradebook.update_or_create_submission(assignment, student)
    notebook = gradebook.find_submission_notebook("padding", assignment, student)
    notebook.late_submission_penalty = penalty
    notebook.grades[0].auto_score = score
    gradebook.db.commit()


@pytest.fixture(scope="module")
def graded_class(tmp_path_factory):
    """Three assignments of 12 points; ada handed in two, bob the first, late, eva the second, fay none."""
    course = tmp_path_factory.mktemp("graded")
    with gradebook_of(course) as gradebook:
        for assignment in ("1-padding", "2-conv-forward", "3-weight-counting"):
            gradebook.add_assignment(assignment, duedate=None if assignment == "3-weight-counting" else DUE)
            gradebook.add_notebook("padding", assignment)
            gradebook.add_grade_cell("pad2d", "padding", assignment, max_score=12, cell_type="code")
        for student, (last, first, email, number) in CLASS.items():
            gradebook.add_student(student, last_name=last, first_name=first, email=email, lms_user_id=number)
        grade(gradebook, "ada", 12)
        grade(gradebook, "ada", 8 + 2 / 3, assignment="2-conv-forward")
        grade(gradebook, "bob", 8, penalty=2.5)
        grade(gradebook, "eva", 0, assignment="2-conv-forward")
        # An extension, and nothing handed in.
        gradebook.add_submission("1-padding", "fay")
        gradebook.grant_extension("1-padding", "fay", hours=48)
    return course


@pytest.fixture
def course(graded_class, tmp_path):
    """A copy of that class for one test, with the course's configuration."""
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    shutil.copy(graded_class / "gradebook.db", tmp_path)
    return tmp_path


class Log:
    """Keeps what an exporter says."""

    def __init__(self):
        self.said = []

    def warning(self, message, *values):
        self.said.append(message % values)

    def info(self, message, *values):
        pass


def export(kind, course, **options):
    """What an exporter writes, as rows, and its warnings."""
    with gradebook_of(course) as gradebook:
        exporter = kind(to=str(course / "out.csv"), **options)
        exporter.log = log = Log()
        exporter.export(gradebook)
    with (course / "out.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file)), log.said


def change(course, student, **values):
    with gradebook_of(course) as gradebook:
        gradebook.update_or_create_student(student, **values)


def test_canvas_takes_it_for_an_export_of_its_own(course):
    rows, said = export(CanvasExport, course)
    assert rows == [
        # As gradebook_importer.rb wants them: "Student" first, then "ID", the SIS ids, and last "Section".
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "1-padding", "2-conv-forward"],
        ["    Points Possible", "", "", "", "", "12", "12"],
        ["'=1+1, @Éva (eva)", "103", "", "", "", "", "0"],
        ["Lovelace, Ada (ada)", "101", "", "", "", "12", "8.67"],
        # 8 points, 2.5 off for coming late; nothing of the second.
        ["Ross, Bob (bob)", "102", "", "", "", "5.5", ""],
    ]
    assert said == [
        f"{name}: an empty cell takes away a grade that is there, and 1 have handed in nothing: {who}. "
        "With one --assignment alone they have no row."
        for name, who in {"1-padding": "'eva'", "2-conv-forward": "'bob'"}.items()
    ]


def test_who_has_handed_in_nothing_has_no_row_whose_empty_cell_would_take_a_grade_away(course):
    rows, said = export(CanvasExport, course, assignment=["1-padding"])
    assert [row[1] for row in rows[2:]] == ["101", "102"] and not said
    assert [row[-1] for row in rows] == ["1-padding", "12", "12", "5.5"]
    rows, _ = export(MoodleExport, course, student=["ada", "fay"])
    assert [row[1] for row in rows[1:]] == ["Lovelace"]


def test_canvas_has_the_login_of_whom_it_gave_no_number_and_a_number_that_is_none_is_named(course):
    change(course, "ada", lms_user_id=None)
    change(course, "bob", lms_user_id="102a")
    rows, said = export(CanvasExport, course, assignment=["1-padding"])
    assert [row[1:4] for row in rows[2:]] == [["", "", "ada"]]
    assert said == [
        "'bob' has no row: the student lacks an lms_user_id that is a number, as Canvas' are. "
        "Mend the roster, and import it with `convblocks roster`."
    ]


@pytest.mark.parametrize("kind", [CanvasExport, MoodleExport, BlackboardExport])
def test_who_is_in_no_roster_though_others_are_has_no_row_and_is_named(course, kind):
    with gradebook_of(course) as gradebook:
        # As grading does.
        gradebook.add_student("stranger")
        grade(gradebook, "stranger", 7)
    rows, said = export(kind, course, assignment=["1-padding"], columns={"1-padding": "1-padding |12345"})
    assert [row[-1] for row in rows[-2:]] == ["12", "5.5"] and not any(
        "stranger" in cell for row in rows for cell in row
    )
    assert [one.partition(":")[0] for one in said] == ["'stranger' has no row"] and "in no roster" in said[0]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("--assignment=1-pad", "the gradebook has no assignment 1-pad; perhaps 1-padding is meant."),
        ("--student=nobody", "the gradebook has no student nobody, only ada, bob, eva, fay."),
    ],
)
def test_what_is_not_there_is_not_exported_as_an_empty_file(course, asked, said):
    for exporter in ("CanvasExport", "CsvExport"):
        output = nbgrader(course, "export", f"--exporter=grading.export.{exporter}", "--to=out.csv", asked, fails=True)
        assert f"Nothing was exported: {said}" in output and "Traceback" not in output
        assert not (course / "out.csv").exists()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"1-paddings": "A"}, "there is no assignment 1-paddings, which is in SETTING; perhaps 1-padding is meant"),
        # The third has not been graded: its points would go where the first one's went.
        (
            {"1-padding": "A", "3-weight-counting": "A"},
            "1-padding, 3-weight-counting have one heading, 'A'; give each its own in SETTING",
        ),
        ({"1-padding": "2-conv-forward"}, "1-padding, 2-conv-forward have one heading, '2-conv-forward'; give each"),
        ({"1-padding": "Student"}, "'Student', in SETTING for 1-padding, is the heading of a column about students"),
    ],
)
def test_headings_of_nothing_or_of_two_columns_are_refused(course, columns, said):
    with (course / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.CanvasExport.columns = {columns}\n")
    output = nbgrader(course, "export", "--exporter=grading.export.CanvasExport", "--to=out.csv", fails=True)
    assert f"Nothing was exported: {said.replace('SETTING', 'c.CanvasExport.columns')}" in output
    assert "Traceback" not in output and not (course / "out.csv").exists()


def test_a_heading_of_what_is_in_source_alone_waits_for_it(course):
    shutil.copytree(ROOT / "source" / "5-flatten", course / "source" / "5-flatten")
    with (course / "nbgrader_config.py").open("a") as config:
        config.write('\nc.CanvasExport.columns = {"1-padding": "Padding", "5-flatten": "Flatten"}\n')
    nbgrader(course, "export", "--exporter=grading.export.CanvasExport", "--to=out.csv")
    assert (course / "out.csv").read_text().splitlines()[0].endswith(",Padding,2-conv-forward")


@pytest.mark.parametrize("exporter", ["CanvasExport", "CsvExport"])
def test_where_a_file_goes_is_made_or_it_is_said_that_it_cannot_be(course, exporter):
    def exported(to, **how):
        return nbgrader(course, "export", f"--exporter=grading.export.{exporter}", f"--to={to}", **how)

    exported("missing/deep/out.csv")
    assert (course / "missing" / "deep" / "out.csv").read_text().count("\n") >= 5
    (course / "file").write_text("")
    for to, said in {
        "missing": "missing is a folder; let --to name a file, such as missing/",
        "file/out.csv": "file/out.csv cannot be written (File exists); let --to name another file.",
    }.items():
        output = exported(to, fails=True)
        assert f"Nothing was exported: {said}" in output and "Traceback" not in output


def test_moodle_has_one_identifier_in_every_row(course):
    rows, _ = export(MoodleExport, course)
    assert rows == [
        ["First name", "Last name", "ID number", "1-padding", "2-conv-forward"],
        ["'@Éva", "'=1+1", "103", "", "0"],
        ["Ada", "Lovelace", "101", "12", "8.67"],
        ["Bob", "Ross", "102", "5.5", ""],
    ]
    change(course, "ada", lms_user_id=None)
    rows, said = export(MoodleExport, course, assignment=["1-padding"])
    assert rows == [
        ["First name", "Last name", "Email address", "1-padding"],
        ["Ada", "Lovelace", "ada@example.org", "12"],
        ["Bob", "Ross", "bob@example.org", "5.5"],
    ]
    # With an empty identifier Moodle would give the points to the student of the row above.
    change(course, "bob", email=None)
    change(course, "ada", lms_user_id="101")
    rows, said = export(MoodleExport, course, assignment=["1-padding"])
    assert [row[2] for row in rows] == ["ID number", "101", "102"]
    change(course, "bob", lms_user_id=None)
    rows, said = export(MoodleExport, course, assignment=["1-padding"])
    assert [row[2] for row in rows] == ["ID number", "101"] and said[0].startswith(
        "'bob' has no row: the student lacks"
    )


def test_blackboard_has_usernames_and_its_own_headings_each_cell_in_quotation_marks(course):
    change(course, "bob", lms_user_id=None)
    heading = "1-padding [Total Pts: 12 Score] |12345"
    rows, _ = export(BlackboardExport, course, assignment=["1-padding"], columns={"1-padding": heading})
    assert rows == [
        ["Last Name", "First Name", "Username", heading],
        ["Lovelace", "Ada", "101", "12"],
        ["Ross", "Bob", "bob", "5.5"],
    ]
    assert (course / "out.csv").read_text().splitlines()[1] == '"Lovelace","Ada","101","12"'


def test_a_column_that_blackboard_would_make_anew_is_named(course):
    headings = {"1-padding": "1-padding [Total Pts: 12 Score] |12345"}
    for columns, named in (({}, "1-padding, 2-conv-forward: "), (headings, "2-conv-forward: ")):
        _, said = export(BlackboardExport, course, columns=columns)
        (warned,) = (one for one in said if "on Blackboard, of text and for 0 points" in one)
        assert warned.startswith(named) and warned.endswith(" into c.BlackboardExport.columns.")
    _, said = export(BlackboardExport, course, columns=headings, assignment=["1-padding"])
    assert not said


@pytest.mark.parametrize("number", ["101", "=2"])
@pytest.mark.parametrize("kind", [CanvasExport, MoodleExport, BlackboardExport])
def test_nobody_gets_the_points_of_somebody_else_and_no_identifier_is_a_formula(course, kind, number):
    change(course, "bob", lms_user_id=number)
    rows, said = export(kind, course, assignment=["1-padding"])
    assert "5.5" not in [row[-1] for row in rows]
    assert "'bob' has no row" in " ".join(said) and ("'ada' has no row" in " ".join(said)) == (number == "101")


def test_a_large_class_takes_a_moment(tmp_path):
    """6,000 submissions: nbgrader's own properties would look through all of them for each."""
    from nbgrader.api import Grade, Student, SubmittedAssignment, SubmittedNotebook
    from sqlalchemy import insert

    with gradebook_of(tmp_path) as gradebook:
        cells = {}
        for number in range(6):
            gradebook.add_assignment(f"a{number}")
            notebook = gradebook.add_notebook("n", f"a{number}")
            cell = gradebook.add_grade_cell("c", "n", f"a{number}", max_score=9, cell_type="code")
            cells[gradebook.find_assignment(f"a{number}").id] = notebook.id, cell.id
        people = [f"s{one}" for one in range(1000)]
        ids = [(f"{student}-{key[:8]}", student, key) for student in people for key in cells]
        db = gradebook.db
        db.execute(insert(Student), [{"id": one} for one in people])
        db.execute(insert(SubmittedAssignment), [{"id": i, "student_id": s, "assignment_id": a} for i, s, a in ids])
        db.execute(
            insert(SubmittedNotebook), [{"id": i, "assignment_id": i, "notebook_id": cells[a][0]} for i, _, a in ids]
        )
        db.execute(
            insert(Grade),
            [
                {"id": i, "notebook_id": i, "cell_id": cells[a][1], "auto_score": 5.0, "needs_manual_grade": False}
                for i, _, a in ids
            ],
        )
        db.commit()
        begin = time.process_time()
        scores = final_scores(gradebook)
        assert len(scores) == 6_000 and set(scores.values()) == {5.0}
        assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    ("late", "percent", "grace", "penalty"),
    [
        (1, 10, 0, 1.2),
        (DAY, 10, 0, 1.2),
        (DAY + 1, 10, 0, 2.4),
        (9.5 * DAY, 10, 0, 12),
        (30 * DAY, 10, 0, 12),
        (600, 10, 10, None),
        # Behind the grace it counts from the deadline.
        (601, 10, 10, 1.2),
        (1, 100, 0, 12),
        (DAY, 0, 0, None),
        (1, 33.333, 0, 4),
    ],
)
def test_each_day_begun_costs_its_share(late, percent, grace, penalty):
    policy = LatePolicy(percent_a_day=percent, grace_minutes=grace)
    assert policy.late_submission_penalty("ada", 12.0, late) == penalty


def test_one_line_makes_lateness_cost_and_an_extension_gives_it_back(tmp_path):
    course = tmp_path
    shutil.copytree(ROOT / "source" / "1-padding", course / "source" / "1-padding")
    config = (ROOT / "nbgrader_config.py").read_text()
    usual = "# c.LatePolicy.percent_a_day = 0\n"
    assert usual in config
    (course / "nbgrader_config.py").write_text(config.replace(usual, "c.LatePolicy.percent_a_day = 25\n"))
    nbgrader(course, "generate_assignment", "1-padding")
    with gradebook_of(course) as gradebook:
        gradebook.update_or_create_assignment("1-padding", duedate=DUE)
    for student, stamp in {"ada": "2026-11-21 12:00:00 UTC", "bob": "2026-11-20 12:00:00 UTC"}.items():
        shutil.copytree(ROOT / "solutions" / "1-padding", course / "submitted" / student / "1-padding")
        (course / "submitted" / student / "1-padding" / "timestamp.txt").write_text(stamp)

    def penalties():
        with gradebook_of(course) as gradebook:
            return {
                one.student.id: (one.score, one.late_submission_penalty)
                for one in gradebook.assignment_submissions("1-padding")
            }

    code, said = run(course, *CONVBLOCKS, "grade", "1-padding", "--workers", "1")
    assert code == 0, said
    # Of nbgrader's four lines on each who is late there is none.
    assert [line for line in said.splitlines() if line][-1] == "2 submissions graded."
    assert "late" not in said.lower()
    assert penalties() == {"ada": (12, 3), "bob": (12, 0)}
    nbgrader(course, "autograde", "1-padding", "--student=ada", "--force")
    assert penalties() == {"ada": (12, 3), "bob": (12, 0)}
    code, said = run(course, *CONVBLOCKS, "extend", "1-padding", "ada", "24")
    assert code == 0
    assert said.strip() == "ada has until 2026-11-21 18:00 UTC for 1-padding. Late penalty: 3 before, 0 now."
    assert penalties() == {"ada": (12, 0), "bob": (12, 0)}
    # As documented, on the command line.
    nbgrader(course, "export", "--exporter=grading.export.CanvasExport", "--to=canvas.csv")
    assert (course / "canvas.csv").read_text().splitlines()[2:] == ["(ada),,,ada,,12", "(bob),,,bob,,12"]


def more_time(course, *request):
    return extend(CourseDirectory(root=str(course)), Config(), *request)


def test_an_extension_waits_for_the_submission_stands_alone_and_can_be_taken_back(course):
    # Nothing handed in: three hours do not come on top of the two days.
    due, before, after = more_time(course, "1-padding", "fay", 3)
    assert (due, before, after) == (datetime.datetime(2026, 11, 20, 21), 0, 0)
    with gradebook_of(course) as gradebook:
        submission = gradebook.update_or_create_submission("1-padding", "fay", timestamp="2026-11-20 22:00 UTC")
        assert submission.total_seconds_late == 3600
    assert more_time(course, "1-padding", "fay", 0)[0] == DUE
    with gradebook_of(course) as gradebook:
        assert gradebook.find_submission("1-padding", "fay").extension is None
    # Nothing there to be taken back, and nothing comes to be.
    assert more_time(course, "1-padding", "eva", 0) == (DUE, 0, 0)
    with gradebook_of(course) as gradebook, pytest.raises(MissingEntry):
        gradebook.find_submission("1-padding", "eva")
    # Scores stay.
    more_time(course, "1-padding", "bob", 1)
    with gradebook_of(course) as gradebook:
        assert final_scores(gradebook)["1-padding", "bob"] == 8


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (("9-none", "ada", 1), "There is no assignment 9-none; there is 1-padding, 2-conv-forward, 3-weight-counting."),
        (("1-padding", "gil", 1), "There is no student gil. `convblocks roster FILE` puts a class in."),
        (("3-weight-counting", "ada", 1), "3-weight-counting has no deadline. Set it in Formgrader, or with `nbgrader"),
        (("1-padding", "ada", -1), "-1 hours are no extension."),
        (("1-padding", "ada", float("nan")), "nan hours are no extension."),
    ],
)
def test_an_extension_that_cannot_be_given_says_why_and_changes_nothing(course, request_, said):
    before = (course / "gradebook.db").read_bytes()
    with pytest.raises(NoExtension) as raised:
        more_time(course, *request_)
    assert str(raised.value).startswith(said)
    assert (course / "gradebook.db").read_bytes() == before


NOTEBOOK = (ROOT / "solutions" / "1-padding" / "padding.ipynb").read_bytes()


def zipped(*names, **contents):
    """An archive with the solution under each of these names; contents: what else is in it."""
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in {**dict.fromkeys(names, NOTEBOOK), **contents}.items():
                archive.writestr(name, content)
        return file.getvalue()


PEOPLE = {
    # id: (first name, last name, lms_user_id)
    "ada": ("Ada", "Lovelace", "101"),
    "eva": ("Éva", "Nagy-O'Neil", "102"),
    "li1": ("Wei", "Li", None),
    "li2": ("Li", "Wei", None),
    "x_bob": ("Bob", "Ross", None),
    "grace": ("Grace", "Hopper", None),
}

# platform: files in the archive folder; where they arrive (student, name: time); those that stay, with the reason
DOWNLOADS = {
    "Moodle": (
        {
            "CS-1-padding-77.zip": zipped(
                "Ada Lovelace_9001_assignsubmission_file/padding.ipynb",
                # As it is written elsewhere: without the apostrophe, decomposed, with _ at the end.
                "Nagy-ONeil E\u0301va_9002_assignsubmission_file_/homework/padding.ipynb",
                "Bob Ross_9003_assignsubmission_file_padding.ipynb",
                "Wei Li_9004_assignsubmission_file/padding.ipynb",
                "Nobody Known_9005_assignsubmission_file/padding.ipynb",
                # Two people on the platform, one in the gradebook.
                "Grace Hopper_9006_assignsubmission_file/padding.ipynb",
                "Grace Hopper_9007_assignsubmission_file/padding.ipynb",
                # A student's choice of names is no matter.
                "Ada Lovelace_9001_assignsubmission_file/Bob Ross_1_assignsubmission_file/padding.ipynb",
                "readme.ipynb",
            )
        },
        {
            "ada/padding.ipynb": "",
            "ada/Bob Ross_1_assignsubmission_file/padding.ipynb": "",
            "eva/homework/padding.ipynb": "",
            "x_bob/padding.ipynb": "",
        },
        {
            "Wei Li_9004": "can be li1's or li2's (Moodle says 'Wei Li'; the roster cannot tell: copy it to submitted/",
            "Nobody Known_9005": "is nobody's here (Moodle says 'Nobody Known'; import the roster, first_name and",
            "Grace Hopper_9006": "can be grace's or somebody else's who is called so (Moodle says 'Grace Hopper'; the roster",
            "Grace Hopper_9007": "can be grace's or somebody else's",
            "readme.ipynb": "is not named as Canvas, Moodle or Blackboard name what they hand out",
        },
    ),
    "Canvas": (
        {
            "submissions.zip": zipped(
                "lovelaceada_101_5001_padding.ipynb",
                "anothername_LATE_102_5002_padding-1.ipynb",
                # No number of his is known, but his name.
                "rossbob_LATE_777_5003_padding.ipynb",
                "nobodyknown_888_5004_padding.ipynb",
                # There, numbers tell who is who.
                "weili_889_5007_padding.ipynb",
                # eva calls herself x_101, and a file of hers as Blackboard would one of ada's.
                "x_101_102_5005_padding.ipynb",
                "nagyoneileva_102_5006_1_101_attempt_2026-11-21-10-00-00_padding.ipynb",
            )
        },
        {
            "ada/padding.ipynb": "",
            "eva/padding-1.ipynb": "",
            "eva/1_101_attempt_2026-11-21-10-00-00_padding.ipynb": "",
            "x_bob/padding.ipynb": "",
        },
        {
            "nobodyknown_888": "is nobody's here (Canvas says 'nobodyknown_888'; import the roster, lms_user_id in",
            "weili_889": "can be li1's or li2's (Canvas says 'weili_889'; import the roster, lms_user_id in it,",
            "x_101_102": "can be ada's or eva's (Canvas says 'x_101'; the roster cannot tell: copy it to submitted/",
        },
    ),
    "Blackboard": (
        {
            "gradebook_CS_1-padding_2026-11-22-08-00-00.zip": zipped(
                "1_padding_101_attempt_2026-11-20-10-05-07_padding.ipynb",
                "1_padding_101_attempt_2026-11-19-10-05-07_padding.ipynb",
                "1_padding_x_bob_attempt_2026-11-20-11-00-00_padding.ipynb",
                "1_padding_bob_attempt_2026-11-20-12-00-00_padding.ipynb",
                # eva's own choice of a name behind her own.
                "1_padding_102_attempt_2026-11-20-13-00-00_z_101_attempt_2026-12-20-13-00-00_padding.ipynb",
            ),
            "1_padding_li1_attempt_2026-11-20-14-00-00_all.zip": zipped("padding.ipynb"),
        },
        {
            "ada/padding.ipynb": "2026-11-20 10:05:07",
            "x_bob/padding.ipynb": "2026-11-20 11:00:00",
            "eva/z_101_attempt_2026-12-20-13-00-00_padding.ipynb": "2026-11-20 13:00:00",
            "li1/padding.ipynb": "2026-11-20 14:00:00",
        },
        {"1_padding_bob": "is nobody's here (Blackboard says '1_padding_bob';"},
    ),
}


def collect(course):
    """What `nbgrader zip_collect 1-padding` does; tests/test_hostile_files.py runs it with the course's configuration."""
    app = ZipCollectApp(extractor_plugin=Extractor, collector_plugin=Collector)
    app.coursedir = CourseDirectory(parent=app, root=str(course), assignment_id="1-padding")
    app.log.propagate = True
    app.init_plugins()
    app.extract_archive_files()
    app.process_extracted_files()


@pytest.mark.parametrize("platform", DOWNLOADS)
def test_a_download_from_a_platform_finds_its_students_and_names_and_keeps_the_rest(tmp_path, caplog, platform):
    downloads, arrive, stay = DOWNLOADS[platform]
    with gradebook_of(tmp_path) as gradebook:
        for student, (first, last, number) in PEOPLE.items():
            gradebook.add_student(student, first_name=first, last_name=last, lms_user_id=number)
    archive = tmp_path / "downloaded" / "1-padding" / "archive"
    archive.mkdir(parents=True)
    for name, content in downloads.items():
        (archive / name).write_bytes(content)
    collect(tmp_path)
    found = {}
    for path in tmp_path.glob("submitted/*/1-padding/**/*.ipynb"):
        student, _, *name = path.relative_to(tmp_path / "submitted").parts
        stamp = tmp_path / "submitted" / student / "1-padding" / "timestamp.txt"
        found["/".join((student, *name))] = stamp.read_text() if stamp.exists() else ""
        assert path.read_bytes() == NOTEBOOK
    assert found == arrive
    for name, said in stay.items():
        assert [line for line in caplog.messages if name in line and said in line and line.endswith(": left out.")]
        assert any(name in str(path) for path in (archive.parent / "extracted").rglob("*.ipynb"))


def arrived(course) -> set[str]:
    """The files of 1-padding in submitted/, with their students."""
    return {str(path.relative_to(course / "submitted")) for path in course.glob("submitted/*/1-padding/**/*.*")}


LEFT_OUT = "left out of what was downloaded"
CLOSED = "left out when a download was unpacked"


@pytest.mark.parametrize(
    ("files", "arrive", "stay"),
    [
        (
            {
                "submissions.zip": zipped(
                    "lovelaceada_101_5010_padding.ipynb.txt",
                    "lovelaceada_101_5011_timestamp.txt",
                    "rossbob_102_5012_padding.json",
                    "rossbob_102_5013_forward.py",
                    "nagyeva_103_5014_PADDING.IPYNB",
                    "wrayfay_104_5015_essay.docx",
                    "README.txt",
                    ".DS_Store",
                    **{
                        "wrayfay_104_5016_work.rar": b"Rar!",
                        "wrayfay_104_5017_work.zip": zipped("padding.ipynb")[:-30],
                        "wrayfay_104_5018_empty.zip": zipped(),
                        "nagyeva_103_5019_more.ZIP": zipped("drawn.ipynb", ".git/HEAD"),
                    },
                ),
                "second.zip": zipped("padding.ipynb")[:-30],
                "third.rar": b"Rar!",
                "fourth.zip": zipped(),
                "fifth.zip": zipped("n" * 300, "É\033[2J"),
                ".DS_Store": b"",
            },
            {
                "ada/1-padding/padding.ipynb.txt",
                "bob/1-padding/padding.json",
                "eva/1-padding/PADDING.IPYNB",
                "eva/1-padding/drawn.ipynb",
            },
            {
                "submissions/lovelaceada_101_5011_timestamp.txt": "would say when it was handed in",
                "submissions/rossbob_102_5013_forward.py": "is bob's, and is no notebook by its name",
                "submissions/wrayfay_104_5015_essay.docx": "is fay's, and is no notebook by its name; ask for one",
                "submissions/README.txt": "is not named as Canvas, Moodle or Blackboard",
                "submissions/wrayfay_104_5016_work.rar": "is fay's, and cannot be unpacked; get it anew, as a .zip",
                "submissions/wrayfay_104_5017_work.zip": "is fay's, and cannot be unpacked",
                "submissions/wrayfay_104_5018_empty.zip": "is fay's, and cannot be unpacked",
                "second.zip": "is not an archive that can be unpacked (BadZipFile: File is not a zip file); get it anew",
                "fourth.zip": "is an archive of which nothing can be unpacked",
                f"fifth.zip: {'n' * 300}": "cannot be unpacked (OSError",
                "fifth.zip: É\033[2J": "has a name that programs stumble over",
                "third.rar": "is an archive of a kind that is not unpacked; put a .zip in its place",
            },
        ),
        (
            {
                "CS-77.zip": zipped(
                    "Bob Ross_7_assignsubmission_file/padding.ipynb.txt",
                    "Bob Ross_7_readme/a.pdf",
                    "Ada Lovelace_8_assignsubmission_file/-padding.ipynb",
                )
            },
            {"bob/1-padding/padding.ipynb.txt"},
            {
                "CS-77/Bob Ross_7_readme/a.pdf": "is no notebook by its name",
                "CS-77.zip: Ada Lovelace_8_assignsubmission_file/-padding.ipynb": "has a name that programs stumble over",
            },
        ),
        (
            # Of each attempt, Blackboard has a text of its own.
            {
                "gradebook.zip": zipped(
                    "1_101_attempt_2026-11-20-10-05-07.txt",
                    "1_101_attempt_2026-11-20-10-05-07_padding.txt",
                    "1_102_attempt_2026-99-20-10-05-07_padding.ipynb",
                )
            },
            {"ada/1-padding/padding.txt", "ada/1-padding/timestamp.txt"},
            {"gradebook/1_102_attempt_2026-99-20-10-05-07_padding.ipynb": "has a time stamp that is no time"},
        ),
    ],
    ids=["Canvas", "Moodle", "Blackboard"],
)
def test_what_may_be_a_notebook_is_taken_in_whatever_its_ending_and_all_else_is_named(course, files, arrive, stay):
    archive = course / "downloaded" / "1-padding" / "archive"
    archive.mkdir(parents=True)
    for name, content in files.items():
        (archive / name).write_bytes(content)
    log = nbgrader(course, "zip_collect", "1-padding")
    assert arrived(course) == arrive
    found = status(course)
    closed = problems(found).get(CLOSED, {})
    assert closed.keys() == {one for one in stay if "/" not in one or ": " in one}
    said = closed | problems(found)[LEFT_OUT]
    assert said.keys() == stay.keys() and not found["downloaded"]
    for name, why in stay.items():
        assert why in said[name]
        assert [
            one
            for one in log.splitlines()
            if f"{ascii(name)[1:-1]}' " in one and why in one and one.endswith(": left out.")
        ]


def test_an_archive_of_which_nothing_came_is_named_until_another_one_waits(course):
    archive = course / "downloaded" / "1-padding" / "archive"
    archive.mkdir(parents=True)
    (archive / "all.zip").write_bytes(zipped("lovelaceada_101_5001_padding.ipynb")[:-30])
    # A link, which is left alone.
    (archive / "more.ipynb").symlink_to(ROOT / "solutions" / "1-padding" / "padding.ipynb")
    nbgrader(course, "zip_collect", "1-padding")
    assert problems(status(course)) == {
        CLOSED: {
            "all.zip": "is not an archive that can be unpacked (BadZipFile: File is not a zip file); get it anew",
            "more.ipynb": "is a link to somewhere else",
        }
    }
    (archive / "all.zip").write_bytes(zipped("lovelaceada_101_5001_padding.ipynb"))
    found = status(course)
    assert found["downloaded"] and CLOSED not in problems(found)
    (archive / "more.ipynb").unlink()
    nbgrader(course, "zip_collect", "1-padding")
    assert arrived(course) == {"ada/1-padding/padding.ipynb"} and CLOSED not in problems(status(course))


def test_what_goes_with_a_notebook_goes_with_it_where_nbgrader_is_told_so(course):
    archive = course / "downloaded" / "1-padding" / "archive"
    archive.mkdir(parents=True)
    names = (
        "rossbob_102_5012_padding.ipynb",
        "rossbob_102_5013_helper.py",
        "rossbob_102_5014_timestamp.txt",
    )
    (archive / "all.zip").write_bytes(zipped(*names[:2], **{names[2]: "2026-11-20 10:00:00 UTC"}))
    option = "--FileNameCollectorPlugin.valid_ext=['.ipynb', '.py', '.txt']"
    assert "left out" not in nbgrader(course, "zip_collect", "1-padding", option)
    assert arrived(course) == {f"bob/1-padding/{one}" for one in ("padding.ipynb", "helper.py", "timestamp.txt")}


def test_what_the_roster_cannot_tell_lasts_once_it_is_put_in_place_by_hand(course):
    archive = course / "downloaded" / "1-padding" / "archive"
    archive.mkdir(parents=True)
    with gradebook_of(course) as gradebook:
        for student in ("jim", "jim2"):
            gradebook.add_student(student, first_name="Jim", last_name="Doe", lms_user_id=student)
    names = [f"Jim Doe_{number}_assignsubmission_file/padding.ipynb" for number in (6, 7)]
    (archive / "all.zip").write_bytes(zipped("Bob Ross_5_assignsubmission_file/padding.ipynb", *names))
    nbgrader(course, "zip_collect", "1-padding")
    for number, student in enumerate(("jim", "jim2")):
        left = problems(status(course))[LEFT_OUT]
        # As both have handed in the same, each stands for one.
        assert len(left) == 2 - number
        why = left[f"all/{names[1]}"]
        assert why.startswith("can be jim's or jim2's (Moodle says 'Jim Doe'; the roster cannot tell: copy it to ")
        place = course / why.partition("copy it to ")[2].removesuffix(")").replace("STUDENT", student)
        place.parent.mkdir(parents=True)
        place.write_bytes(NOTEBOOK)
    for _ in range(2):
        found = status(course)
        assert LEFT_OUT not in problems(found) and not found["downloaded"]
        nbgrader(course, "zip_collect", "1-padding", "--force")
        assert {"jim/1-padding/padding.ipynb", "jim2/1-padding/padding.ipynb"} < arrived(course)


def test_status_leads_to_a_download_that_waits_and_names_what_in_it_is_nobodys(course):
    archive = course / "downloaded" / "1-padding" / "archive"
    archive.mkdir(parents=True)

    def waits():
        """The command for what waits; "" where nothing does."""
        found = status(course)
        commands = [one["command"] for one in found["steps"] if "zip_collect" in one["command"]]
        assert len(commands) == found["downloaded"]
        assert "nbgrader release_assignment 1-padding" not in [one["command"] for one in found["steps"]] or not commands
        return "".join(commands)

    assert waits() == ""
    names = ("lovelaceada_101_5001_padding.ipynb", "nobodyknown_888_5002_padding.ipynb")
    (archive / "submissions.zip").write_bytes(zipped(*names))
    assert waits() == "nbgrader zip_collect 1-padding"
    nbgrader(course, *waits().split()[1:])
    assert waits() == ""
    ((name, why),) = problems(status(course))[LEFT_OUT].items()
    assert name == f"submissions/{names[1]}" and why.startswith(
        "is nobody's here (Canvas says 'nobodyknown_888'; import"
    )
    # Now it is somebody's.
    change(course, "fay", lms_user_id="888")
    assert LEFT_OUT not in problems(status(course))
    assert waits() == "nbgrader zip_collect --force 1-padding"
    nbgrader(course, *waits().split()[1:])
    assert waits() == "" and (course / "submitted" / "fay" / "1-padding" / "padding.ipynb").exists()
    # One more, of an earlier time than what was unpacked, is moved here.
    (course / "more.zip").write_bytes(zipped("rossbob_102_5003_padding.ipynb"))
    os.utime(course / "more.zip", (1, 1))
    (course / "more.zip").rename(archive / "more.zip")
    assert waits() == "nbgrader zip_collect --force 1-padding"
