"""From the same record this version builds the event that version 0.1 stored, JSON value for JSON value.

Fields that came later are beside it, and hold nothing.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.event_message import body_of
from domain import events
from domain.contract_rows import RoleFailed, RoleStarted
from domain.event import Event
from domain.event_types import CANCELLED, COMPLETED, DISPATCHED, FAILED, PHASE_CHANGED, PROGRESS, STARTED
from domain.identity import event_id
from domain.inbound import InboundEvent, story_transitioned
from domain.opening import refuse
from domain.plan import PlanRequest
from domain.policy import Policy
from domain.ranking.ranking_inputs import VERSION
from domain.steps.conclude import conclude_deliberation
from tests.support.records_of_0_1 import IDS, STORE, as_of_0_1, stored, stored_record
from tests.support.stage import Stage
from workers.checks.registry import check_points, create

NEW_CHECKS = ("echo",)
"""Those that 0.1 did not have."""
OUTBOX: dict[str, dict[str, Any]] = {name: json.loads(raw) for name, raw in stored("outbox:events").items()}


def of_type(event_type: str) -> list[dict[str, Any]]:
    return [event for event in OUTBOX.values() if event["event_type"] == event_type]


def requests() -> dict[str, PlanRequest]:
    raws = [kept["value"] for key, kept in STORE.items() if ":request:{" in key]
    return {request.request_id: request for request in map(PlanRequest.model_validate_json, raws)}


RANKED = ("ranking", "p_winner", "stability", "independent_voices", "agreement", "tied", "contested")
"""Fields that say what the ranking found. Decisions made now are ranked by a later version; stored ones replay."""


ROWS_LATER = ("id", "rationale")
LATER = {FAILED: ("proposals", "usage"), CANCELLED: ("usage",), DISPATCHED: ("approved_by",)}
"""Fields that hold something in every event that is made now, of a decision's rows and of other bodies."""


def as_ranked_then(event: Event, was: dict[str, Any]) -> dict[str, Any]:
    """Return what an event says now, but for its ranking, which is what it was."""
    now: dict[str, Any] = json.loads(event.model_dump_json())
    body = was["body"]
    then = {row["proposal"]["proposal_id"]: row for row in body["decisions"]}
    rows = [
        _without(ROWS_LATER, row)
        | {name: then[row["proposal"]["proposal_id"]][name] for name in ("score", "rank")}
        for row in now["body"]["decisions"]
    ]
    assert now["body"]["ranking_inputs"]["settings"]["version"] == VERSION
    inputs = now["body"]["ranking_inputs"] | {"settings": body["ranking_inputs"]["settings"], "voices": {}}
    ranked = {name: body[name] for name in RANKED if name in body}
    rest = {name: value for name, value in now["body"].items() if name not in RANKED}
    rest |= {"decisions": sorted(rows, key=lambda row: row["rank"]), "ranking_inputs": inputs, **ranked}
    return now | {"body": {name: rest[name] for name in now["body"] if name in rest}}


def assert_same(event: Event, was: dict[str, Any] | None = None) -> None:
    """Compare an event with the one that 0.1 stored under its id, and its published body with that one's."""
    was = was or OUTBOX[event.event_id]
    later = LATER.get(event.event_type, ())
    now, published = json.loads(event.model_dump_json()), json.loads(body_of(event))
    assert as_of_0_1(now | {"body": _without(later, now["body"])}) == was
    assert as_of_0_1(_without(later, published)) == was["body"]


