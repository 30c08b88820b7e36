"""No submission gets more than its functions earn, learns or reaches what it should not, or costs another anything."""

import pytest
from attacks import KERAS, PADDING, THREATS, all_attacks, asked_for, words
from attacks.course import CONVBLOCKS, NBGRADER, NEIGHBOURS, ROOT, ask_keras, grade
from seen import remember

ATTACKS = all_attacks()
LESSONS = list(dict.fromkeys(attack.lesson for attack in ATTACKS))

COMMANDS = {PADDING: CONVBLOCKS, KERAS: NBGRADER}
"""What each lesson's class is graded with: by two workers at once, and one after another in nbgrader's own process."""


CROSSED = {
    *("builtins", "prints-result", "told-by-the-next", "gradebook-write", "borrowed-check", "warm-parent"),
    "linked-weights",
}
"""Names of those that are tried on the other command as well; at least one of each way to points or to a neighbour."""


@pytest.fixture(scope="session")
def graded(tmp_path_factory, request):
    """By lesson, one run over all attackers that this session's tests ask for; with short limits of time."""
    root = tmp_path_factory.mktemp("attacks")
    asked = asked_for(request, __file__)
    runs = {}
    for lesson in dict.fromkeys(attack.lesson for attack in asked):
        members = [attack for attack in asked if attack.lesson == lesson]
        runs[lesson] = _grade(members, root / lesson.notebook, COMMANDS[lesson])
    remember("attacks on ours", {one.name: sorted(runs[one.lesson].effects(one)) for one in asked})
    return runs


def _grade(attacks, folder, command):
    """The run of a command over attackers of one lesson, with short limits of time."""
    lesson = attacks[0].lesson
    limits = {
        "timeout": PADDING.seconds,
        "timeout_with_keras": KERAS.seconds,
        "notebook_seconds": 10 * lesson.seconds,
    }
    config = (ROOT / "nbgrader_config.py").read_text()
    config += "".join(f"\nc.Execute.{name} = {seconds}" for name, seconds in limits.items())
    ask_keras()
    return grade(attacks, folder, config, command)


def test_the_catalogue_is_whole():
    assert len(ATTACKS) >= 52
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    assert {attack.name for attack in ATTACKS} >= CROSSED
    assert set().union(*(words(attack.items) for attack in ATTACKS)) == words(THREATS)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_gets_what_honest_work_gets_and_nothing_else(graded, attack):
    _got_what_honest_work_gets(graded[attack.lesson], attack)


@pytest.mark.parametrize(("lesson", "command"), [(PADDING, NBGRADER), (KERAS, CONVBLOCKS)], ids=["padding", "keras"])
def test_the_other_command_is_not_easier_to_attack(tmp_path, lesson, command):
    attacks = [attack for attack in ATTACKS if attack.name in CROSSED and attack.lesson == lesson]
    run = _grade(attacks, tmp_path / "run", command)
    for attack in attacks:
        _got_what_honest_work_gets(run, attack)
    assert run.survivors == []
    assert not list(run.place.loot.iterdir())


def _got_what_honest_work_gets(run, attack):
    score = run.scores[attack.student]
    assert score is not None and score <= attack.honest
    if attack.exactly:
        assert score == attack.honest
    # Whether somebody was stopped is not to be seen from here.
    assert not run.effects(attack) - {"stops"}
    assert {one: run.scores[one] for one in NEIGHBOURS} == dict.fromkeys(NEIGHBOURS, attack.lesson.points)
    assert run.code == 0, run.output[-3000:]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.notebook)
def test_nothing_that_is_kept_is_larger_than_a_browser_opens(graded, lesson):
    course = graded[lesson].place.course
    kept = {
        path: path.stat().st_size
        for path in (*course.rglob("autograded/*/*/*.ipynb"), *course.rglob("feedback/*/*/*.html"))
    }
    assert kept
    assert {path.parts[-3]: size for path, size in kept.items() if size > 20 * 2**20} == {}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.notebook)
def test_the_run_left_nothing_behind(graded, lesson):
    run = graded[lesson]
    assert run.survivors == []
    assert not list(run.place.loot.iterdir())
