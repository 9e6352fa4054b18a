"""Outgoing events: CloudEvents in binary mode that any SDK reads, dead letters that hold what came."""

from __future__ import annotations

import json
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from bridge.cloudevents import binary_attributes, headers_of
from bridge.dead_letter import decode_advisory, decode_dead_letter, encode_dead_letter
from bridge.event_message import body_of
from bridge.message import InboundMessage
from domain.dead_letter import DeadLetter
from tests.support.factories import completed_body, event

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_an_event_travels_under_its_id_with_cloud_event_attributes() -> None:
    told = event(
        event_id="e-1",
        event_type="orchestration.deliberation.completed",
        subject_id="d 1",
        occurred_at=1_700_000_000.25,
        correlation_id="corr",
        causation_id="S:7",
        traceparent=TRACE,
    )
    assert headers_of(told, source="conclave") == {
        "ce-specversion": "1.0",
        "ce-id": "e-1",
        "ce-type": "orchestration.deliberation.completed",
        "ce-source": "conclave",
        "ce-time": "2023-11-14T22:13:20.250000Z",
        "ce-subject": "d%201",
        "ce-correlationid": "corr",
        "ce-causationid": "S:7",
        "traceparent": TRACE,
        "content-type": "application/json",
        "Nats-Msg-Id": "e-1",
    }


@given(st.text(min_size=1))
def test_an_attribute_survives_the_header_whatever_it_holds(subject_id: str) -> None:
    headers = headers_of(event(subject_id="x" + subject_id), source="/c")
    assert headers["ce-subject"].isascii()
    assert headers["ce-subject"].isprintable()
    read = binary_attributes(InboundMessage(subject="s", data=b"", headers=headers))
    assert read["subject"] == unquote(headers["ce-subject"])
    assert read["subject"] == ("x" + subject_id).encode("utf-8", "replace").decode()


def test_a_body_is_utf8_json_even_with_half_a_surrogate_pair_in_it() -> None:
    body = completed_body(synthesis="ä\U0001f600\ud800", p_winner=1.5, later={"text": "\ud800"})
    assert json.loads(body_of(event(body=body)).decode("utf-8")) == body.model_dump(mode="json")


def rejected(**changes: object) -> InboundMessage:
    values: dict[str, object] = {
        "subject": "planning.plan.approved",
        "data": b"\xff\x00not json",
        "headers": {"ce-id": "ä\n", "Nats-Msg-Id": "m"},
        "stream": "PLANNING_EVENTS",
        "sequence": 17,
        "delivered": 3,
        "received_at": 1_700_000_000.25,
    }
    return InboundMessage.model_validate(values | changes)


def test_a_dead_letter_gives_back_what_came() -> None:
    message = rejected()
    headers, data = encode_dead_letter(message, "field x\nis missing", max_payload=1 << 20)
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    assert decode_dead_letter(4, "2026-01-31T12:00:00Z", headers, data) == DeadLetter(
        sequence=4,
        reason=r"field x\nis missing",
        subject="planning.plan.approved",
        stream="PLANNING_EVENTS",
        stream_sequence=17,
        delivered=3,
        at="2026-01-31T12:00:00Z",
        headers=message.headers,
        data=message.data,
    )


def test_the_same_message_rejected_again_is_the_same_dead_letter() -> None:
    def letter_id(**changes: object) -> str:
        return encode_dead_letter(rejected(**changes), "why", max_payload=1 << 20)[0]["Nats-Msg-Id"]

    assert letter_id() == letter_id(delivered=9)
    others: list[dict[str, object]] = [{"sequence": 18}, {"stream": "OTHER"}, {"received_at": 1_700_000_001.0}]
    assert len({letter_id(), *(letter_id(**other) for other in others)}) == 4


def test_an_original_that_leaves_no_room_stays_where_it_is() -> None:
    headers, data = encode_dead_letter(rejected(data=b"x" * 99_000), "too large", max_payload=100_000)
    assert data == b""
    dead_letter = decode_dead_letter(1, "", headers, data)
    assert dead_letter.data is None
    assert (dead_letter.stream, dead_letter.stream_sequence) == ("PLANNING_EVENTS", 17)


def test_headers_that_leave_no_room_are_dropped() -> None:
    headers, _ = encode_dead_letter(rejected(headers={"x": "y" * 99_000}), "too large", max_payload=100_000)
    assert decode_dead_letter(1, "", headers, b"").headers == {}


def test_bytes_that_are_no_text_are_shown_as_base64() -> None:
    dead_letter = decode_dead_letter(1, "", {}, b"\xff\x00")
    assert dead_letter.as_dict()["data_base64"] == "/wA="
    assert "data" not in dead_letter.as_dict()
    assert decode_dead_letter(1, "", {}, b"text").as_dict()["data"] == "text"


def test_an_advisory_says_why_in_a_sentence() -> None:
    spent = {"type": "io.nats.jetstream.advisory.v1.max_deliver", "stream": "S", "stream_seq": 5, "deliveries": 3}
    assert decode_advisory(1, "", json.dumps(spent).encode()).reason == "delivered 3 times and never acknowledged"
    ended = spent | {"type": "io.nats.jetstream.advisory.v1.terminated", "reason": "operator"}
    assert decode_advisory(1, "", json.dumps(ended).encode()).reason == "terminated: operator"
