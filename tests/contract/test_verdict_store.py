"""What every verdict store does."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest

from domain.contract import CompletedBody
from domain.errors import VerdictsChanged
from tests.support.factories import MOMENT, closed, completed_body, deliberation, event, fresh, opened, verdict
from tests.support.in_memory.clock import MemoryClock
from tests.support.stores import MakeStores, Stores
from workers.adapters.clock import SystemClock
from workers.processes.readiness import wait_until


def decided(stores: Stores, body: CompletedBody | None = None) -> str:
    """Open a deliberation and decide it; return its id."""
    begun = deliberation()
    stores.deliberations.record(begun.deliberation_id, opened(begun))
    stores.deliberations.record(begun.deliberation_id, closed(result=body or completed_body()))
    return begun.deliberation_id


def awaiting(due_at: float) -> CompletedBody:
    return completed_body(awaiting_verdict=True, counts_at=due_at)


def test_verdicts_come_back_as_they_were_in_the_order_of_their_recording(stores: Stores) -> None:
    identity = decided(stores)
    first = verdict(identity, reason="é\u2028\x00 {} \U0001f600", said_at=0.1 + 0.2, added_later={"n": 2**60})
    second = verdict(identity, by="bob", verdict="reject", proposal_id=None, at=MOMENT + 1)
    assert stores.verdicts.of(identity) == ()
    assert stores.verdicts.record(first, after=0) == first
    assert stores.verdicts.record(second, after=1) == second
    assert stores.verdicts.of(identity) == (first, second)
    assert stores.verdicts.of(decided(stores)) == ()


def test_the_first_verdict_under_an_id_stands_with_its_events_and_counters(stores: Stores) -> None:
    identity = decided(stores)
    first, told = verdict(identity), event()
    stores.verdicts.record(first, after=0, events=[told], counters={"a": 2, "b": -3})
    other = first.model_copy(update={"verdict": "reject"})
    assert stores.verdicts.record(other, after=1, events=[event()], counters={"a": 5}) == first
    assert stores.verdicts.record(other, after=0, events=[event()]) == first, "whatever it was to come after"
    assert stores.verdicts.counts() == {"a": 2, "b": -3}
    assert stores.outbox.pending(9) == (told,)
    assert stores.deliberations.counts() == {}, "counted apart"


@pytest.mark.parametrize("after", [0, 2])
def test_who_does_not_know_every_verdict_before_writes_nothing(stores: Stores, after: int) -> None:
    identity = decided(stores)
    stores.verdicts.record(verdict(identity), after=0)
    with pytest.raises(VerdictsChanged, match=identity):
        stores.verdicts.record(verdict(identity), after=after, events=[event()], counters={"a": 1})
    assert len(stores.verdicts.of(identity)) == 1
    assert stores.outbox.pending(9) == ()
    assert stores.verdicts.counts() == {}


def test_what_has_not_ended_is_not_judged(stores: Stores) -> None:
    begun = deliberation()
    stores.deliberations.record(begun.deliberation_id, opened(begun))
    for identity in (begun.deliberation_id, fresh("d")):
        with pytest.raises(LookupError, match=identity):
            stores.verdicts.record(verdict(identity), after=0)
        assert stores.verdicts.of(identity) == ()


def test_a_decision_awaits_its_verdict_until_one_settles_it(stores: Stores, clock: MemoryClock) -> None:
    later, sooner = (decided(stores, awaiting(MOMENT + seconds)) for seconds in (20, 10))
    decided(stores)
    assert stores.verdicts.count_awaiting() == 2
    assert stores.verdicts.overdue(MOMENT + 10, 9) == ()
    assert stores.verdicts.overdue(MOMENT + 21, 9) == (sooner, later)
    assert stores.verdicts.overdue(MOMENT + 21, 1) == (sooner,)
    stores.verdicts.record(verdict(sooner), after=0)
    assert stores.verdicts.count_awaiting() == 2, "an opinion settles nothing"
    stores.verdicts.record(verdict(sooner, counts=False), after=1)
    stores.verdicts.forget(later)
    stores.verdicts.forget(fresh("d"))
    assert stores.verdicts.count_awaiting() == 0


def test_verdicts_are_kept_as_long_as_their_deliberation(make_stores: MakeStores) -> None:
    stores = make_stores(SystemClock(), retention_s=0.5)
    identity = decided(stores)
    stores.verdicts.record(verdict(identity), after=0)
    assert wait_until(lambda: stores.verdicts.of(identity) == (), within=60)
    assert wait_until(lambda: _is_forgotten(stores, identity), within=60)


def test_what_awaits_a_verdict_is_kept_until_that_is_due_and_its_retention_after_it(
    make_stores: MakeStores,
) -> None:
    clock = SystemClock()
    stores = make_stores(clock, retention_s=0.2)
    kept, ended = decided(stores, awaiting(clock.now() + 3600)), decided(stores)
    assert wait_until(lambda: _is_forgotten(stores, ended), within=60)
    stores.verdicts.record(verdict(kept), after=0)
    assert not _is_forgotten(stores, kept)
    assert len(stores.verdicts.of(kept)) == 1


def test_of_many_who_judge_at_once_one_settles(stores: Stores) -> None:
    """Each looks at the verdicts, and settles where nobody has; who was overtaken looks again."""
    identity = decided(stores, awaiting(MOMENT))
    together = Barrier(12)
    failures: list[BaseException] = []

    def judge(number: int) -> None:
        together.wait()
        while True:
            before = stores.verdicts.of(identity)
            settles = all(one.counts is None for one in before)
            mine = verdict(identity, by=f"p-{number}", counts=number % 2 == 0 if settles else None)
            try:
                stores.verdicts.record(mine, after=len(before), events=[event()], counters={"judged": 1})
                return
            except VerdictsChanged:
                continue
            except BaseException as error:
                failures.append(error)
                return

    threads = [Thread(target=judge, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    verdicts = stores.verdicts.of(identity)
    assert len(verdicts) == 12
    assert len([one for one in verdicts if one.counts is not None]) == 1
    assert stores.verdicts.counts() == {"judged": 12}
    assert stores.outbox.count() == 12
    assert stores.verdicts.count_awaiting() == 0


def _is_forgotten(stores: Stores, identity: str) -> bool:
    try:
        stores.deliberations.load(identity)
    except LookupError:
        return True
    return False
