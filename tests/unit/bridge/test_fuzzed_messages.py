"""Ten thousand messages nobody would send: each comes to a value or to a sentence, never to an exception."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.event_message import body_of
from bridge.intake import readers
from bridge.message import InboundMessage
from bridge.rejection import MAX_REASON, Rejection
from bridge.subjects import INBOUND
from domain.inbound import Intake
from domain.plan import PlanRequest
from tests.support.examples import examples
from tests.support.fuzz import json_objects
from tests.support.spoilt_messages import GOOD, odd_headers, spoilt

READERS = readers(phases={"BUILD": ("DEV",)}, max_bytes=1 << 16)


def check(message: InboundMessage) -> bool:
    """Read the message as every subject's reader would; whether any accepted it."""
    accepted = False
    for subject, reader in READERS.items():
        told = reader(message.model_copy(update={"subject": subject}))
        if isinstance(told, Rejection):
            assert 0 < len(told.reason) <= MAX_REASON
            assert told.reason.isprintable()
        else:
            assert_storable(told)
            accepted = True
    return accepted


def assert_storable(intake: Intake) -> None:
    """Whatever is accepted can be written as JSON in UTF-8, and read back the same."""
    for request in intake.requests:
        assert PlanRequest.model_validate_json(request.model_dump_json()) == request
    for event in intake.events:
        assert json.loads(body_of(event)) == event.body.model_dump(mode="json")


@pytest.mark.parametrize("seed", range(10))
def test_a_thousand_spoilt_messages_each_come_to_a_value_or_a_sentence(seed: int) -> None:
    rng = random.Random(seed)
    accepted = 0
    for number in range(1000):
        message = InboundMessage(
            subject=INBOUND[0], data=spoilt(rng), headers=odd_headers(rng), stream="S", sequence=number
        )
        accepted += check(message)
    assert 50 < accepted < 950, "the fuzz would show nothing if all were good, or all bad"


@settings(max_examples=examples(300))
@given(st.binary(max_size=400), st.dictionaries(st.sampled_from(["ce-specversion", "content-type"]), st.text()))
def test_arbitrary_bytes_come_to_a_sentence(data: bytes, headers: dict[str, str]) -> None:
    check(InboundMessage(subject=INBOUND[0], data=data, headers=headers))


@settings(max_examples=examples(500))
@given(json_objects, st.booleans())
def test_any_value_in_any_field_comes_to_a_value_or_a_sentence(body: dict[str, Any], complete: bool) -> None:
    data = json.dumps(GOOD | body if complete else body).encode()
    check(InboundMessage(subject=INBOUND[0], data=data))
