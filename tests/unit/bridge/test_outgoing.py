"""Our events are read back in every dialect, and nothing else is taken for one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.message import InboundMessage
from bridge.outgoing import event_in
from domain.event_types import COMPLETED, FAILED
from tests.support.factories import completed_body
from tests.support.foreign_messages import JUNK

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


def test_fields_of_a_later_version_are_passed_over() -> None:
    read = event_in(message(PLAIN | {"novelty": 1}))
    assert read is not None
    assert read.event_type == COMPLETED


@pytest.mark.parametrize("data", JUNK)
def test_what_another_publishes_is_no_event(data: bytes) -> None:
    assert event_in(message(data)) is None


def test_an_event_on_the_subject_of_another_is_none() -> None:
    assert event_in(message(PLAIN, subject=FAILED)) is None
