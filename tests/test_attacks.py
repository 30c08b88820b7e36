"""No submission gets more than its functions earn, learns or reaches what it should not, or costs another anything."""

import pytest
from attacks import all_attacks
from attacks.course import HIDDEN, NEIGHBOURS, ROOT, SECRET, grade

ATTACKS = all_attacks()


@pytest.fixture(scope="session")
def graded(tmp_path_factory):
    """One run over the whole class, with short limits of time."""
    root = tmp_path_factory.mktemp("attacks")
    return grade(ATTACKS, root, ROOT / "nbgrader_config.py", "--Execute.timeout=4", "--Execute.notebook_seconds=40")


def test_the_catalogue_is_whole():
    assert len(ATTACKS) >= 52
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_gets_what_honest_work_gets_and_nothing_else(graded, attack):
    score = graded.scores[attack.student]
    assert score is not None and score <= attack.honest
    if attack.exactly:
        assert score == attack.honest
    pages = graded.pages(attack.student)
    assert pages
    assert SECRET not in pages
    assert not [words for words in HIDDEN if words in pages]
    assert not [file.name for file in graded.place.loot.iterdir() if attack.student in file.name]
    assert attack.student.encode() not in graded.heard


@pytest.mark.parametrize("student", NEIGHBOURS)
def test_the_neighbours_have_all_their_points(graded, student):
    assert graded.scores[student] == 12


def test_the_run_went_on_to_its_end_and_left_nothing_behind(graded):
    assert graded.code == 0, graded.output[-3000:]
    assert graded.survivors == []
    assert not list(graded.place.loot.iterdir())
