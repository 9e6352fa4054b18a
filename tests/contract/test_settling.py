"""An awaited decision is settled once, whoever looks at it at the same moment, over every store."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Barrier, Thread

import pytest

from domain.contract import JudgedBody
from domain.steps.judge import judge_decision, settle_overdue
from domain.verdict import TIMEOUT, standing
from tests.support.factories import closed, completed_body, deliberation, opened, said_verdict
from tests.support.in_memory.clock import MemoryClock
from tests.support.in_memory.event_publisher import MemoryEventPublisher
from tests.support.stores import Stores

WORKERS = 6
PERSONS = ("ada", "bob", "eve")


class Office:
    """Workers and bridges over one store."""

    def __init__(self, stores: Stores, clock: MemoryClock) -> None:
        self.stores, self.clock = stores, clock
        self.publisher = MemoryEventPublisher()

    def decide(self) -> str:
        begun = deliberation()
        body = completed_body(
            deliberation_id=begun.deliberation_id, awaiting_verdict=True, expires_at=self.clock.now() + 10
        )
        self.stores.deliberations.record(begun.deliberation_id, opened(begun))
        self.stores.deliberations.record(begun.deliberation_id, closed(result=body))
        return begun.deliberation_id

    def settle(self) -> None:
        settle_overdue(
            deliberations=self.stores.deliberations,
            verdicts=self.stores.verdicts,
            outbox=self.stores.outbox,
            publisher=self.publisher,
            clock=self.clock,
        )

    def judge(self, deliberation_id: str, by: str, verdict_id: str) -> None:
        judge_decision(
            said_verdict(deliberation_id, by=by, verdict_id=verdict_id, said_at=self.clock.now()),
            deliberations=self.stores.deliberations,
            verdicts=self.stores.verdicts,
            continuity=self.stores.continuity,
            outbox=self.stores.outbox,
            publisher=self.publisher,
            clock=self.clock,
        )

    def told(self, deliberation_id: str) -> list[JudgedBody]:
        """Return what a consumer reads, each event once."""
        bodies = (event.body for event in self.publisher.read)
        judged = [body for body in bodies if isinstance(body, JudgedBody)]
        return [body for body in judged if body.deliberation_id == deliberation_id]


@pytest.mark.parametrize("persons", [(), PERSONS])
def test_of_many_workers_and_persons_one_settles(
    stores: Stores, clock: MemoryClock, persons: tuple[str, ...]
) -> None:
    office = Office(stores, clock)
    for _ in range(4):
        identity = office.decide()
        clock.advance(11)
        acts: list[Callable[[], None]] = [office.settle] * WORKERS
        # Each message is delivered twice, to two bridges at once.
        acts += [partial(office.judge, identity, by, f"v-{by}-{identity}") for by in persons * 2]
        at_once(acts)
        settled = [body for body in office.told(identity) if body.counts is not None]
        assert len(settled) == 1
        assert (settled[0].by == TIMEOUT) is not settled[0].counts, "the clock's expires, a person's counts"
        verdicts = stores.verdicts.of(identity)
        assert [one.verdict_id for one in verdicts if one.counts is not None] == [settled[0].verdict_id]
        assert sorted(standing(verdicts)) == sorted(persons)
        assert len(verdicts) == len(persons) + (settled[0].by == TIMEOUT)
        assert {body.verdict_id for body in office.told(identity)} == {one.verdict_id for one in verdicts}
    assert stores.verdicts.count_awaiting() == 0
    assert stores.outbox.count() == 0


def test_what_a_killed_worker_had_recorded_is_told_by_the_flush(stores: Stores, clock: MemoryClock) -> None:
    """A worker that dies between recording and publishing leaves the event in the outbox, nothing to settle."""
    office = Office(stores, clock)
    identity = office.decide()
    clock.advance(11)
    office.publisher.away = True
    office.settle()
    office.publisher.away = False
    office.settle()
    assert office.told(identity) == []
    (event,) = stores.outbox.pending(9)
    assert isinstance(event.body, JudgedBody)
    assert event.body.by == TIMEOUT


def at_once(acts: list[Callable[[], None]]) -> None:
    """Run everything on a thread of its own, begun together."""
    together = Barrier(len(acts))
    failures: list[BaseException] = []

    def run(act: Callable[[], None]) -> None:
        together.wait()
        try:
            act()
        except BaseException as failure:
            failures.append(failure)

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
