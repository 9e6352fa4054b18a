"""The three dialects in which payloads arrive (bare JSON, event envelope, CloudEvents), made one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from bridge import cloudevents
from bridge.message import InboundMessage, traceparent
from bridge.rejection import Refusal, json_type, named
from bridge.strict_json import MAX_BYTES, parse_object
from domain.inbound import Arrival

MAX_KEY = 512
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def open_envelope(message: InboundMessage, *, max_bytes: int = MAX_BYTES) -> Arrival:
    """Take the dialect off. Raises Refusal, and nothing else, for a message that speaks none of them."""
    if cloudevents.is_structured(message):
        return _structured(parse_object(message.data, max_bytes=max_bytes), message, max_bytes=max_bytes)
    body = parse_object(message.data, max_bytes=max_bytes)
    if cloudevents.is_binary(message):
        return _cloud_event(cloudevents.binary_attributes(message), body, message)
    if "specversion" in body:
        return _structured(body, message, max_bytes=max_bytes)
    if "payload" in body and "event_type" in body:
        return _enveloped(body, message)
    return _arrival(body, message)


def _structured(event: dict[str, Any], message: InboundMessage, *, max_bytes: int) -> Arrival:
    attributes = cloudevents.checked(event)
    return _cloud_event(attributes, cloudevents.structured_data(event, max_bytes=max_bytes), message)


def _cloud_event(attributes: Mapping[str, Any], data: dict[str, Any], message: InboundMessage) -> Arrival:
    _check_fact(attributes["type"], message.subject, field="type")
    return _arrival(
        _dated(data, attributes.get("time")),
        message,
        key=cloudevents.identity(attributes),
        message_id=attributes["id"],
        correlation_id=_word(attributes, "correlationid"),
        trace=attributes.get("traceparent"),
    )


def _enveloped(body: dict[str, Any], message: InboundMessage) -> Arrival:
    payload, metadata = body["payload"], body.get("metadata")
    if not isinstance(payload, dict):
        raise Refusal(f"field payload must be an object, not {json_type(payload)}; put the payload there")
    _check_fact(_word(body, "event_type"), message.subject, field="event_type")
    _word(body, "producer")
    key = _word(body, "idempotency_key")
    return _arrival(
        _dated(payload, body.get("timestamp")),
        message,
        key=key,
        message_id=key,
        correlation_id=_word(body, "correlation_id"),
        trace=metadata.get("traceparent") if isinstance(metadata, dict) else None,
    )


def _arrival(
    payload: dict[str, Any],
    message: InboundMessage,
    *,
    key: str = "",
    message_id: str = "",
    correlation_id: str = "",
    trace: object = None,
) -> Arrival:
    message_id = message_id or message.header("Nats-Msg-Id") or message.place
    return Arrival(
        payload=json.dumps(payload, ensure_ascii=False, allow_nan=False),
        key=key,
        message_id=message_id,
        correlation_id=correlation_id or message_id,
        traceparent=traceparent(message.header("traceparent"), trace),
        redelivered=message.delivered > 1,
        received_at=message.received_at,
    )


def _dated(payload: dict[str, Any], time: object) -> dict[str, Any]:
    """Let the envelope's time stand for a payload that has none of its own."""
    return payload if "timestamp" in payload or time is None else payload | {"timestamp": time}


def _word(body: Mapping[str, Any], field: str) -> str:
    value = body.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refusal(f"field {field} must be a string, not {json_type(value)}; correct it and send it again")
    if len(value) > MAX_KEY:
        raise Refusal(f"field {field} is longer than {MAX_KEY} characters; shorten it")
    return value if value.strip() else ""


def _check_fact(event_type: str, subject: str, *, field: str) -> None:
    """Refuse a message that says of itself that it is another fact than its subject's.

    Publishers write one fact in many ways (`plan.approved`, `PlanApproved`, `com.example.plan.approved.v1`), so
    only the fact's own word has to occur.
    """
    fact = subject.rpartition(".")[2]
    if fact not in (word.lower() for word in WORDS.findall(event_type)):
        raise Refusal(f"field {field} says {named(event_type)}, but {subject} takes only {fact}; correct it")
