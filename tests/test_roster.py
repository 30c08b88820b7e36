"""`convblocks roster`: right rows reach the gradebook, wrong ones are named with their line, and no grade is touched."""

import json
import shutil

import pytest
from conftest import CONVBLOCKS, ROOT, run
from nbgrader.api import Gradebook

from grading.roster import compare, import_roster, read_roster

HEADER = "id,first_name,last_name,email,lms_user_id\n"
ADA = "ada,Ada,Lovelace,ada@example.org,101\n"
BOB = "bob,Bob,Ross,bob@example.org,102\n"


@pytest.fixture
def roster(tmp_path):
    """Reads a roster of these bytes, or of this text."""

    def read(content):
        (tmp_path / "roster.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_roster(tmp_path / "roster.csv")

    return read


@pytest.mark.parametrize(
    "content",
    [
        HEADER + ADA + BOB,
        (HEADER + ADA + BOB).encode("utf-8-sig"),
        (HEADER + ADA + BOB).replace(",", ";"),
        (HEADER + ADA + BOB).replace(",", "\t"),
        (HEADER + ADA + BOB).replace("\n", "\r\n"),
        (HEADER + ADA + BOB).replace("\n", "\r"),
        (HEADER + ADA + BOB).rstrip(),
        # As spreadsheets write it: other columns, other cases, a column without a name, empty lines.
        "Last Name;E-mail 2;ID;Email;LMS User ID;First name;\nLovelace;x;ada;ada@example.org;101; Ada ;\n"
        ";;;;;;\n\nRoss;;bob;bob@example.org;102;Bob;\n",
    ],
)
def test_a_roster_is_read_as_spreadsheets_write_it(roster, content):
    read = roster(content)
    assert not read.wrong
    ada, bob = read.rows.values()
    assert list(ada.values()) == ["ada", "Ada", "Lovelace", "ada@example.org", "101"]
    assert list(ada) == HEADER.strip().split(",") and bob["id"] == "bob"


WRONG = {
    "no id": (",Eve,Moran,eve@example.org,\n", "line 2: it has no id"),
    "no folder": ("../eve,,,,\n", "line 2: its id (../eve) cannot be the id of a student"),
    "a pattern": ("e*e,,,,\n", "line 2: its id (e*e) cannot be the id of a student"),
    "a dash": ("-eve,,,,\n", "line 2: its id (-eve) would be a formula"),
    "a formula": ("eve,,,,=1+1\n", "line 2: its lms_user_id (=1+1) would be a formula"),
    "no address": ("eve,,,eve.example.org,\n", "line 2: its email (eve.example.org) is no address"),
    "two addresses": ("eve,,,eve@x.org eve@y.org,\n", "line 2: its email (eve@x.org eve@y.org) is no address"),
    "a field too few": ("eve,Eve,Moran,eve@example.org\n", "line 2: it has 4 fields, and the first line has 5"),
    "a field too many": ("eve,Eve,Moran, PhD,eve@example.org,\n", "line 2: it has 6 fields, and the first line has 5"),
    "latin-1": ("eve,Ève,Moran,,\n".encode("latin-1"), "line 2: its first_name is not in UTF-8"),
    "a bell": ("eve,E\ave,Moran,,\n", r"line 2: its first_name ('E\x07ve') has characters that cannot be seen"),
    "too long": (f"{'e' * 129},,,,\n", "line 2: its id is longer than 128 characters"),
    "a quotation mark": ('eve,"Eve" M,,,\n', "line 2: it has a quotation mark that does not fit"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_row_is_named_with_its_line_and_the_others_are_right(roster, name):
    row, said = WRONG[name]
    read = roster(HEADER.encode() + (row if isinstance(row, bytes) else row.encode()) + BOB.encode())
    assert [f"line {one.line}: {one.problem}"[: len(said)] for one in read.wrong] == [said]
    assert all(one.to_do for one in read.wrong)
    assert [row["id"] for row in read.rows.values()] == ["bob"]


@pytest.mark.parametrize(
    ("row", "column"), [("ada,,,,\n", "id"), ("eve,,,ADA@example.org,\n", "email"), ("eve,,,,101\n", "lms_user_id")]
)
def test_of_two_rows_that_say_the_same_neither_is_believed(roster, row, column):
    read = roster(HEADER + ADA + BOB + row)
    assert [(one.line, one.problem.split()[1], one.problem.split(" is in ")[1]) for one in read.wrong] == [
        (2, column, "line 4, too"),
        (4, column, "line 2, too"),
    ]
    assert [row["id"] for row in read.rows.values()] == ["bob"]


def test_ids_that_differ_in_capitals_alone_are_a_question(roster):
    read = roster(HEADER + ADA + BOB + "ADA,,,,\n")
    assert [(one.line, one.problem) for one in read.wrong] == [
        (2, "its id (ada) and that in line 4 (ADA) differ in capitals alone"),
        (4, "its id (ADA) and that in line 2 (ada) differ in capitals alone"),
    ]
    assert [row["id"] for row in read.rows.values()] == ["bob"]


def test_lines_that_a_quotation_mark_has_swallowed_are_named(roster):
    read = roster(HEADER + 'eve,"Eve,,,\n' + ADA + BOB + 'fay,"Fay",,,\n' + "gil,,,,\n")
    assert [(one.line, one.problem) for one in read.wrong] == [
        (2, "it has a quotation mark that does not fit (all up to line 5 is taken for this row)")
    ]
    assert list(read.rows) == [6]
    read = roster(HEADER + ADA + 'eve,"Eve,,,\n' + BOB)
    assert [one.line for one in read.wrong] == [3] and "all up to line" in read.wrong[0].problem


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "there is no column id"),
        ("name,email\nada,ada@example.org\n", "there is no column id"),
        ("id,email,email\nada,a@b,c@d\n", "there are two columns email"),
        ("id,first_name\nada,Ada\n".encode("utf-16"), "the file is not in UTF-8"),
    ],
)
def test_a_file_without_its_columns_is_no_roster(roster, content, said):
    read = roster(content)
    assert [(one.line, one.problem) for one in read.wrong] == [(1, said)] and not read.rows


