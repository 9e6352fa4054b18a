"""CloudEvents 1.0 over NATS, both modes in and out.

After the CloudEvents NATS protocol binding 1.0.2: attributes are headers with `ce-` in front and values
percent-encoded as in the HTTP binding, or the whole event is one JSON object.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from pydantic import JsonValue

from bridge.message import InboundMessage
from bridge.rejection import MessageRejected
from bridge.strict_json import parse_object
from domain.event import Event
from domain.inbound import JsonObject
from domain.validation.words import json_type, printable

STRUCTURED = "application/cloudevents"
PREFIX = "ce-"
# Printable ASCII without space, the quotation mark and the percent sign travels as it is.
UNTOUCHED = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
MAX_ATTRIBUTE = 512
"""Characters of an id or a source."""


def is_structured(message: InboundMessage) -> bool:
    """Whether the content type says that the body is a whole CloudEvent, or a batch of them."""
    return _media_type(message.header("content-type")).startswith(STRUCTURED)


def is_binary(message: InboundMessage) -> bool:
    """Whether the attributes are in the headers."""
    return bool(message.header("ce-specversion"))


def binary_attributes(message: InboundMessage) -> JsonObject:
    """Return the attributes of a CloudEvent in binary mode. Raises MessageRejected as `checked` does."""
    headers = {name.lower(): value for name, value in message.headers.items()}
    attributes: dict[str, JsonValue] = {
        name.removeprefix(PREFIX): unquote(value, errors="replace")
        for name, value in headers.items()
        if name.startswith(PREFIX)
    }
    if content_type := message.header("content-type"):
        attributes["datacontenttype"] = content_type
    return checked(attributes)


def checked(attributes: JsonObject) -> JsonObject:
    """Return the attributes if they make a CloudEvent 1.0 with JSON in it; raises MessageRejected otherwise."""
    for name in ("specversion", "id", "source", "type"):
        _check_word(name, attributes.get(name))
    if attributes["specversion"] != "1.0":
        raise MessageRejected(
            f"specversion {printable(str(attributes['specversion']))} is not spoken here; send CloudEvents 1.0"
        )
    content_type = attributes.get("datacontenttype") or "application/json"
    if not isinstance(content_type, str) or not _is_json(content_type):
        raise MessageRejected("field datacontenttype names something else than JSON; send application/json")
    return attributes


def structured_data(event: JsonObject, *, max_bytes: int) -> JsonObject:
    """Return the payload of a structured CloudEvent. Raises MessageRejected if it is no JSON object."""
    if "data_base64" in event:
        return parse_object(_from_base64(event["data_base64"]), max_bytes=max_bytes)
    data = event.get("data")
    if not isinstance(data, dict):
        raise MessageRejected(f"field data must be an object, not {json_type(data)}; put the payload there")
    return data


def identity(attributes: JsonObject) -> str:
    """Return what identifies the event: source and id together, as the specification has it."""
    return f"{attributes['source']}#{attributes['id']}"


def headers_of(event: Event, *, source: str) -> dict[str, str]:
    """Return the headers of an outgoing event in binary mode, deduplication and trace context included."""
    headers = {PREFIX + name: _quoted(text) for name, text in _attributes_of(event, source).items()}
    if event.traceparent:
        headers["traceparent"] = event.traceparent
    return headers | {"content-type": "application/json", "Nats-Msg-Id": event.event_id}


def structured_event(event: Event, data: JsonObject, *, source: str) -> JsonObject:
    """Return an outgoing event in structured mode, its trace context among the attributes."""
    attributes: dict[str, JsonValue] = dict(_attributes_of(event, source))
    if event.traceparent:
        attributes["traceparent"] = event.traceparent
    return {**attributes, "datacontenttype": "application/json", "data": dict(data)}


def _attributes_of(event: Event, source: str) -> dict[str, str]:
    attributes = {
        "specversion": "1.0",
        "id": event.event_id,
        "type": event.event_type,
        "source": source,
        "time": moment_of(event),
        "subject": event.subject_id,
        "correlationid": event.correlation_id,
        "causationid": event.causation_id,
    }
    return {name: text for name, text in attributes.items() if text}


def moment_of(event: Event) -> str:
    """Return when it occurred, as RFC 3339 in UTC."""
    return datetime.fromtimestamp(event.occurred_at, UTC).isoformat().replace("+00:00", "Z")


def _quoted(text: str) -> str:
    return quote(text, safe=UNTOUCHED, errors="replace")


def _check_word(name: str, value: JsonValue) -> None:
    if value is None:
        raise MessageRejected(f"field {name} is missing, which every CloudEvent has; add it")
    if not isinstance(value, str):
        raise MessageRejected(f"field {name} must be a string, not {json_type(value)}; correct it")
    if not value.strip() or len(value) > MAX_ATTRIBUTE:
        raise MessageRejected(f"field {name} must have 1 to {MAX_ATTRIBUTE} characters; correct it")


def _from_base64(text: JsonValue) -> bytes:
    if isinstance(text, str):
        with suppress(ValueError):
            return base64.b64decode(text, validate=True)
    raise MessageRejected("field data_base64 is not base64; encode the payload so, or send it as data")


def _is_json(content_type: str) -> bool:
    media_type = _media_type(content_type)
    return media_type in ("application/json", "text/json") or media_type.endswith("+json")


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
