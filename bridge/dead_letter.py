"""A dead letter: the original as it came, and beside it the reason why it was rejected.

The original's bytes are the body, whatever they are; everything else is in headers, so that a dead letter costs
what the original did and any NATS client can read it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import ValidationError

from bridge.message import InboundMessage
from bridge.rejection import MAX_REASON
from domain.dead_letter import DeadLetter
from domain.identity import digest
from domain.validation.words import printable
from domain.value import OpenValue

REASON, SUBJECT, STREAM, SEQUENCE = (f"Conclave-{word}" for word in ("Reason", "Subject", "Stream", "Sequence"))
DELIVERED, RECEIVED, HEADERS, OMITTED = (
    f"Conclave-{word}" for word in ("Delivered", "Received", "Headers", "Omitted")
)
PROTOCOL_BYTES = 4096
"""Of a message's limit, left to the protocol around headers and body."""


def encode_dead_letter(message: InboundMessage, reason: str, *, max_payload: int) -> tuple[dict[str, str], bytes]:
    """Return headers and body of the dead letter of a message.

    The id is derived from where the original is stored, so that a dead letter published twice is stored once. An
    original too large for headers beside it stays in its own stream, and a header says so.
    """
    place = (message.stream, str(message.sequence), str(message.received_at), message.subject)
    headers = {
        REASON: printable(reason, MAX_REASON),
        SUBJECT: message.subject,
        STREAM: message.stream,
        SEQUENCE: str(message.sequence),
        DELIVERED: str(message.delivered),
        RECEIVED: repr(message.received_at),
        HEADERS: json.dumps(message.headers),
        "Nats-Msg-Id": f"dead-{digest(*place)}",
    }
    if _size(headers) + len(message.data) + PROTOCOL_BYTES <= max_payload:
        return headers, message.data
    if _size(headers) + PROTOCOL_BYTES > max_payload:
        headers[HEADERS] = "{}"
    return headers | {OMITTED: str(len(message.data))}, b""


def encode_loss(subject: str, stream: str, end: int, reason: str, *, place: tuple[str, ...]) -> dict[str, str]:
    """Return the headers of a dead letter that tells of lost messages, of which `end` was the last sequence.

    It holds no original. `place` tells one loss from another: its dead letter is stored once.
    """
    return {
        REASON: printable(reason, MAX_REASON),
        SUBJECT: subject,
        STREAM: stream,
        SEQUENCE: str(end),
        OMITTED: "0",
        "Nats-Msg-Id": f"lost-{digest(*place)}",
    }


def decode_dead_letter(sequence: int, at: str, headers: Mapping[str, str], data: bytes) -> DeadLetter:
    """Read a dead letter that a bridge published."""
    return DeadLetter(
        sequence=sequence,
        reason=headers.get(REASON, ""),
        subject=headers.get(SUBJECT, ""),
        stream=headers.get(STREAM, ""),
        stream_sequence=_number(headers.get(SEQUENCE)),
        delivered=_number(headers.get(DELIVERED)),
        at=at,
        headers=_original_headers(headers),
        data=None if OMITTED in headers else data,
    )


class Advisory(OpenValue):
    """What JetStream says of a message that it delivers no more (its `io.nats.jetstream.advisory.v1` types)."""

    type: str = ""
    stream: str
    stream_seq: int
    deliveries: int = 0
    reason: str = ""


def decode_advisory(sequence: int, at: str, data: bytes) -> DeadLetter:
    """Read JetStream's advisory that it delivers a message no more; the original has yet to be looked up."""
    try:
        advisory = Advisory.model_validate_json(data)
    except ValidationError:
        reason = "not readable as an advisory of JetStream, on whose subject it was published; purge it"
        return DeadLetter(sequence=sequence, reason=reason, at=at, data=data)
    cause = advisory.reason or "the consumer terminated it"
    delivered = f"delivered {advisory.deliveries} times and never acknowledged"
    reason = f"terminated: {cause}" if advisory.type.endswith("terminated") else delivered
    return DeadLetter(
        sequence=sequence,
        reason=printable(reason, MAX_REASON),
        stream=advisory.stream,
        stream_sequence=advisory.stream_seq,
        delivered=advisory.deliveries,
        at=at,
    )


def _original_headers(headers: Mapping[str, str]) -> dict[str, str]:
    try:
        original = json.loads(headers.get(HEADERS, "{}"))
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in original.items()} if isinstance(original, dict) else {}


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0


def _size(headers: Mapping[str, str]) -> int:
    return sum(len(name) + len(value.encode()) + 4 for name, value in headers.items())
