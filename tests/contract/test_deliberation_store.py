"""What every deliberation store does."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pytest

from domain.chat import FailureReason
from domain.entry import Closed, Entry
from domain.errors import ConclusionTakenOver, DeliberationClosed
from domain.ports.deliberation_store import DeliberationStore
from domain.record import DeliberationState, Record
from tests.support import factories
from tests.support.factories import closed, deliberation, event, fresh, opened, proposed
from tests.support.stores import MakeStores, Stores
from workers.adapters.clock import SystemClock
from workers.processes.readiness import wait_until


@pytest.fixture
def ident(stores: Stores) -> str:
    """An opened deliberation's id."""
    return _open(stores.deliberations)


def _open(store: DeliberationStore) -> str:
    begun = deliberation()
    store.record(begun.deliberation_id, opened(begun))
    return begun.deliberation_id


def test_entries_of_every_kind_come_back_as_they_were(stores: Stores) -> None:
    begun = deliberation(
        size=5, prior_winner="older\n", supersedes="d-older", judges=(factories.judge(), factories.judge())
    )
    entries: list[Entry] = [
        opened(begun),
        proposed("agent-1", text="é\u2028\x00 {} 'lua' \U0001f600", cut_off=True, duration_ms=0.1 + 0.2),
        factories.agent_failed("agent-2"),
        factories.ballot("QA/агент 7", pass_=1, round=2),
        factories.ballot("agent-3", missing="malformed", scores={}, order=("x",)),
        factories.critiqued("agent-1", "p/2"),
        factories.compared("agent-1", "p/2", "p-3"),
        factories.architect_answered(),
        closed(result=factories.completed_body(p_winner=1 / 3, winner=None, big=2**60)),
    ]
    for entry in entries:
        assert stores.deliberations.record(begun.deliberation_id, entry) == entry
    assert stores.deliberations.load(begun.deliberation_id) == Record.of(entries)


def test_answers_are_recorded_together_and_what_was_there_stands(stores: Stores, ident: str) -> None:
    store, first = stores.deliberations, factories.ballot("agent-1")
    store.record(ident, first)
    token = store.take_over(ident)
    others: list[Entry] = [factories.ballot("agent-2"), proposed("agent-3")]
    again = first.model_copy(update={"missing": FailureReason.MALFORMED, "scores": {}})
    assert store.record_all(ident, [others[0], again, others[1]], token=token) == (others[0], first, others[1])
    assert store.record_all(ident, [others[0]], token=token) == (others[0],)
    assert store.record_all(ident, []) == ()
    entries = store.load(ident).entries
    assert [entries[entry.key] for entry in (first, *others)] == [first, *others]


def test_answers_that_come_too_late_are_refused_together(stores: Stores, ident: str) -> None:
    store, kept, late = stores.deliberations, factories.ballot("agent-1"), factories.ballot("agent-2")
    void, token = store.take_over(ident), store.take_over(ident)
    store.record_all(ident, [kept], token=token)
    with pytest.raises(ConclusionTakenOver, match=f"token {void} is void, {token} is the newest"):
        store.record_all(ident, [kept, late], token=void)
    assert late.key not in store.load(ident).entries
    store.record(ident, closed(), token=token)
    with pytest.raises(DeliberationClosed, match="too late"):
        store.record_all(ident, [kept, late], token=token)
    assert store.record_all(ident, [kept], token=token) == (kept,)
    with pytest.raises(LookupError, match="never opened"):
        store.record_all(fresh("d"), [kept])


def test_the_first_entry_under_a_key_stands(stores: Stores, ident: str) -> None:
    first = proposed(text="first")
    stores.deliberations.record(ident, first)
    assert stores.deliberations.record(ident, proposed(text="second")) == first
    assert stores.deliberations.record(ident, factories.agent_failed()) == first, "a failure has the same key"
    assert stores.deliberations.load(ident).attempt(0, "agent-1") == first


def test_the_first_opening_stands(stores: Stores) -> None:
    begun = deliberation()
    later = opened(begun.model_copy(update={"opened_at": begun.opened_at + 1}))
    stores.deliberations.record(begun.deliberation_id, opened(begun))
    assert stores.deliberations.record(begun.deliberation_id, later) == opened(begun)


def test_entries_save_their_events_once(stores: Stores, ident: str) -> None:
    first, second = event(), event()
    stores.deliberations.record(ident, proposed(), events=[first, second])
    stores.deliberations.record(ident, proposed(), events=[event()])
    assert {pending.event_id for pending in stores.outbox.pending(10)} == {first.event_id, second.event_id}


def test_one_never_opened_is_named(stores: Stores) -> None:
    unknown = fresh("d")
    for act in _acts(stores.deliberations, unknown):
        with pytest.raises(LookupError, match=unknown):
            act()
    assert stores.deliberations.count_open() == 0


def test_nothing_new_is_written_after_the_end_and_what_stands_is_still_returned(
    stores: Stores, ident: str
) -> None:
    end = closed()
    stores.deliberations.record(ident, proposed("agent-1", text="in time"))
    stores.deliberations.record(ident, end)
    with pytest.raises(DeliberationClosed, match=ident):
        stores.deliberations.record(ident, proposed("agent-2"), events=[event()])
    assert stores.deliberations.record(ident, proposed("agent-1")) == proposed("agent-1", text="in time")
    assert stores.deliberations.record(ident, closed(status="failed")) == end
    assert stores.deliberations.load(ident).state is DeliberationState.DECIDED
    assert stores.outbox.pending(10) == ()


