"""Memory and Valkey answer any sequence of calls alike, so that what passes over memory holds over Valkey."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from domain.entry import Entry
from domain.errors import ConclusionTakenOver, DeliberationClosed, VerdictsChanged
from domain.event import Event
from domain.plan import Plan
from tests.support import factories
from tests.support.examples import examples
from tests.support.in_memory.clock import MemoryClock
from tests.support.stores import Stores, memory_stores, redis_stores

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
AGENT = st.sampled_from(["agent-1", "agent-2", "QA/x"])
PLANS = tuple(factories.plan(plan_id=plan_id) for plan_id in ("plan-a", "plan {b}"))
ENTRY: st.SearchStrategy[Entry] = st.one_of(
    st.builds(factories.proposed, AGENT, text=TEXT, round=st.integers(0, 1)),
    st.builds(factories.agent_failed, AGENT, detail=TEXT),
    st.builds(factories.ballot, AGENT, pass_=st.integers(0, 1)),
    st.builds(factories.critiqued, AGENT, st.sampled_from(["p-1", "p-2"]), text=TEXT),
    st.builds(factories.architect_answered, synthesis=TEXT),
)
ADDED = st.dictionaries(TEXT, st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False))
"""What a field that a later version adds may hold."""
END: st.SearchStrategy[Entry] = st.one_of(
    [
        st.builds(factories.closed, status=st.just(status), event_id=TEXT, result=st.builds(body, added=ADDED))
        for status, body in (
            ("decided", factories.completed_body),
            ("failed", factories.failed_body),
            ("cancelled", factories.cancelled_body),
        )
    ]
)
EVENTS = st.lists(
    st.builds(
        factories.event,
        event_id=st.sampled_from([f"e-{number}" for number in range(8)]),
        subject_id=st.just("d"),
        occurred_at=st.floats(0, 4e9),
        body=st.builds(factories.progress_body, what=TEXT, added=ADDED),
    ),
    max_size=3,
)

COUNTERS = st.dictionaries(TEXT, st.integers(-(2**40), 2**40), max_size=4)


class Agreement(RuleBasedStateMachine):
    """Does everything twice, in memory and in Valkey, and compares what comes of it."""

    client: Redis
    idents = Bundle("idents")
    tokens = Bundle("tokens")

    @initialize()
    def begin(self) -> None:
        self.clock = MemoryClock()
        self.pair = (memory_stores(self.clock), redis_stores(self.client, self.clock))

    @rule(seconds=st.floats(-5, 60))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(
        target=idents,
        plan=st.sampled_from(PLANS),
        role=st.sampled_from(["DEV", "QA"]),
        repeat=st.integers(0, 2),
        events=EVENTS,
    )
    def open(self, plan: Plan, role: str, repeat: int, events: list[Event]) -> str:
        begun = factories.deliberation(plan, role=role, repeat=repeat, opened_at=self.clock.now())
        entry = factories.opened(begun)
        self.both(lambda stores: stores.deliberations.record(begun.deliberation_id, entry, events=events))
        return begun.deliberation_id

    @rule(ident=idents | st.just("d-unknown"), entry=ENTRY, events=EVENTS)
    def record(self, ident: str, entry: Entry, events: list[Event]) -> None:
        self.both(lambda stores: stores.deliberations.record(ident, entry, events=events))

    @rule(ident=idents, entry=END, events=EVENTS, counters=COUNTERS)
    def close(self, ident: str, entry: Entry, events: list[Event], counters: dict[str, int]) -> None:
        self.both(lambda stores: stores.deliberations.record(ident, entry, events=events, counters=counters))

    @rule(target=tokens, ident=idents | st.just("d-unknown"))
    def take_over(self, ident: str) -> tuple[str, int]:
        taken = self.both(lambda stores: stores.deliberations.take_over(ident))
        return ident, taken if isinstance(taken, int) else 1

    @rule(taken=tokens, entry=ENTRY | END, events=EVENTS)
    def record_with_token(self, taken: tuple[str, int], entry: Entry, events: list[Event]) -> None:
        ident, token = taken
        self.both(lambda stores: stores.deliberations.record(ident, entry, events=events, token=token))

    @rule(ident=idents, ahead=st.floats(-60, 60))
    def touch(self, ident: str, ahead: float) -> None:
        self.both(lambda stores: stores.deliberations.touch(ident, self.clock.now() + ahead))

    @rule(ident=idents, due_in=st.floats(-60, 60))
    def decide(self, ident: str, due_in: float) -> None:
        body = factories.completed_body(awaiting_verdict=True, counts_at=self.clock.now() + due_in)
        entry = factories.closed(event_id="e", result=body)
        self.both(lambda stores: stores.deliberations.record(ident, entry))

    @rule(
        ident=idents | st.just("d-unknown"),
        number=st.integers(0, 3),
        after=st.integers(0, 3),
        counts=st.none() | st.booleans(),
        events=EVENTS,
        counters=COUNTERS,
    )
    def judge(
        self,
        ident: str,
        number: int,
        after: int,
        counts: bool | None,
        events: list[Event],
        counters: dict[str, int],
    ) -> None:
        said = factories.verdict(ident, verdict_id=f"v-{number}", at=self.clock.now(), counts=counts)
        self.both(lambda stores: stores.verdicts.record(said, after=after, events=events, counters=counters))
        self.both(lambda stores: stores.verdicts.of(ident))

    @rule(ident=idents)
    def forget(self, ident: str) -> None:
        self.both(lambda stores: stores.verdicts.forget(ident))

    @rule(events=EVENTS)
    def put(self, events: list[Event]) -> None:
        self.both(lambda stores: stores.outbox.put(events))

    @rule(events=EVENTS)
    def publish(self, events: list[Event]) -> None:
        self.both(lambda stores: stores.outbox.published([event.event_id for event in events]))

    @rule(ident=idents | st.just("d-unknown"))
    def load(self, ident: str) -> None:
        self.both(lambda stores: stores.deliberations.load(ident))

    @rule(plan=st.sampled_from(PLANS), revision=st.sampled_from(["r1", "r2"]), who=TEXT)
    def accept(self, plan: Plan, revision: str, who: str) -> None:
        request = factories.plan_request(plan, revision=revision, correlation_id=who, causation_id="m")
        self.both(lambda stores: stores.plans.save([request]))
        self.both(lambda stores: stores.plans.load(request.request_id))
        self.both(lambda stores: stores.plans.latest(plan.plan_id))

    @rule(plan=st.sampled_from(PLANS), revision=st.sampled_from(["r1", "r2"]))
    def mark_dispatched(self, plan: Plan, revision: str) -> None:
        request = factories.plan_request(plan, revision=revision)
        self.both(lambda stores: stores.plans.mark_dispatched(request.request_id))

    @rule(ago=st.floats(-60, 60), limit=st.integers(0, 3))
    def take_overdue(self, ago: float, limit: int) -> None:
        self.both(lambda stores: stores.plans.take_overdue(self.clock.now() - ago, limit))

    @rule(role=st.sampled_from(["DEV", "QA"]), size=st.integers(0, 4))
    def apply_or_delete(self, role: str, size: int) -> None:
        if size:
            self.both(lambda stores: stores.councils.save(factories.council(role, size=size)))
        else:
            self.both(lambda stores: stores.councils.delete(role))

    @invariant()
    def what_can_be_seen_is_the_same(self) -> None:
        now = self.clock.now()
        self.both(lambda stores: stores.deliberations.count_open())
        self.both(lambda stores: stores.deliberations.newest(5))
        self.both(lambda stores: [stores.deliberations.of_plan(plan.plan_id) for plan in PLANS])
        self.both(lambda stores: stores.deliberations.open_untouched_since(now - 20, 3))
        self.both(lambda stores: stores.deliberations.counts())
        self.both(lambda stores: stores.verdicts.counts())
        self.both(lambda stores: stores.verdicts.overdue(now, 3))
        self.both(lambda stores: stores.verdicts.count_awaiting())
        self.both(lambda stores: stores.plans.count_undispatched())
        self.both(lambda stores: stores.outbox.pending(4))
        self.both(lambda stores: stores.outbox.count())
        self.both(lambda stores: stores.councils.all())

    def both(self, act: Callable[[Stores], object]) -> object:
        memory, valkey = (_outcome(act, stores) for stores in self.pair)
        assert valkey == memory
        return memory


def _outcome(act: Callable[[Stores], object], stores: Stores) -> object:
    """Return what the call returns, or the kind and text of what it raises."""
    try:
        return act(stores)
    except (LookupError, DeliberationClosed, ConclusionTakenOver, VerdictsChanged) as error:
        return type(error), str(error)


def test_memory_and_valkey_answer_any_sequence_of_calls_alike(valkey: Redis) -> None:
    class OverValkey(Agreement):
        client = valkey

    run_state_machine_as_test(
        OverValkey,
        settings=settings(
            max_examples=examples(40),
            stateful_step_count=40,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
