"""From an approval on NATS to its decision on NATS, with nothing but plain nats-py on the outside."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.acceptance.conftest import Pipeline
from tests.support.factories import fresh
from tests.support.observer import Observer, until, watching

APPROVED = "planning.plan.approved"
STARTED = "orchestration.deliberation.started"
PROGRESS = "orchestration.deliberation.progress"
COMPLETED = "orchestration.deliberation.completed"
FAILED = "orchestration.deliberation.failed"
DISPATCHED = "orchestration.plan.dispatched"
CROWD = 200


def approval(**changes: Any) -> dict[str, Any]:
    """Return the least that the contract asks for."""
    least = {
        "story_id": fresh("story"),
        "plan_id": fresh("plan"),
        "approved_by": "po",
        "roles": ["DEV"],
        "timestamp": "2026-01-31T12:00:00Z",
    }
    return least | changes


def test_a_publisher_that_knows_nothing_of_us_gets_its_decision(pipeline: Pipeline) -> None:
    async def scenario(observer: Observer) -> None:
        asked = approval()
        await observer.publish(APPROVED, asked)
        (event,) = await observer.wait(COMPLETED, plan_id=asked["plan_id"])

        body = event.body
        assert body["event_type"] == COMPLETED
        assert body["story_id"] == asked["story_id"]
        assert body["task_id"] == asked["plan_id"]
        assert isinstance(body["timestamp"], float)
        scores = [one["score"] for one in body["decisions"]]
        assert len(scores) == 3
        assert scores == sorted(scores, reverse=True)
        for one in body["decisions"]:
            assert one["proposal"]["author"]["role"] == "DEV"
            assert one["proposal"]["author"]["agent_id"]
            assert one["proposal"]["content"]
            assert isinstance(one["proposal"]["revisions"], list)
            assert isinstance(one["checks"]["overall_score"], float)
        assert event.headers["Nats-Msg-Id"] == event.headers["ce-id"]
        assert event.headers["ce-type"] == COMPLETED
        assert event.headers["ce-specversion"] == "1.0"
        assert observer.of(STARTED, plan_id=asked["plan_id"])
        assert len(observer.of(PROGRESS, plan_id=asked["plan_id"], stage="proposal")) == 3

    watching(pipeline.nats_url, scenario)


@pytest.mark.parametrize("dialect", ["envelope", "structured", "binary"])
def test_every_dialect_is_understood(pipeline: Pipeline, dialect: str) -> None:
    async def scenario(observer: Observer) -> None:
        asked = approval()
        identity = fresh("id")
        cloud = {"specversion": "1.0", "id": identity, "source": "/planning", "type": APPROVED}
        if dialect == "envelope":
            envelope = {
                "event_type": APPROVED,
                "payload": asked,
                "idempotency_key": identity,
                "correlation_id": "c-1",
                "timestamp": asked["timestamp"],
                "producer": "planner",
            }
            await observer.publish(APPROVED, envelope)
        elif dialect == "structured":
            await observer.publish(APPROVED, {**cloud, "data": asked, "datacontenttype": "application/json"})
        else:
            headers = {f"ce-{name}": value for name, value in cloud.items()}
            await observer.publish(APPROVED, asked, **headers)
        (event,) = await observer.wait(COMPLETED, plan_id=asked["plan_id"])
        assert identity in event.body["revision"]

    watching(pipeline.nats_url, scenario)


def test_a_question_without_a_plan_goes_the_same_way(pipeline: Pipeline) -> None:
    async def scenario(observer: Observer) -> None:
        asked = {"role": "QA", "question": "How do we test the migration?", "request_id": fresh("request")}
        await observer.publish("deliberation.requested", asked)
        (event,) = await observer.wait(COMPLETED, plan_id=asked["request_id"])
        assert event.body["role"] == "QA"

    watching(pipeline.nats_url, scenario)


def test_the_same_approval_again_is_one_deliberation_and_one_event(pipeline: Pipeline) -> None:
    async def scenario(observer: Observer) -> None:
        asked = approval()
        for _ in range(5):
            await observer.publish(APPROVED, asked)
        await observer.wait(COMPLETED, plan_id=asked["plan_id"])
        await observer.publish(APPROVED, asked)
        witness = approval()
        await observer.publish(APPROVED, witness)
        await observer.wait(COMPLETED, plan_id=witness["plan_id"])
        for subject in (STARTED, DISPATCHED, COMPLETED):
            assert len(observer.of(subject, plan_id=asked["plan_id"])) == 1

    watching(pipeline.nats_url, scenario)


def test_other_content_under_the_same_key_is_a_dead_letter_and_the_first_stands(pipeline: Pipeline) -> None:
    async def scenario(observer: Observer) -> None:
        asked = approval(title="first")
        await observer.publish(APPROVED, asked)
        # Of two bridges each may take one of them in, and then the quicker one's stands.
        await observer.wait(DISPATCHED, plan_id=asked["plan_id"])
        await observer.publish(APPROVED, asked | {"title": "other"})
        await observer.publish(APPROVED, asked | {"approved_by": "deputy", "sprint": 7})
        witness = approval()
        await observer.publish(APPROVED, witness)
        await observer.wait(COMPLETED, plan_id=witness["plan_id"])
        await observer.wait(COMPLETED, plan_id=asked["plan_id"])
        letters = await observer.wait(f"conclave.dead_letter.{APPROVED}")
        ours = [one for one in letters if asked["plan_id"].encode() in one.data]
        # Published again where its confirmation or the ack was late; its stream stores one.
        (letter,) = {one.headers["Nats-Msg-Id"]: one for one in ours}.values()
        assert json.loads(letter.data)["title"] == "other"
        assert " has other content than PLANNING_EVENTS:" in letter.headers["Conclave-Reason"]
        assert len(observer.of(DISPATCHED, plan_id=asked["plan_id"])) == 1

    watching(pipeline.nats_url, scenario)


def test_an_unknown_role_fails_and_the_others_run(pipeline: Pipeline) -> None:
    async def scenario(observer: Observer) -> None:
        asked = approval(roles=["DEV", "POET", "QA"])
        await observer.publish(APPROVED, asked)
        (failed,) = await observer.wait(FAILED, plan_id=asked["plan_id"])
        assert failed.body["role"] == "POET"
        assert "no council for role POET" in failed.body["reason"]
        decided = await observer.wait(COMPLETED, count=2, plan_id=asked["plan_id"])
        assert {event.body["role"] for event in decided} == {"DEV", "QA"}

    watching(pipeline.nats_url, scenario)


def test_a_plan_without_roles_is_answered(pipeline: Pipeline) -> None:
    async def scenario(observer: Observer) -> None:
        asked = approval(roles=[])
        await observer.publish(APPROVED, asked)
        (event,) = await observer.wait(DISPATCHED, plan_id=asked["plan_id"])
        assert "nothing was asked" in event.body["message"]

    watching(pipeline.nats_url, scenario)


BAD = {
    "not JSON": b"approve it!",
    "a wrong type": json.dumps(approval(roles="DEV")).encode(),
    "an empty id": json.dumps(approval(plan_id="")).encode(),
    "a missing id": json.dumps({"plan_id": "p"}).encode(),
    "a nesting bomb": b"[" * 100_000 + b"]" * 100_000,
    "invalid UTF-8": b'{"plan_id": "\xff"}',
}
REASONS = {
    "not JSON": "JSON",
    "a wrong type": "roles",
    "an empty id": "plan_id",
    "a missing id": "story_id",
    "a nesting bomb": "deep",
    "invalid UTF-8": "UTF-8",
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_read_is_dead_lettered_and_the_bridge_goes_on(pipeline: Pipeline, what: str) -> None:
    async def scenario(observer: Observer) -> None:
        await observer.publish(APPROVED, BAD[what])
        witness = approval()
        await observer.publish(APPROVED, witness)
        await observer.wait(COMPLETED, plan_id=witness["plan_id"])
        (letter,) = await observer.wait(f"conclave.dead_letter.{APPROVED}")
        assert letter.data == BAD[what]
        assert REASONS[what] in letter.headers["Conclave-Reason"]

    watching(pipeline.nats_url, scenario)


def test_two_hundred_at_once_are_decided_each_once(pipeline: Pipeline) -> None:
    async def scenario(observer: Observer) -> None:
        asked = [approval() for _ in range(CROWD)]
        await asyncio.gather(*(observer.publish(APPROVED, one) for one in asked))
        wanted = {one["plan_id"] for one in asked}

        def decided() -> list[str]:
            return [one.body["plan_id"] for one in observer.of(COMPLETED) if one.body["plan_id"] in wanted]

        await until(lambda: set(decided()) == wanted, within=120, what=lambda: f"{len(set(decided()))} decided")
        assert sorted(decided()) == sorted(wanted)

    watching(pipeline.nats_url, scenario)
