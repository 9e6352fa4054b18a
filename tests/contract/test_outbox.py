"""What every outbox does."""

from __future__ import annotations

from threading import Barrier, Thread

from domain.event import Event
from tests.support.factories import MOMENT, completed_body, deliberation, event, opened
from tests.support.in_memory.clock import MemoryClock
from tests.support.stores import MakeStores, Stores


def test_an_empty_outbox_has_nothing_pending(stores: Stores) -> None:
    assert stores.outbox.pending(10) == ()
    assert stores.outbox.put([]) == ()
    stores.outbox.published([])


def test_events_wait_oldest_first_whatever_the_order_of_saving(stores: Stores) -> None:
    events = [event(occurred_at=MOMENT + late) for late in (3.5, -20.0, 0.000001, 0.0)]
    stores.outbox.put(events)
    assert stores.outbox.pending(10) == (events[1], events[3], events[2], events[0])
    assert stores.outbox.pending(2) == (events[1], events[3])
    assert stores.outbox.pending(0) == ()


def test_an_event_comes_back_with_all_it_holds(stores: Stores) -> None:
    later = {"ä": [1, 2.5, None, True, {"deep": "\u2028 \x00 \U0001f600"}], "big": 2**60}
    saved = event(
        body=completed_body(**later),
        correlation_id="c",
        causation_id="m",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    stores.outbox.put([saved])
    assert stores.outbox.pending(1) == (saved,)


def test_published_events_are_forgotten_and_unknown_ids_ignored(stores: Stores) -> None:
    first, second = event(), event()
    stores.outbox.put([first, second])
    stores.outbox.published([first.event_id, "e-unknown"])
    stores.outbox.published([first.event_id])
    assert stores.outbox.pending(10) == (second,)


def test_putting_returns_what_is_new_and_leaves_what_waits_as_it_is(stores: Stores) -> None:
    first, other = event(), event()
    changed = first.model_copy(update={"body": completed_body(other=1), "occurred_at": MOMENT - 1})
    assert stores.outbox.put([first]) == (first,)
    assert stores.outbox.put([changed, other, other]) == (other,)
    assert sorted(stores.outbox.pending(10), key=_id) == sorted([first, other], key=_id)


def test_what_was_put_once_is_not_put_again_after_it_was_published(stores: Stores) -> None:
    saved = event()
    stores.outbox.put([saved])
    stores.outbox.published([saved.event_id])
    assert stores.outbox.put([saved]) == ()
    assert stores.outbox.pending(10) == ()


def test_the_claim_of_a_put_ends_with_retention_and_what_waits_stays(
    make_stores: MakeStores, clock: MemoryClock
) -> None:
    stores = make_stores(clock, retention_s=60)
    saved, waiting = event(), event()
    stores.outbox.put([saved, waiting])
    stores.outbox.published([saved.event_id])
    clock.advance(59)
    assert stores.outbox.put([saved]) == ()
    clock.advance(1)
    assert stores.outbox.put([saved, waiting]) == (saved,)
    assert _pending(stores) == {saved.event_id, waiting.event_id}


def test_what_is_pending_and_put_again_claims_its_id_anew(make_stores: MakeStores, clock: MemoryClock) -> None:
    stores = make_stores(clock, retention_s=60)
    late = event()
    stores.outbox.put([late])
    clock.advance(61)
    assert stores.outbox.put([late]) == (), "it is pending, whatever became of its claim"
    stores.outbox.published([late.event_id])
    clock.advance(30)
    assert stores.outbox.put([late]) == ()
    clock.advance(30)
    assert stores.outbox.put([late]) == (late,)


def test_an_entrys_event_needs_no_claim_and_claims_its_id(stores: Stores) -> None:
    saved, again = event(), event()
    stores.outbox.put([saved])
    stores.outbox.published([saved.event_id])
    begun = deliberation()
    stores.deliberations.record(begun.deliberation_id, opened(begun), events=[saved, again])
    assert _pending(stores) == {saved.event_id, again.event_id}
    assert stores.outbox.put([again]) == ()
    stores.outbox.published([again.event_id])
    assert stores.outbox.put([again]) == ()


def test_of_many_who_put_the_same_event_one_has_put_it(stores: Stores) -> None:
    saved = event()
    together = Barrier(16)
    answers: list[tuple[Event, ...]] = []

    def put() -> None:
        together.wait()
        answers.append(stores.outbox.put([saved]))

    threads = [Thread(target=put) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers, key=len) == [*[()] * 15, (saved,)]


def test_thousands_of_events_wait_without_loss(stores: Stores) -> None:
    events = [event(occurred_at=MOMENT + number) for number in range(3000)]
    assert stores.outbox.put(events) == tuple(events)
    assert stores.outbox.pending(10_000) == tuple(events)
    stores.outbox.published([older.event_id for older in events[:-1]])
    assert stores.outbox.pending(10_000) == (events[-1],)


def _id(saved: Event) -> str:
    return saved.event_id


def _pending(stores: Stores) -> set[str]:
    return {saved.event_id for saved in stores.outbox.pending(1000)}


def test_what_waits_is_counted(stores: Stores) -> None:
    assert stores.outbox.count() == 0
    events = [event() for _ in range(3)]
    stores.outbox.put(events)
    stores.outbox.put(events[:1])
    stores.outbox.published([events[0].event_id])
    assert stores.outbox.count() == 2


def test_what_is_postponed_is_due_when_its_time_has_come(make_stores: MakeStores, clock: MemoryClock) -> None:
    stores = make_stores(clock)
    first, second, third = events = [event(occurred_at=MOMENT + late) for late in range(3)]
    stores.outbox.put(events)
    assert stores.outbox.due(10) == (first, second, third)
    stores.outbox.postpone({first.event_id: clock.now() + 60, second.event_id: clock.now() + 120})
    assert stores.outbox.due(10) == (third,)
    assert stores.outbox.due(1) == (third,)
    assert stores.outbox.due(0) == ()
    assert stores.outbox.pending(10) == (first, second, third)
    clock.advance(60)
    assert stores.outbox.due(10) == (first, third)
    assert stores.outbox.due(1) == (first,)


def test_a_later_postponement_replaces_an_earlier_one(make_stores: MakeStores, clock: MemoryClock) -> None:
    stores, saved = make_stores(clock), event()
    stores.outbox.put([saved])
    stores.outbox.postpone({saved.event_id: clock.now() + 60})
    stores.outbox.postpone({saved.event_id: clock.now() + 120})
    clock.advance(60)
    assert stores.outbox.due(10) == ()


def test_what_is_published_is_postponed_no_more(make_stores: MakeStores, clock: MemoryClock) -> None:
    stores, saved = make_stores(clock), event()
    stores.outbox.put([saved])
    stores.outbox.postpone({saved.event_id: clock.now() + 60, "e-unknown": clock.now() + 60})
    stores.outbox.postpone({})
    stores.outbox.published([saved.event_id])
    begun = deliberation()
    stores.deliberations.record(begun.deliberation_id, opened(begun), events=[saved])
    assert stores.outbox.due(10) == (saved,)
