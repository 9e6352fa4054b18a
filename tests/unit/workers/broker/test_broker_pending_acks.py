"""What is owed is handed out once, and owed again when paying fails."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.broker.pending_acks import PendingAcks

tags = st.sets(st.text(min_size=1), max_size=5)


@given(tags)
def test_what_was_paid_is_no_longer_owed(owed: set[str]) -> None:
    arrears = _owing(owed)
    with arrears.paying() as paid:
        assert paid == owed
    assert not arrears


@given(tags, tags)
def test_what_could_not_be_paid_is_owed_with_what_came_meanwhile(owed: set[str], meanwhile: set[str]) -> None:
    arrears = _owing(owed)
    with pytest.raises(ConnectionError):
        _fail_to_pay(arrears, meanwhile)
    assert arrears.owed() == owed | meanwhile


def test_whoever_waits_for_debts_is_woken_by_one() -> None:
    arrears = PendingAcks()
    assert not arrears.incurred.is_set()
    thread = threading.Thread(target=arrears.owe, args=("tag",))
    thread.start()
    assert arrears.incurred.wait(5.0)
    thread.join()
    with arrears.paying():
        assert not arrears.incurred.is_set()


def _fail_to_pay(arrears: PendingAcks, meanwhile: set[str]) -> None:
    with arrears.paying():
        for tag in meanwhile:
            arrears.owe(tag)
        raise ConnectionError


def _owing(owed: set[str]) -> PendingAcks:
    arrears = PendingAcks()
    for tag in owed:
        arrears.owe(tag)
    return arrears
