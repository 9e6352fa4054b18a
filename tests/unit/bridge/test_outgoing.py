"""Our events are read back in every dialect, and nothing else is taken for one."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from bridge.event_message import EventEncoder
from bridge.message import InboundMessage
from bridge.options import EventDialect, EventOptions
from bridge.outgoing import event_in
from domain import events
from domain.contract import StartedBody
from domain.event import Event
from domain.event_types import COMPLETED, FAILED
from tests.support.factories import completed_body, deliberation, event, plan_request
from tests.support.foreign_messages import JUNK
from workers.cli.schema_documents import documents

BODY = completed_body()
PLAIN = BODY.model_dump(mode="json")
CLOUD = {"specversion": "1.0", "id": "e-1", "source": "conclave", "type": COMPLETED}
ENVELOPE = {"event_type": COMPLETED, "payload": PLAIN, "idempotency_key": "e-1", "producer": "conclave"}


def message(data: Any, subject: str = COMPLETED, **headers: str) -> InboundMessage:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return InboundMessage(subject=subject, data=raw, headers=headers)


@pytest.mark.parametrize(
    "published",
    [
        message(PLAIN),
        message(PLAIN, **{f"ce-{name}": value for name, value in CLOUD.items()}),
        message(CLOUD | {"data": PLAIN}, **{"content-type": "application/cloudevents+json"}),
        message(ENVELOPE),
    ],
    ids=["bare", "binary", "structured", "envelope"],
)
def test_an_event_is_read_in_every_dialect(published: InboundMessage) -> None:
    assert event_in(published) == BODY


TOLD = event(
    event_id="e-1",
    subject_id="d-1",
    body=BODY,
    correlation_id="corr",
    causation_id="PLANNING_EVENTS:7",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)
"""An event with everything that a dialect has a place for."""
WITHOUT_CAUSE = event(event_id="e-1", subject_id="d-1", body=BODY)


def published(told: Event, dialect: EventDialect) -> InboundMessage:
    (message,) = EventEncoder("conclave", EventOptions(dialect=dialect)).messages(told)
    return InboundMessage(subject=message.subject, data=message.data, headers=message.headers)


@pytest.mark.parametrize("dialect", ["bare", "envelope", "cloudevents"])
@pytest.mark.parametrize("told", [TOLD, WITHOUT_CAUSE], ids=["caused", "without a cause"])
def test_an_event_in_each_dialect_is_read_back_and_keeps_its_id(told: Event, dialect: EventDialect) -> None:
    message = published(told, dialect)
    assert event_in(message) == BODY
    assert message.headers["Nats-Msg-Id"] == "e-1"
    assert message.headers.get("traceparent", "") == told.traceparent


@pytest.mark.parametrize("told", [TOLD, WITHOUT_CAUSE], ids=["caused", "without a cause"])
def test_a_consumer_that_insists_on_the_envelope_finds_every_field(told: Event) -> None:
    envelope = json.loads(published(told, "envelope").data)
    assert envelope["payload"] == PLAIN
    assert envelope["event_type"] == COMPLETED
    texts = ("idempotency_key", "correlation_id", "timestamp", "producer")
    assert all(isinstance(envelope[name], str) and envelope[name] for name in texts)
    assert datetime.fromisoformat(envelope["timestamp"]).timestamp() == told.occurred_at
    assert envelope.get("causation_id", "") == told.causation_id
    assert envelope["metadata"].get("traceparent", "") == told.traceparent


@pytest.mark.parametrize("told", [TOLD, WITHOUT_CAUSE], ids=["caused", "without a cause"])
def test_a_consumer_that_insists_on_structured_cloud_events_finds_one(told: Event) -> None:
    message = published(told, "cloudevents")
    cloud_event = json.loads(message.data)
    assert message.headers["content-type"] == "application/cloudevents+json"
    assert not [name for name in message.headers if name.startswith("ce-")]
    assert {name: cloud_event[name] for name in CLOUD} == CLOUD
    assert cloud_event["data"] == PLAIN
    assert cloud_event["subject"] == "d-1"
    # Attribute names are lower-case letters and digits, and values of ours are texts that are not empty.
    attributes = {name: value for name, value in cloud_event.items() if name != "data"}
    assert all(name.isalnum() and name.islower() for name in attributes)
    assert all(isinstance(value, str) and value for value in attributes.values())


def test_a_consumer_that_insists_on_the_bare_body_finds_it() -> None:
    assert json.loads(published(TOLD, "bare").data) == PLAIN


BOTH = EventOptions(second_prefix="orchestration.enveloped", second_dialect="envelope")


def test_a_second_prefix_serves_both_kinds_under_two_message_ids_and_one_event_id() -> None:
    first, second = EventEncoder("conclave", BOTH).messages(TOLD)
    assert json.loads(first.data) == PLAIN
    assert first.subject == COMPLETED
    envelope = json.loads(second.data)
    assert second.subject == "orchestration.enveloped.deliberation.completed"
    assert (envelope["payload"], envelope["idempotency_key"]) == (PLAIN, "e-1")
    assert (first.message_id, second.message_id) == ("e-1", "e-1:second")
    assert {first.event_id, second.event_id} == {"e-1"}
    # Our own readers take the first alone, so that nothing is counted twice.
    assert event_in(InboundMessage(subject=second.subject, data=second.data, headers=second.headers)) is None


def test_a_second_prefix_lies_where_one_stream_holds_both() -> None:
    for prefix in ("fleet", "orchestration", "orchestration.", "orchestration.*", "orchestration.>"):
        with pytest.raises(ValidationError):
            EventOptions(second_prefix=prefix)


def test_aliases_tell_of_a_plan_and_of_each_agent_and_are_off_by_default() -> None:
    encoder = EventEncoder("conclave", EventOptions(aliases=True))
    request = plan_request()
    asked = events.dispatched(request, at=1_700_000_000.0, started=(), failed=())
    own, approved = encoder.messages(asked)
    assert own.subject == asked.event_type
    assert approved.subject == "orchestration.plan.approved"
    assert json.loads(approved.data) == {
        "event_type": "orchestration.plan.approved",
        "story_id": request.plan.story_id,
        "plan_id": request.plan.plan_id,
        "approved_by": "product-owner",
        "roles": ["DEV"],
        "timestamp": "2023-11-14T22:13:20Z",
    }
    begun = events.started(deliberation())
    assert isinstance(begun.body, StartedBody)
    own, *dispatched = encoder.messages(begun)
    assert [json.loads(message.data)["agent_id"] for message in dispatched] == list(begun.body.agents)
    assert {message.subject for message in dispatched} == {"orchestration.task.dispatched"}
    fields = {"event_type", "story_id", "task_id", "agent_id", "role", "timestamp"}
    assert all(json.loads(message.data).keys() == fields for message in dispatched)
    for alias in (approved, *dispatched):
        schema = json.loads(documents("0")[f"{alias.subject}.json"])
        Draft202012Validator(schema).validate(json.loads(alias.data))
        assert schema["additionalProperties"] is True
    ids = [message.message_id for message in (own, approved, *dispatched)]
    assert len(set(ids)) == len(ids)
    assert all(len(EventEncoder("conclave").messages(told)) == 1 for told in (asked, begun, TOLD))
    assert len(encoder.messages(TOLD)) == 1


def test_fields_of_a_later_version_are_passed_over() -> None:
    read = event_in(message(PLAIN | {"novelty": 1}))
    assert read is not None
    assert read.event_type == COMPLETED


@pytest.mark.parametrize("data", JUNK)
def test_what_another_publishes_is_no_event(data: bytes) -> None:
    assert event_in(message(data)) is None


def test_an_event_on_the_subject_of_another_is_none() -> None:
    assert event_in(message(PLAIN, subject=FAILED)) is None
