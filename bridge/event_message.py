"""An outgoing event as NATS messages, in the dialects of the installation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from bridge.aliases import aliases_of
from bridge.cloudevents import STRUCTURED, headers_of, moment_of, structured_event
from bridge.options import SOURCE, EventDialect, EventOptions
from domain.event import Event
from domain.inbound import JsonObject

OURS = "orchestration"
"""What the types of our events begin with."""
SECOND = ":second"
"""Behind an event's id in the Nats-Msg-Id of its second message: a stream takes each id once."""


@dataclass(frozen=True)
class EventMessage:
    """One NATS message of an event."""

    event_id: str
    """Of the event that is published when all its messages are."""
    subject: str
    data: bytes
    headers: Mapping[str, str]

    @property
    def message_id(self) -> str:
        """What the stream tells messages apart by."""
        return self.headers["Nats-Msg-Id"]


@dataclass(frozen=True)
class EventEncoder:
    """Writes events for one installation."""

    source: str
    """Who they are from."""
    options: EventOptions = field(default_factory=EventOptions)

    def messages(self, event: Event) -> tuple[EventMessage, ...]:
        """Return every message that tells the event, its own first; the same event gives the same messages."""
        facts = (event, *aliases_of(event)) if self.options.aliases else (event,)
        return tuple(message for fact in facts for message in self._of_fact(fact, event.event_id))

    def _of_fact(self, fact: Event, event_id: str) -> Iterator[EventMessage]:
        data, headers = self._encoded(fact, self.options.dialect)
        yield EventMessage(event_id, fact.event_type, data, headers)
        if self.options.second_prefix:
            data, headers = self._encoded(fact, self.options.second_dialect)
            subject = f"{self.options.second_prefix}{fact.event_type.removeprefix(OURS)}"
            second = headers | {"Nats-Msg-Id": f"{fact.event_id}{SECOND}"}
            yield EventMessage(event_id, subject, data, second)

    def _encoded(self, event: Event, dialect: EventDialect) -> tuple[bytes, dict[str, str]]:
        if dialect == "envelope":
            return _dumped(self._envelope(event)), _headers(event, "application/json")
        if dialect == "cloudevents":
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


BARE = EventEncoder(SOURCE)
"""How events leave by default."""


def body_of(event: Event) -> bytes:
    """Return the event's JSON object as bytes; half a surrogate pair, which UTF-8 can't hold, stays escaped."""
    try:
        return event.body.model_dump_json().encode()
    except ValueError:  # pydantic, which writes it in a quarter of the time, escapes nothing
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
