"""Conclave's own events, read back in whatever dialect they were published."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from bridge.envelope import open_envelope
from bridge.message import InboundMessage
from bridge.rejection import MessageRejected
from domain.contract import EventBody
from domain.inbound import JsonObject

MAX_EVENT_BYTES = 64 << 20
"""The largest payload that a NATS server can be set to."""
BODY: TypeAdapter[EventBody] = TypeAdapter(EventBody)


def event_in(message: InboundMessage) -> EventBody | None:
    """Return the event's body; None for what another has put on our subjects, or a later version tells."""
    payload = payload_in(message)
    try:
        return None if payload is None else BODY.validate_python(payload)
    except ValidationError:
        return None


def payload_in(message: InboundMessage) -> JsonObject | None:
    """Return what would be the event's body, not validated; None for what names another subject, or none."""
    try:
        payload = open_envelope(message, max_bytes=MAX_EVENT_BYTES).payload
    except MessageRejected:
        return None
    return payload if payload.get("event_type") == message.subject else None