def _without(names: tuple[str, ...], fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


class EndingStage(Stage):
    """Where deliberations of 0.1 end once more: no model is asked, since all answers are in the records."""

    def __init__(self) -> None:
        super().__init__(checks=tuple(map(create, check_points(without=NEW_CHECKS))))

    def end(self, name: str, *, at: float) -> Event:
        record, ending = stored_record(name), stored_record(name).closed
        assert ending is not None
        for key, entry in sorted(record.entries.items(), key=lambda item: item[0] != "opened"):
            if key != "closed":
                self.services.deliberations.record(IDS[name], entry)
        self.clock.advance(at - self.clock.now())
        if ending.status == "cancelled":
            self.cancel(IDS[name], ending.reason)
        else:
            conclude_deliberation(IDS[name], self.services)
        assert self.model.requests == []
        return self.news.published[-1]


def decided(name: str) -> tuple[float, dict[str, Any]]:
    """Return when a decision was made, in epoch seconds, and its event as of that moment.

    Version 0.1 looked at the clock once more for the event; the clock that it had then moved with every look.
    """
    record = stored_record(name)
    assert record.closed is not None
    was = OUTBOX[record.closed.event_id]
    moment = record.deliberation.opened_at + was["body"]["duration_ms"] / 1000
    return moment, was | {"occurred_at": moment, "body": was["body"] | {"timestamp": moment}}


def under_the_id_of_ends(was: dict[str, Any]) -> dict[str, Any]:
    """Return the event as it would be now: failed and cancelled ones had ids of their own in version 0.1."""
    return was | {"event_id": event_id(COMPLETED, was["subject_id"], "")}


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_decision_has_the_body_that_it_had(name: str) -> None:
    moment, was = decided(name)
    assert as_of_0_1(as_ranked_then(EndingStage().end(name, at=moment), was)) == was


def test_a_decision_weighed_by_reliability_has_the_body_that_it_had() -> None:
    stage = EndingStage()
    stage.end("a", at=decided("a")[0])
    moment, was = decided("a again")
    assert as_of_0_1(as_ranked_then(stage.end("a again", at=moment), was)) == was


@pytest.mark.parametrize("name", ["c", "d"])
def test_a_failed_and_a_cancelled_one_have_the_bodies_that_they_had(name: str) -> None:
    ending = stored_record(name).closed
    assert ending is not None
    assert_same(EndingStage().end(name, at=ending.at), under_the_id_of_ends(OUTBOX[ending.event_id]))


def test_the_stored_end_is_written_again_as_it_was() -> None:
    for name in ("a", "a again", "b", "c", "d"):
        closed = stored_record(name).closed
        assert closed is not None
        raw = stored(f"deliberation:{{{IDS[name]}}}")["closed"]
        assert as_of_0_1(json.loads(closed.model_dump_json())) == json.loads(raw)


def test_openings_have_the_bodies_that_they_had() -> None:
    opened = [events.started(stored_record(name).deliberation) for name in IDS]
    assert {event.event_id for event in opened} == {event["event_id"] for event in of_type(STARTED)}
    for event in opened:
        assert_same(event)


def test_roles_and_plans_have_the_bodies_that_they_had() -> None:
    by_plan = {request.plan.plan_id: request for request in requests().values()}
    for was in (event["body"] for event in of_type(DISPATCHED)):
        started = [RoleStarted(**row) for row in was["started"]]
        failed = [RoleFailed(**row) for row in was["failed"]]
        request = by_plan[was["plan_id"]]
        assert_same(events.dispatched(request, at=was["timestamp"], started=started, failed=failed))
    (was,) = [event["body"] for event in of_type(FAILED) if event["body"]["role"] == "POET"]
    (stored_event,) = [event for event in of_type(FAILED) if event["body"] == was]
    at = was["timestamp"]
    refused = refuse(by_plan[was["plan_id"]], "POET", was["reason"], Policy(model="tiny"), now=at)
    body = events.failed_body(refused, at=at, reason=was["reason"], failures=())
    assert_same(events.ending(refused, body), under_the_id_of_ends(stored_event))


def test_progress_and_phases_have_the_bodies_that_they_had() -> None:
    (progress,) = of_type(PROGRESS)
    record = stored_record("a")
    entry = record.attempt(0, progress["body"]["agent_id"])
    assert entry is not None
    event = events.progress(
        record.deliberation,
        at=entry.at,
        stage="proposal",
        what=entry.key,
        agent_id=entry.agent_id,
        outcome=entry.kind,
        tokens=entry.usage.completion_tokens,
    )
    assert_same(event)
    (changed,) = of_type(PHASE_CHANGED)
    moved = {"story_id": "story-1", "from_phase": "PLAN", "to_phase": "BUILD", "timestamp": "2026-01-31T12:00:00Z"}
    inbound = InboundEvent(payload=moved, message_id="m-1", received_at=changed["occurred_at"])
    (event,) = story_transitioned(inbound, {"BUILD": ("DEV",)}).events
    assert_same(event)


def test_every_event_that_was_stored_is_read_and_published_as_it_was() -> None:
    for was in OUTBOX.values():
        assert_same(Event.model_validate_json(json.dumps(was), strict=True))
