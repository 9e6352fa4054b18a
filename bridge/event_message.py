"""An outgoing event as a NATS message, in the dialect of the installation."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import JsonValue

from bridge.cloudevents import STRUCTURED, headers_of, moment_of, structured_event
from bridge.options import EventDialect
from domain.event import Event
from domain.inbound import JsonObject


@dataclass(frozen=True)
class EventEncoder:
    """Writes events for one installation."""

    source: str
    """Who they are from."""
    dialect: EventDialect = "bare"

    def message(self, event: Event) -> tuple[bytes, dict[str, str]]:
        """Return the payload and the headers; the Nats-Msg-Id is the event's id in every dialect."""
        if self.dialect == "envelope":
            return _dumped(self._envelope(event)), _headers(event, "application/json")
        if self.dialect == "cloudevents":
            body = structured_event(event, _body(event), source=self.source)
            return _dumped(body), _headers(event, f"{STRUCTURED}+json")
        return body_of(event), headers_of(event, source=self.source)

    def _envelope(self, event: Event) -> JsonObject:
        # A header ce-specversion would have readers take the whole envelope for a CloudEvent's data.
        metadata: dict[str, JsonValue] = {"traceparent": event.traceparent} if event.traceparent else {}
        causation: dict[str, JsonValue] = {"causation_id": event.causation_id} if event.causation_id else {}
        envelope: dict[str, JsonValue] = {
            "event_type": event.event_type,
            "payload": dict(_body(event)),
            "idempotency_key": event.event_id,
            "correlation_id": event.correlation_id or event.event_id,
            "timestamp": moment_of(event),
            "producer": self.source,
            "metadata": metadata,
        }
        return envelope | causation


def body_of(event: Event) -> bytes:
    """Return the event's JSON object as bytes; half a surrogate pair, which UTF-8 can't hold, stays escaped."""
    return _dumped(_body(event))


def _body(event: Event) -> JsonObject:
    body: JsonObject = event.body.model_dump(mode="json")
    return body


def _dumped(value: JsonObject) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def _headers(event: Event, content_type: str) -> dict[str, str]:
    trace = {"traceparent": event.traceparent} if event.traceparent else {}
    return trace | {"content-type": content_type, "Nats-Msg-Id": event.event_id}
