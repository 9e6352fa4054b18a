"""Every deliberation has one end, whatever is run, again, late, at once, or by a process that died half-way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.contract import CancelledBody, CompletedBody, DispatchedBody, FailedBody
from domain.council import Council
from domain.deliberation import Deliberation
from domain.entry import Entry
from domain.errors import PublishFailed
from domain.event_types import COMPLETED, DISPATCHED, STARTED
from domain.identity import deliberation_id, event_id
from domain.keys import CLOSED, OPENED
from domain.plan import PlanRequest
from domain.record import DeliberationState
from domain.statistics import statistics
from domain.steps.conclude import conclude_deliberation, fail_deliberation
from tests.support.factories import council, plan, plan_request
from tests.support.in_memory.deliberation_store import MemoryDeliberationStore
from tests.support.in_memory.dispatcher import MemoryDispatcher
from tests.support.in_memory.event_publisher import MemoryEventPublisher
from tests.support.stage import Stage

ENDS = (CompletedBody, FailedBody, CancelledBody)


class Died(Exception):
    """Stands for kill -9 at the moment it is raised."""


class DyingStore(MemoryDeliberationStore):
    """A store whose process dies where it would write the n-th opening or end from now on; 0: it lives."""

    def die_at(self, *, opening: int = 0, closing: int = 0) -> None:
        self.left = {OPENED: opening, CLOSED: closing}

    def record(self, deliberation_id: str, entry: Entry, **more: Any) -> Entry:
        self.left[entry.key] = self.left.get(entry.key, 0) - 1
        if self.left[entry.key] == 0:
            raise Died
        return super().record(deliberation_id, entry, **more)


class DyingStage(Stage):
    """A stage whose processes can die."""

    def __init__(self, *councils: Council) -> None:
        super().__init__(*councils)
        self.store = DyingStore(clock=self.clock, outbox=self.outbox)
        self.store.die_at()
        self.services = replace(self.services, deliberations=self.store)


class Queue(MemoryDispatcher):
    """A queue that notes which starts consumers had heard of at each piece of work."""

    def __init__(self, news: MemoryEventPublisher) -> None:
        super().__init__()
        self.heard: list[list[str]] = []
        self._news = news

    def deliberation(self, deliberation: Deliberation, unanswered: Sequence[str]) -> None:
        self.heard.append([event.subject_id for event in self._news.of_type(STARTED)])
        super().deliberation(deliberation, unanswered)


def identity(request: PlanRequest, role: str = "DEV") -> str:
    return deliberation_id(request.plan.plan_id, role, request.revision)


def ends_read(stage: Stage) -> list[tuple[str, str]]:
    """Return deliberation and type of every end as a consumer that honours ids reads them."""
    stage.news.away = False
    stage.flush()
    return [(event.subject_id, event.event_type) for event in stage.news.read if isinstance(event.body, ENDS)]


def test_a_role_without_a_council_leaves_a_failed_record_that_is_counted() -> None:
    stage = Stage(council("DEV"))
    request = stage.approve(plan_request(plan(roles=("POET", "DEV"))))

    record = stage.record(identity(request, "POET"))
    assert record.state is DeliberationState.FAILED
    assert record.closed is not None
    assert "no council for role POET" in record.closed.reason
    assert identity(request, "POET") in stage.services.deliberations.newest(10)
    assert statistics(stage.services.deliberations.counts()).roles["POET"].failed == 1
    assert [end.status for end in stage.meter.ends] == ["failed"]
    assert stage.services.deliberations.count_open() == 1, "DEV alone"


def test_the_same_approval_after_the_council_came_ends_nothing_twice() -> None:
    stage = Stage(council("QA"))
    request = stage.approve()
    stage.services.councils.save(council("DEV"))
    stage.clock.advance(1)
    answer = stage.dispatch(request.request_id)

    assert stage.queue.work == []
    assert ends_read(stage) == [(identity(request), "orchestration.deliberation.failed")]
    assert isinstance(answer.body, DispatchedBody)
    assert [row.role for row in answer.body.failed] == ["DEV"], "as it was told before"


def test_an_opened_role_stays_asked_when_its_council_is_gone() -> None:
    stage = Stage(council("DEV"))
    request = stage.approve()
    stage.services.councils.delete("DEV")
    stage.clock.advance(1)
    answer = stage.dispatch(request.request_id)

    assert isinstance(answer.body, DispatchedBody)
    assert [row.role for row in answer.body.started] == ["DEV"]
    assert ends_read(stage) == []


def test_another_approval_after_the_council_came_supersedes_the_refusal() -> None:
    stage = Stage()
    approved = plan()
    first = stage.approve(plan_request(approved, revision="r1"))
    stage.services.councils.save(council("DEV"))
    stage.clock.advance(1)
    second = stage.open(plan_request(approved, revision="r2"))
    assert stage.record(second).deliberation.supersedes == identity(first)
    stage.clock.advance(1)
    third = stage.open(plan_request(approved, revision="r3"))
    assert stage.record(third).deliberation.supersedes is None, "the second was asked"


def test_a_refused_deliberation_is_repeated_once_its_council_is_there() -> None:
    stage = Stage()
    refused = identity(stage.approve())
    stage.services.councils.save(council("DEV"))
    following = stage.record(stage.redeliberate(refused)).deliberation
    assert (following.supersedes, following.repeat, following.refusal) == (refused, 1, "")
    assert stage.queue.work == [(following.deliberation_id, ("agent-1", "agent-2", "agent-3"))]


def test_a_given_up_dispatch_ends_only_the_roles_that_were_not_opened() -> None:
    stage = DyingStage(council("DEV"), council("QA"))
    request = plan_request(plan(roles=("DEV", "QA")))
    stage.store.die_at(opening=2)
    with pytest.raises(Died):
        stage.approve(request)
    stage.clock.advance(1)
    stage.give_up(request.request_id, "the plan could not be dispatched: 2 workers were lost")
    stage.clock.advance(stage.services.policy.sweep_after_s + 1)
    stage.sweep()
    assert [one for one, _ in stage.queue.work] == [identity(request, "DEV")]
    stage.propose(identity(request, "DEV"))
    conclude_deliberation(identity(request, "DEV"), stage.services)

    assert Counter(ends_read(stage)) == {
        (identity(request, "DEV"), "orchestration.deliberation.completed"): 1,
        (identity(request, "QA"), "orchestration.deliberation.failed"): 1,
    }
    (dispatched,) = stage.news.bodies(DispatchedBody)
    assert [row.role for row in dispatched.started] == ["DEV"]
    assert [(row.role, row.reason) for row in dispatched.failed] == [
        ("QA", "the plan could not be dispatched: 2 workers were lost")
    ]


def test_a_refusal_that_was_opened_and_not_ended_is_ended_by_the_sweep() -> None:
    stage = DyingStage()
    stage.store.die_at(closing=1)
    with pytest.raises(Died):
        stage.approve(request := plan_request())
    stage.clock.advance(60)
    stage.sweep()
    assert (identity(request), ()) in stage.queue.work
    conclude_deliberation(identity(request), stage.services)
    closed = stage.record(identity(request)).closed
    assert closed is not None
    assert "no council for role DEV" in closed.reason


def test_all_ends_have_the_id_that_version_0_1_gave_to_decisions() -> None:
    decided, failed, cancelled = (Stage(council("DEV")) for _ in range(3))
    decided.play()
    fail_deliberation(failed.open(), "scripted", failed.services)
    cancelled.cancel(cancelled.open(), "scripted")
    for stage in (decided, failed, cancelled):
        (end,) = [event for event in stage.news.published if isinstance(event.body, ENDS)]
        assert end.event_id == event_id(COMPLETED, end.subject_id, "")


def test_an_end_after_the_store_forgot_one_that_was_told_is_no_second_end() -> None:
    stage = Stage(council("DEV"))
    record = stage.play()
    rolled_back = Stage(council("DEV"))
    for entry in record.entries.values():
        if entry.key != "closed":
            rolled_back.services.deliberations.record(record.deliberation.deliberation_id, entry)
    fail_deliberation(record.deliberation.deliberation_id, "two workers were lost", rolled_back.services)
    stage.news.publish(rolled_back.news.published)
    assert [end for _, end in ends_read(stage)] == ["orchestration.deliberation.completed"]


def test_started_is_confirmed_before_any_work_is_queued() -> None:
    stage = Stage(council("DEV"), council("QA"))
    stage.queue = queue = Queue(stage.news)
    request = stage.approve(plan_request(plan(roles=("DEV", "QA"))))
    both = [identity(request, role) for role in ("DEV", "QA")]
    assert queue.heard == [both, both]


STEPS: dict[str, Callable[[Stage, PlanRequest, str], object]] = {
    "dispatch": lambda stage, request, one: stage.dispatch(request.request_id),
    "give up": lambda stage, request, one: stage.give_up(request.request_id, "given up"),
    "propose": lambda stage, request, one: stage.propose(one),
    "conclude": lambda stage, request, one: conclude_deliberation(one, stage.services),
    "fail": lambda stage, request, one: fail_deliberation(one, "failed", stage.services),
    "cancel": lambda stage, request, one: stage.cancel(one, "cancelled"),
    "sweep": lambda stage, request, one: stage.sweep(),
    "flush": lambda stage, request, one: stage.flush(),
    "councils come": lambda stage, request, one: stage.services.councils.save(council(request.plan.roles[1])),
    "councils go": lambda stage, request, one: stage.services.councils.delete(request.plan.roles[1]),
    "publisher away": lambda stage, request, one: setattr(stage.news, "away", True),
    "time passes": lambda stage, request, one: stage.clock.advance(700),
}


STEP = st.tuples(st.sampled_from(sorted(STEPS)), st.sampled_from(["DEV", "QA"]), st.integers(0, 4))


@given(st.lists(STEP, max_size=14))
def test_any_steps_in_any_order_leave_one_end(steps: list[tuple[str, str, int]]) -> None:
    stage = DyingStage(council("DEV"))
    request = plan_request(plan(roles=("DEV", "QA")))
    stage.services.plans.save([request])
    for name, role, dies_at in steps:
        stage.store.die_at(opening=dies_at, closing=dies_at)
        with suppress(Died, LookupError, PublishFailed):
            STEPS[name](stage, request, identity(request, role))
        stage.store.die_at()
        stage.clock.advance(1)
    stage.dispatch(request.request_id)
    for role in request.plan.roles:
        stage.clock.advance(1000)
        conclude_deliberation(identity(request, role), stage.services)

    ends = ends_read(stage)
    assert sorted(one for one, _ in ends) == sorted(identity(request, role) for role in request.plan.roles)
    figures = statistics(stage.services.deliberations.counts()).total
    assert {"completed": figures.decided, "failed": figures.failed, "cancelled": figures.cancelled} == {
        word: sum(end.endswith(word) for _, end in ends) for word in ("completed", "failed", "cancelled")
    }
    (answer,) = {event.event_id for event in stage.news.of_type(DISPATCHED)}
    assert answer == event_id(DISPATCHED, request.request_id)