def test_a_gradebook_from_canvas_is_no_roster_until_its_columns_are_named(roster):
    header = "Student,ID,SIS User ID,SIS Login ID,Section,1-padding (123)\n"
    rows = '    Points Possible,,,,,12\n"Lovelace, Ada",101,s-7,ada,A,\n'
    for one in (header, header.replace("SIS User ID,SIS Login ID", "x,y")):
        read = roster(one + rows)
        assert not read.rows and [one.line for one in read.wrong] == [1]
        assert "looks like a gradebook from Canvas" in read.wrong[0].problem
    read = roster(header.replace(",ID,", ",lms_user_id,").replace("SIS Login ID", "id") + rows)
    assert [(row["id"], row["lms_user_id"]) for row in read.rows.values()] == [("ada", "101")]
    assert [one.problem for one in read.wrong] == ["it has no id"]


@pytest.fixture
def course(tmp_path):
    """A course in which cem has been graded, who is in no roster, and ada too."""
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as gradebook:
        gradebook.add_assignment("1-padding")
        gradebook.add_notebook("padding", "1-padding")
        gradebook.add_grade_cell("pad2d", "padding", "1-padding", max_score=6, cell_type="code")
        for student in ("ada", "cem"):
            gradebook.add_student(student, first_name="A.", email="old@example.org" if student == "ada" else None)
            gradebook.add_submission("1-padding", student)
            gradebook.find_grade("pad2d", "padding", "1-padding", student).auto_score = 5
        gradebook.db.commit()
    return tmp_path


def students(course):
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        return {
            one.id: (one.first_name, one.last_name, one.email, one.lms_user_id, one.score) for one in gradebook.students
        }


def test_an_import_adds_and_changes_and_loses_nothing(course, roster):
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        done = import_roster(gradebook, roster("id,last_name,first_name,email\nada,Lovelace,Ada,\nbob,Ross,,\n"))
        assert (done.added, done.changed, done.elsewhere) == (["bob"], ["ada"], ["cem"])
        again = import_roster(gradebook, roster("id,last_name,first_name,email\nada,Lovelace,Ada,\nbob,Ross,,\n"))
        assert (again.added, again.changed, again.elsewhere) == ([], [], ["cem"])
    assert students(course) == {
        # An empty field leaves what is there.
        "ada": ("Ada", "Lovelace", "old@example.org", None, 5),
        "bob": (None, "Ross", None, None, 0),
        "cem": ("A.", None, None, None, 5),
    }


