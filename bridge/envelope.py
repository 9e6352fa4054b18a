"""The three dialects in which payloads come (bare JSON, event envelope, CloudEvents), made one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import JsonValue

from bridge import cloudevents
from bridge.message import InboundMessage, traceparent
from bridge.rejection import MessageRejected
from bridge.strict_json import MAX_BYTES, parse_object
from domain.inbound import InboundEvent, JsonObject
from domain.validation.words import json_type, printable

MAX_KEY = 512
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def open_envelope(message: InboundMessage, *, max_bytes: int = MAX_BYTES) -> InboundEvent:
    """Take the dialect off. Raises MessageRejected, and nothing else, for a message that speaks none of them."""
    body = parse_object(message.data, max_bytes=max_bytes)
    if cloudevents.is_structured(message):
        return _structured(body, message, max_bytes=max_bytes)
    if cloudevents.is_binary(message):
        return _cloud_event(cloudevents.binary_attributes(message), body, message)
    if "specversion" in body:
        return _structured(body, message, max_bytes=max_bytes)
    if "payload" in body and "event_type" in body:
        return _enveloped(body, message)
    return _event(body, message)


def _structured(event: JsonObject, message: InboundMessage, *, max_bytes: int) -> InboundEvent:
    attributes = cloudevents.checked(event)
    return _cloud_event(attributes, cloudevents.structured_data(event, max_bytes=max_bytes), message)


def _cloud_event(attributes: JsonObject, data: JsonObject, message: InboundMessage) -> InboundEvent:
    _check_fact(_word(attributes, "type"), message.subject, field="type")
    return _event(
        _dated(data, attributes.get("time")),
        message,
        key=cloudevents.identity(attributes),
        message_id=_word(attributes, "id"),
        correlation_id=_word(attributes, "correlationid"),
        trace=attributes.get("traceparent"),
    )


def _enveloped(body: JsonObject, message: InboundMessage) -> InboundEvent:
    payload, metadata = body["payload"], body.get("metadata")
    if not isinstance(payload, dict):
        raise MessageRejected(f"field payload must be an object, not {json_type(payload)}; put the payload there")
    _check_fact(_word(body, "event_type"), message.subject, field="event_type")
    _word(body, "producer")
    key = _word(body, "idempotency_key")
    return _event(
        _dated(payload, body.get("timestamp")),
        message,
        key=key,
        message_id=key,
        correlation_id=_word(body, "correlation_id"),
        trace=metadata.get("traceparent") if isinstance(metadata, dict) else None,
    )


def _event(
    payload: JsonObject,
    message: InboundMessage,
    *,
    key: str = "",
    message_id: str = "",
    correlation_id: str = "",
    trace: JsonValue = None,
) -> InboundEvent:
    message_id = message_id or message.header("Nats-Msg-Id") or message.place
    return InboundEvent(
        payload=payload,
        key=key,
        message_id=message_id,
        correlation_id=correlation_id or message_id,
        traceparent=traceparent(message.header("traceparent"), trace),
        redelivered=message.delivered > 1,
        place=message.place if message.stream else "",
        received_at=message.received_at,
    )


def _dated(payload: JsonObject, time: JsonValue) -> JsonObject:
    """Let the envelope's time stand for a payload that has none of its own."""
    dated = "timestamp" in payload or "approved_at" in payload
    return payload if dated or time is None else {**payload, "timestamp": time}


def _word(body: Mapping[str, JsonValue], field: str) -> str:
    value = body.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MessageRejected(f"field {field} must be a string, not {json_type(value)}; correct it")
    if len(value) > MAX_KEY:
        raise MessageRejected(f"field {field} is longer than {MAX_KEY} characters; shorten it")
    return value if value.strip() else ""


def _check_fact(event_type: str, subject: str, *, field: str) -> None:
    """Reject a message that names itself another fact than its subject's.

    Publishers write one fact in many ways (`plan.approved`, `PlanApproved`, `com.example.plan.approved.v1`), so
    only the fact's own word has to occur.
    """
    fact = subject.rpartition(".")[2]
    if fact not in (word.lower() for word in WORDS.findall(event_type)):
        raise MessageRejected(
            f"field {field} says {printable(event_type)}, but {subject} takes only {fact}; correct it"
        )
