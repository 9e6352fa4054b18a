"""Outcomes that come at one moment are read together; none of them waits for one that takes longer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from domain.chat import ChatFailure, ChatOutcome, FailureReason
from workers.adapters.openai.pending_calls import Call, PendingCalls
from workers.portal import Portal


@pytest.fixture
def portal() -> Iterator[Portal]:
    portal = Portal()
    yield portal
    portal.close()


def test_what_comes_at_one_moment_is_read_together(portal: Portal) -> None:
    calls = PendingCalls(portal, [_at_once(key) for key in "abc"])
    first = next(calls)
    assert [outcome.key for outcome in (first, *calls.arrived())] == ["a", "b", "c"]
    assert (list(calls), calls.arrived()) == ([], [])


def test_each_can_be_read_by_itself(portal: Portal) -> None:
    calls = PendingCalls(portal, [_at_once(key) for key in "abc"], settled=[_outcome("settled")])
    assert [outcome.key for outcome in calls] == ["settled", "a", "b", "c"]


def test_what_has_come_does_not_wait_for_what_takes_longer(portal: Portal) -> None:
    go_on = asyncio.Event()

    async def slow() -> ChatOutcome:
        await go_on.wait()
        return _outcome("slow")

    async def let_go() -> None:
        go_on.set()

    calls = PendingCalls(portal, [slow, _at_once("quick")])
    assert [outcome.key for outcome in (next(calls), *calls.arrived())] == ["quick"]
    portal.call(let_go)
    assert [outcome.key for outcome in calls] == ["slow"]


def _at_once(key: str) -> Call:
    async def call() -> ChatOutcome:
        return _outcome(key)

    return call


def _outcome(key: str) -> ChatOutcome:
    return ChatFailure(key=key, reason=FailureReason.MALFORMED, detail="")
