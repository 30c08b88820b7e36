"""The attacks bite: what each says that it does on stock nbgrader is seen there, by the eyes that look at our own run."""

import pytest
from attacks import all_attacks, asked_for
from seen import remember
from stock import grade_attacks, shown

ATTACKS = shown(all_attacks())


@pytest.fixture(scope="session")
def graded(tmp_path_factory, request):
    """The runs of stock by name of the attack: over all that this session's tests ask for."""
    asked = asked_for(request, __file__)
    runs = grade_attacks(asked, tmp_path_factory.mktemp("stock"))
    remember("attacks on stock", {one.name: sorted(runs[one.name].effects(one)) for one in asked})
    return runs


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_works_on_stock(graded, attack):
    assert attack.on_stock in graded[attack.name].effects(attack), graded[attack.name].output[-2000:]
