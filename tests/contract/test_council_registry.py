"""What every council registry does."""

from __future__ import annotations

from tests.support.factories import agent, council
from tests.support.stores import Stores


def test_an_empty_registry_has_no_councils(stores: Stores) -> None:
    assert stores.councils.all() == ()


def test_a_saved_council_comes_back_with_all_it_holds(stores: Stores) -> None:
    wise = council("Архитектор {ops}", size=16, architect=agent("chief", temperature=0.0, model=None))
    stores.councils.save(wise)
    assert stores.councils.all() == (wise,)


def test_councils_come_ordered_by_role(stores: Stores) -> None:
    for role in ("QA", "ARCHITECT", "dev", "DEV", "Ärzte"):
        stores.councils.save(council(role))
    assert [kept.role for kept in stores.councils.all()] == ["ARCHITECT", "DEV", "QA", "dev", "Ärzte"]


def test_a_council_takes_the_place_of_its_roles_earlier_one(stores: Stores) -> None:
    stores.councils.save(council("DEV", size=3))
    stores.councils.save(council("DEV", size=5))
    assert stores.councils.all() == (council("DEV", size=5),)


def test_a_deleted_council_is_gone_and_deleting_says_whether_there_was_one(stores: Stores) -> None:
    stores.councils.save(council("DEV"))
    stores.councils.save(council("QA"))
    assert stores.councils.delete("DEV")
    assert not stores.councils.delete("DEV")
    assert [kept.role for kept in stores.councils.all()] == ["QA"]
