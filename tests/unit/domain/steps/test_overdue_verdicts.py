"""Decisions that await a verdict: who settles whether they count, and when the clock does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from domain.contract import CompletedBody
from domain.people import people_figures
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.verdict_store import VerdictStore
from domain.record import Record
from domain.verdict import TIMEOUT, Verdict, VerdictRules
from tests.support.in_memory.deliberation_store import MemoryDeliberationStore
from tests.support.judging import says, staged, told
from tests.support.stage import decision_of

HOUR = 3600.0
AWAITING = VerdictRules(within_s=HOUR)
EXPIRING = VerdictRules(within_s=HOUR, overdue="expires")


class Overtaken:
    """A VerdictStore before whose answer another judges, once."""

    def __init__(self, store: VerdictStore, other: Callable[[], object]) -> None:
        self._store = store
        self._others = [other]

    def of(self, deliberation_id: str) -> tuple[Verdict, ...]:
        seen = self._store.of(deliberation_id)
        if self._others:
            self._others.pop()()
        return seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class Unreadable:
    """A DeliberationStore that can't read one of its records."""

    def __init__(self, store: DeliberationStore, deliberation_id: str) -> None:
        self._store = store
        self._deliberation_id = deliberation_id

    def load(self, deliberation_id: str) -> Record:
        if deliberation_id == self._deliberation_id:
            raise ConnectionError("scripted")
        return self._store.load(deliberation_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_without_a_rule_a_decision_awaits_nothing() -> None:
    stage, identity = staged()
    decision = decision_of(stage.record(identity))
    assert (decision.awaiting_verdict, decision.counts_at, decision.expires_at) == (False, None, None)
    stage.clock.advance(100 * HOUR)
    assert stage.settle_overdue() == 0
    assert told(stage) == []


@pytest.mark.parametrize(
    ("rules", "due", "verdict", "counts"),
    [(AWAITING, "counts_at", "accept", True), (EXPIRING, "expires_at", "reject", False)],
)
def test_a_decision_that_nobody_judges_counts_or_expires_once(
    rules: VerdictRules, due: str, verdict: str, counts: bool
) -> None:
    stage, identity = staged(rules)
    (completed,) = stage.news.bodies(CompletedBody)
    assert completed.awaiting_verdict
    assert getattr(completed, due) == completed.verdict_due_at == completed.timestamp + HOUR
    stage.clock.advance(HOUR - 1)
    assert stage.settle_overdue() == 0
    stage.clock.advance(2)
    assert stage.settle_overdue() == 1
    assert stage.settle_overdue() == 0
    (body,) = told(stage)
    assert (body.by, body.verdict, body.counts) == (TIMEOUT, verdict, counts)
    assert people_figures(stage.services.verdicts.counts()).overdue == 1
    assert people_figures(stage.services.verdicts.counts()).councils == {}, "the clock is no person"
    assert stage.services.verdicts.of(identity)[0].by == TIMEOUT


@pytest.mark.parametrize(("verdict", "counts"), [("accept", True), ("reject", False), ("prefer", True)])
def test_the_first_verdict_settles_whether_a_decision_counts(verdict: str, counts: bool) -> None:
    stage, identity = staged(AWAITING)
    proposal = "agent-2" if verdict == "prefer" else ""
    stage.judge(says(stage, identity, verdict=verdict, proposal=proposal))
    stage.clock.advance(1)
    stage.judge(says(stage, identity, "bob", verdict="reject"))
    stage.clock.advance(2 * HOUR)
    stage.settle_overdue()
    assert [body.counts for body in told(stage)] == [counts, None]
    assert stage.services.verdicts.count_awaiting() == 0


def test_a_verdict_after_the_time_ran_out_is_an_opinion() -> None:
    stage, identity = staged(EXPIRING)
    stage.clock.advance(2 * HOUR)
    stage.settle_overdue()
    stage.judge(says(stage, identity))
    assert [(body.by, body.counts) for body in told(stage)] == [(TIMEOUT, False), ("ada", None)]
    assert people_figures(stage.services.verdicts.counts()).accepted == 1


@pytest.mark.parametrize("first", ["clock", "person"])
def test_of_a_person_and_the_clock_that_race_the_first_settles(first: str) -> None:
    """The second of them has looked at the verdicts before the first recorded its own."""
    stage, identity = staged(AWAITING)
    stage.clock.advance(2 * HOUR)
    acts: dict[str, Callable[[], object]] = {
        "clock": stage.settle_overdue,
        "person": lambda: stage.judge(says(stage, identity, verdict="reject")),
    }
    overtaken = Overtaken(stage.services.verdicts, acts.pop(first))
    (second,) = acts.values()
    stage.services = replace(stage.services, verdicts=cast(VerdictStore, overtaken))
    second()
    settled = [body.by for body in told(stage) if body.counts is not None]
    assert settled == ([TIMEOUT] if first == "clock" else ["ada"])


def test_what_is_past_its_retention_is_awaited_no_more() -> None:
    stage, _ = staged(AWAITING)
    stage.clock.advance(2 * HOUR)
    lost = MemoryDeliberationStore(clock=stage.clock, outbox=stage.outbox)
    stage.services = replace(stage.services, deliberations=lost)
    stage.settle_overdue()
    assert stage.services.verdicts.count_awaiting() == 0
    assert told(stage) == []


def test_one_decision_that_cannot_be_settled_keeps_no_other_from_it() -> None:
    stage, identity = staged(AWAITING)
    other = stage.play().deliberation.deliberation_id
    stage.clock.advance(2 * HOUR)
    stage.services = replace(
        stage.services, deliberations=cast(DeliberationStore, Unreadable(stage.services.deliberations, identity))
    )
    with pytest.raises(ConnectionError, match="scripted"):
        stage.settle_overdue()
    assert [body.deliberation_id for body in told(stage)] == [other]