def test_only_the_newest_token_may_write_and_no_token_always_may(stores: Stores, ident: str) -> None:
    older = stores.deliberations.take_over(ident)
    newer = stores.deliberations.take_over(ident)
    assert newer > older > 0
    with pytest.raises(ConclusionTakenOver, match=ident):
        stores.deliberations.record(ident, proposed("agent-1"), token=older, events=[event()])
    with pytest.raises(ConclusionTakenOver):
        stores.deliberations.record(ident, proposed("agent-1"), token=newer + 1)
    assert stores.deliberations.record(ident, proposed("agent-1"), token=newer) == proposed("agent-1")
    assert stores.deliberations.record(ident, proposed("agent-2")) == proposed("agent-2")
    assert stores.outbox.pending(10) == ()


def test_a_void_token_may_still_read_what_was_written(stores: Stores, ident: str) -> None:
    older = stores.deliberations.take_over(ident)
    stores.deliberations.record(ident, proposed(text="first"))
    stores.deliberations.take_over(ident)
    assert stores.deliberations.record(ident, proposed(), token=older) == proposed(text="first")


def test_tokens_of_different_deliberations_have_nothing_to_do_with_each_other(stores: Stores, ident: str) -> None:
    other = _open(stores.deliberations)
    token = stores.deliberations.take_over(ident)
    stores.deliberations.take_over(other)
    stores.deliberations.take_over(other)
    assert stores.deliberations.record(ident, proposed(), token=token) == proposed()


def test_a_closed_one_is_forgotten_after_its_retention_and_an_open_one_is_not(make_stores: MakeStores) -> None:
    store = make_stores(SystemClock(), retention_s=0.3).deliberations
    still_open, ended = _open(store), _open(store)
    store.record(ended, closed())
    assert store.load(ended).state is DeliberationState.DECIDED
    assert wait_until(lambda: _forgotten(store, ended), within=120)
    assert store.load(still_open).state is DeliberationState.PROPOSING
    assert store.take_over(still_open) == 1


def test_of_many_who_record_the_same_key_one_wins_and_all_see_it(stores: Stores, ident: str) -> None:
    events = [event() for _ in range(16)]
    seen: list[Entry | None] = [None] * 16

    def work(number: int) -> None:
        attempt = proposed(text=f"from {number}")
        seen[number] = stores.deliberations.record(ident, attempt, events=[events[number]])

    _at_once(16, work)
    first = stores.deliberations.load(ident).attempt(0, "agent-1")
    assert seen == [first] * 16
    winner = next(number for number in range(16) if first == proposed(text=f"from {number}"))
    assert [pending.event_id for pending in stores.outbox.pending(100)] == [events[winner].event_id]


def test_of_many_who_open_one_wins_with_its_events(stores: Stores) -> None:
    begun = deliberation()
    events = [event() for _ in range(16)]
    seen: list[Entry | None] = [None] * 16

    def work(number: int) -> None:
        attempt = opened(begun.model_copy(update={"opened_at": begun.opened_at + number}))
        seen[number] = stores.deliberations.record(begun.deliberation_id, attempt, events=[events[number]])

    _at_once(16, work)
    assert len(stores.outbox.pending(100)) == 1
    assert seen == [stores.deliberations.load(begun.deliberation_id).entries["opened"]] * 16
    assert stores.deliberations.newest(10) == (begun.deliberation_id,)


def test_entries_that_race_the_end_are_before_it_or_refused(stores: Stores) -> None:
    for _ in range(10):
        _race_the_end(stores, _open(stores.deliberations))


def _race_the_end(stores: Stores, ident: str) -> None:
    events = [event() for _ in range(8)]
    refused: list[int] = []

    def work(number: int) -> None:
        entry = closed(event_id=events[0].event_id) if number == 0 else proposed(f"agent-{number}")
        try:
            stores.deliberations.record(ident, entry, events=[events[number]])
        except DeliberationClosed:
            refused.append(number)

    _at_once(8, work)
    record = stores.deliberations.load(ident)
    written = {number for number in range(1, 8) if record.attempt(0, f"agent-{number}")}
    assert isinstance(record.closed, Closed)
    assert written.isdisjoint(refused)
    assert written | set(refused) == set(range(1, 8))
    pending_ids = {pending.event_id for pending in stores.outbox.pending(1000)}
    assert {number for number in range(8) if events[number].event_id in pending_ids} == written | {0}
    assert ident not in stores.deliberations.open_untouched_since(1e12, 1000)


def test_of_many_who_take_over_each_has_its_own_token_and_the_highest_writes(stores: Stores, ident: str) -> None:
    tokens: list[int] = []
    _at_once(16, lambda number: tokens.append(stores.deliberations.take_over(ident)))
    assert len(set(tokens)) == 16
    written: list[int] = []

    def work(number: int) -> None:
        try:
            stores.deliberations.record(ident, proposed(f"agent-{number}"), token=tokens[number])
        except ConclusionTakenOver:
            return
        written.append(tokens[number])

    _at_once(16, work)
    assert written == [max(tokens)]


def _at_once(count: int, work: Callable[[int], object]) -> None:
    """Run `work` for 0 … count-1, each on a thread of its own, begun together."""
    together = Barrier(count)
    failures: list[BaseException] = []

    def run(number: int) -> None:
        together.wait()
        try:
            work(number)
        except BaseException as failure:
            failures.append(failure)

    threads = [Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def _acts(store: DeliberationStore, ident: str) -> list[Callable[[], object]]:
    return [
        lambda: store.load(ident),
        lambda: store.take_over(ident),
        lambda: store.record(ident, proposed()),
        lambda: store.record(ident, closed(), token=1),
    ]


def _forgotten(store: DeliberationStore, ident: str) -> bool:
    try:
        store.load(ident)
    except LookupError:
        return True
    return False