def test_on_the_command_line_nothing_is_imported_unless_all_rows_are_right_or_it_is_asked_for(course):
    before = students(course)
    wrong = "id;first_name;last_name;email;lms_user_id;favourite colour\nada;Ada;Lovelace;;101;blue\n;No;Body;;;\nbob;;;;;\n"
    (course / "class.csv").write_text(wrong)
    code, said = run(course, *CONVBLOCKS, "roster", "class.csv", "--json")
    problem = {"line": 3, "problem": "it has no id"}
    problem["to_do"] = "Give each student one: the name of the folder that submissions come in."
    assert json.loads(said) == {
        "imported": False,
        "wrong": [problem],
        "ignored": ["favourite_colour"],
        "added": [],
        "changed": [],
        "elsewhere": [],
    }
    assert code == 2 and students(course) == before
    code, said = run(course, *CONVBLOCKS, "roster", "class.csv", "--skip-wrong")
    assert code == 1 and said.splitlines() == [
        f"class.csv, line 3: it has no id. {problem['to_do']}",
        "These columns mean nothing here: favourite_colour.",
        "2 students: 1 added, 1 changed, 0 as they were, 1 left out.",
        "In the gradebook, and not in this file: cem. They stay.",
    ]
    assert students(course) == {
        "ada": ("Ada", "Lovelace", "old@example.org", "101", 5),
        "bob": (None, None, None, None, 0),
        "cem": before["cem"],
    }


KNOWN = {"ben": ("ben@x.org", "102"), "cem": ("cem@x.org", "103"), "dan": (None, None)}


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ("yan,Yan,,ben@x.org,\n", {2: "its email (ben@x.org) is ben's in the gradebook"}),
        ("yan,Yan,,BEN@x.org,\n", {2: "its email (BEN@x.org) is ben's in the gradebook"}),
        ("yan,Yan,,,102\n", {2: "its lms_user_id (102) is ben's in the gradebook"}),
        # ben has a row that says nothing of it.
        ("yan,Yan,,,102\nben,Ben,,,\n", {2: "its lms_user_id (102) is ben's in the gradebook"}),
        # What is one's own, or what another row gives away.
        ("ben,Ben,,BEN@x.org,102\n", {}),
        ("ben,Ben,,cem@x.org,103\ncem,Cem,,ben@x.org,102\n", {}),
        ("yan,Yan,,ben@x.org,102\nben,Ben,,new@x.org,202\n", {}),
        # ben's row is wrong, so yan's is, and then zoe's, who would have had what yan does not give away.
        (
            "ben,Ben,,nobody,202\ncem,Cem,,,102\nzoe,Zoe,,,103\ndan,Dan,,,109\n",
            {2: "its email (nobody) is no address", 3: "its lms_user_id (102)", 4: "its lms_user_id (103) is cem's"},
        ),
        ("BEN,Ben,,,\n", {2: "its id (BEN) and ben in the gradebook differ in capitals alone"}),
    ],
)
def test_a_row_that_takes_what_another_student_has_in_the_gradebook_is_wrong(tmp_path, roster, rows, wrong):
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as gradebook:
        for student, (email, number) in KNOWN.items():
            gradebook.add_student(student, email=email, lms_user_id=number)
        read = roster(HEADER + rows)
        compare(gradebook, read)
        found = {one.line: one.problem for one in read.wrong}
        assert found.keys() == wrong.keys() and all(found[line].startswith(said) for line, said in wrong.items())
        assert all(one.to_do for one in read.wrong)
        import_roster(gradebook, read)
        for name in ("email", "lms_user_id"):
            values = [getattr(one, name) for one in gradebook.students if getattr(one, name)]
            assert len(values) == len(set(values))


def test_a_row_that_takes_what_another_has_is_not_imported_on_the_command_line(course):
    before = students(course)
    (course / "class.csv").write_text("id,email\nyan,old@example.org\nZed,\n")
    code, said = run(course, *CONVBLOCKS, "roster", "class.csv")
    assert code == 2 and students(course) == before
    assert said.splitlines() == [
        "class.csv, line 2: its email (old@example.org) is ada's in the gradebook. Whose is it? Change it in this row, or "
        "give ada another one in this file.",
        "Nothing was imported. Mend these rows, or import the others with --skip-wrong.",
    ]
    code, said = run(course, *CONVBLOCKS, "roster", "class.csv", "--skip-wrong")
    assert code == 1 and students(course).keys() == {*before, "Zed"}


def test_without_a_gradebook_a_wrong_row_makes_none(tmp_path):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    (tmp_path / "class.csv").write_text("id\nada\nADA\n")
    assert run(tmp_path, *CONVBLOCKS, "roster", "class.csv")[0] == 2
    assert not (tmp_path / "gradebook.db").exists()
