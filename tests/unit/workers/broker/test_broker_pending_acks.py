"""Pending tags are handed out once, and are pending again when settling fails."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.broker.pending_acks import PendingAcks

tags = st.sets(st.text(min_size=1), max_size=5)


@given(tags)
def test_settled_tags_are_no_longer_pending(added: set[str]) -> None:
    acks = _pending(added)
    with acks.settling() as settled:
        assert settled == added
    assert not acks


@given(tags, tags)
def test_tags_that_could_not_be_settled_are_pending_with_those_that_came_meanwhile(
    added: set[str], meanwhile: set[str]
) -> None:
    acks = _pending(added)
    with pytest.raises(ConnectionError):
        _fail_to_settle(acks, meanwhile)
    assert acks.pending() == added | meanwhile


def test_a_thread_that_waits_is_woken_by_a_tag() -> None:
    acks = PendingAcks()
    assert not acks.arrived.is_set()
    thread = threading.Thread(target=acks.add, args=("tag",))
    thread.start()
    assert acks.arrived.wait(5.0)
    thread.join()
    with acks.settling():
        assert not acks.arrived.is_set()


def _fail_to_settle(acks: PendingAcks, meanwhile: set[str]) -> None:
    with acks.settling():
        for tag in meanwhile:
            acks.add(tag)
        raise ConnectionError


def _pending(added: set[str]) -> PendingAcks:
    acks = PendingAcks()
    for tag in added:
        acks.add(tag)
    return acks
