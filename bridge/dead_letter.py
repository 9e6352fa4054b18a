"""A dead letter: the original as it came, and beside it why nobody took it.

The original's bytes are the message's body, whatever they are; everything else is in headers, so that a letter
costs what the original did and any NATS client can read it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from bridge.message import InboundMessage
from bridge.rejection import MAX_REASON, named
from domain.identity import digest
from domain.value import Value

REASON, SUBJECT, STREAM, SEQUENCE = (f"Conclave-{word}" for word in ("Reason", "Subject", "Stream", "Sequence"))
DELIVERED, RECEIVED, HEADERS, OMITTED = (
    f"Conclave-{word}" for word in ("Delivered", "Received", "Headers", "Omitted")
)
ROOM = 4096
"""Bytes of a message's limit left to the protocol around headers and body."""


class DeadLetter(Value):
    """A message that was refused, or delivered as often as it may be."""

    sequence: int
    """Its place in the dead-letter stream; names it to `show`, `replay` and `purge`."""
    reason: str
    subject: str
    """Where the original came on; empty if the advisory's original is gone."""
    stream: str
    stream_sequence: int
    """Where the original is, or was."""
    delivered: int
    """How often it had been delivered."""
    at: str
    """When it became a dead letter, ISO 8601."""
    headers: dict[str, str] = {}
    """The original's."""
    data: bytes | None = None
    """The original's bytes; None if they can't be had any more."""

    def as_dict(self) -> dict[str, object]:
        """Return plain values for JSON: the body as `data` if it is UTF-8, else as `data_base64`."""
        plain = self.model_dump(exclude={"data"})
        if self.data is None:
            return plain | {"data": None}
        try:
            return plain | {"data": self.data.decode("utf-8")}
        except UnicodeDecodeError:
            return plain | {"data_base64": base64.b64encode(self.data).decode()}


def letter_headers(message: InboundMessage, reason: str, *, max_payload: int) -> tuple[dict[str, str], bytes]:
    """Return headers and body of the dead letter for a message.

    The id is derived from where the original lies, so that a letter written twice is stored once. An original
    that leaves no room for the headers stays in its own stream, and the letter says so.
    """
    place = (message.stream, str(message.sequence), str(message.received_at), message.subject)
    headers = {
        REASON: named(reason, MAX_REASON),
        SUBJECT: message.subject,
        STREAM: message.stream,
        SEQUENCE: str(message.sequence),
        DELIVERED: str(message.delivered),
        RECEIVED: repr(message.received_at),
        HEADERS: json.dumps(message.headers),
        "Nats-Msg-Id": f"dead-{digest(*place)}",
    }
    if _size(headers) + len(message.data) + ROOM <= max_payload:
        return headers, message.data
    if _size(headers) + ROOM > max_payload:
        headers[HEADERS] = "{}"
    return headers | {OMITTED: str(len(message.data))}, b""


def read_letter(sequence: int, at: str, headers: Mapping[str, str], data: bytes) -> DeadLetter:
    """Read a dead letter that we wrote."""
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


def read_advisory(sequence: int, at: str, advisory: Mapping[str, Any]) -> DeadLetter:
    """Read what JetStream says of a message it delivers no more; the original has yet to be looked up."""
    deliveries = int(advisory.get("deliveries", 0))
    ended = advisory.get("type", "").endswith("terminated")
    why = advisory.get("reason") or "the consumer terminated it"
    reason = f"terminated: {why}" if ended else f"delivered {deliveries} times and never acknowledged"
    return DeadLetter(
        sequence=sequence,
        reason=named(reason, MAX_REASON),
        subject="",
        stream=str(advisory.get("stream", "")),
        stream_sequence=int(advisory.get("stream_seq", 0)),
        delivered=deliveries,
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
