"""CloudEvents 1.0 over NATS, both modes in and the binary mode out.

After the CloudEvents NATS protocol binding 1.0.2: attributes are headers with `ce-` in front and values
percent-encoded as in the HTTP binding, or the whole event is one JSON object.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from bridge.message import InboundMessage
from bridge.rejection import Refusal, json_type, named
from bridge.strict_json import parse_object
from domain.event import Event

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


def binary_attributes(message: InboundMessage) -> dict[str, Any]:
    """Return the attributes of a CloudEvent in binary mode."""
    named_so = {name.lower(): value for name, value in message.headers.items()}
    attributes: dict[str, Any] = {
        name.removeprefix(PREFIX): unquote(value, errors="replace")
        for name, value in named_so.items()
        if name.startswith(PREFIX)
    }
    if content_type := message.header("content-type"):
        attributes["datacontenttype"] = content_type
    return checked(attributes)


def checked(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes if they make a CloudEvent 1.0 with JSON in it; raises Refusal otherwise."""
    for name in ("specversion", "id", "source", "type"):
        _check_word(name, attributes.get(name))
    if attributes["specversion"] != "1.0":
        raise Refusal(f"specversion {named(attributes['specversion'])} is not spoken here; send CloudEvents 1.0")
    content_type = attributes.get("datacontenttype") or "application/json"
    if not isinstance(content_type, str) or not _is_json(content_type):
        raise Refusal("field datacontenttype names something else than JSON; send application/json")
    return dict(attributes)


def structured_data(event: Mapping[str, Any], *, max_bytes: int) -> dict[str, Any]:
    """Return the payload of a structured CloudEvent. Raises Refusal if there is none that is a JSON object."""
    if "data_base64" in event:
        return parse_object(_from_base64(event["data_base64"]), max_bytes=max_bytes)
    data = event.get("data")
    if not isinstance(data, dict):
        raise Refusal(f"field data must be an object, not {json_type(data)}; put the payload there")
    return data


def identity(attributes: Mapping[str, Any]) -> str:
    """Return what identifies the event: source and id together, as the specification has it."""
    return f"{attributes['source']}#{attributes['id']}"


def headers_of(event: Event, *, source: str) -> dict[str, str]:
    """Return the headers of an outgoing event in binary mode, deduplication and trace context included."""
    attributes = {
        "specversion": "1.0",
        "id": event.event_id,
        "type": event.event_type,
        "source": source,
        "time": datetime.fromtimestamp(event.occurred_at, UTC).isoformat().replace("+00:00", "Z"),
        "subject": event.subject_id,
        "correlationid": event.correlation_id,
        "causationid": event.causation_id,
    }
    headers = {PREFIX + name: _quoted(text) for name, text in attributes.items() if text}
    if event.traceparent:
        headers["traceparent"] = event.traceparent
    return headers | {"content-type": "application/json", "Nats-Msg-Id": event.event_id}


def _quoted(text: str) -> str:
    return quote(text, safe=UNTOUCHED, errors="replace")


def _check_word(name: str, value: Any) -> None:
    if value is None:
        raise Refusal(f"field {name} is missing, which every CloudEvent has; add it")
    if not isinstance(value, str):
        raise Refusal(f"field {name} must be a string, not {json_type(value)}; correct it and send it again")
    if not value.strip() or len(value) > MAX_ATTRIBUTE:
        raise Refusal(f"field {name} must have 1 to {MAX_ATTRIBUTE} characters; correct it and send it again")


def _from_base64(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise Refusal("field data_base64 is not base64; encode the payload so, or send it as data") from None


def _is_json(content_type: str) -> bool:
    media_type = _media_type(content_type)
    return media_type in ("application/json", "text/json") or media_type.endswith("+json")


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
