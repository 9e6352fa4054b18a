"""What every place for parked tasks and messages does."""

from __future__ import annotations

from domain.parked import Parked
from tests.support.stores import Stores


def message(parked_id: str, *, at: float = 1.0, raw: bytes = b'{"body": "\xff"}') -> Parked:
    return Parked(parked_id=parked_id, at=at, queue="control", reason="unusable", message=raw.hex())


def task(parked_id: str, *, at: float = 1.0) -> Parked:
    return Parked(
        parked_id=parked_id, at=at, queue="control", reason="lost", task="deliberation.conclude", subject="d-1"
    )


def test_at_first_nothing_is_parked(stores: Stores) -> None:
    assert stores.parking.all() == ()
    assert stores.parking.count() == 0


def test_what_is_parked_comes_back_oldest_first_and_once(stores: Stores) -> None:
    later, earlier = task("b", at=2.0), message("a", at=1.0)
    for parked in (later, earlier, later.model_copy(update={"at": 0.5})):
        stores.parking.put(parked)
    assert stores.parking.all() == (earlier, later)
    assert stores.parking.count() == 2


def test_a_message_goes_back_once(stores: Stores) -> None:
    stores.parking.put(message("a"))
    assert stores.parking.requeue("a")
    assert not stores.parking.requeue("a")
    assert stores.parking.count() == 0


def test_a_task_without_its_message_stays(stores: Stores) -> None:
    stores.parking.put(task("a"))
    assert not stores.parking.requeue("a")
    assert not stores.parking.requeue("none")
    assert stores.parking.count() == 1


def test_dropping_says_whether_there_was_one(stores: Stores) -> None:
    stores.parking.put(task("a"))
    assert stores.parking.drop("a")
    assert not stores.parking.drop("a")
    assert stores.parking.all() == ()
