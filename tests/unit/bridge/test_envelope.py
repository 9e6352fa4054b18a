"""Three dialects, one model: in each the payload, its key and its trace are found."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from bridge.envelope import open_envelope
from bridge.message import InboundMessage
from bridge.rejection import MessageRejected
from tests.unit.bridge.conftest import MakeMessage

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def enveloped(payload: object, /, **changes: Any) -> dict[str, Any]:
    return {
        "event_type": "planning.plan.approved",
        "payload": payload,
        "idempotency_key": "key-1",
        "correlation_id": "corr-1",
        "timestamp": "2026-02-01T00:00:00Z",
        "producer": "planner",
        "metadata": {},
    } | changes


def cloud_event(data: object, /, **changes: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "event-1",
        "source": "/planner",
        "type": "com.example.plan.approved.v1",
        "data": data,
    } | changes


def rejected(message: InboundMessage) -> str:
    with pytest.raises(MessageRejected) as error:
        open_envelope(message)
    return str(error.value)


def test_bare_json_is_its_own_payload_and_has_no_key(approval: dict[str, Any], message: MakeMessage) -> None:
    event = open_envelope(message(approval))
    assert event.payload == approval
    assert (event.key, event.message_id, event.correlation_id) == ("", "S:7", "S:7")
    assert event.received_at == 1_700_000_000.5


def test_a_bare_message_is_known_by_its_message_id_header(approval: dict[str, Any], message: MakeMessage) -> None:
    event = open_envelope(message(approval, nats_msg_id="m-9"))
    assert (event.message_id, event.key) == ("m-9", "")


def test_an_envelope_gives_key_and_correlation(approval: dict[str, Any], message: MakeMessage) -> None:
    event = open_envelope(message(enveloped(approval)))
    assert event.payload == approval
    assert (event.key, event.message_id, event.correlation_id) == ("key-1", "key-1", "corr-1")


def test_an_envelope_without_a_key_is_known_by_its_place(approval: dict[str, Any], message: MakeMessage) -> None:
    event = open_envelope(message(enveloped(approval, idempotency_key=None, correlation_id="")))
    assert (event.key, event.message_id, event.correlation_id) == ("", "S:7", "S:7")


@pytest.mark.parametrize("wrap", [enveloped, lambda data: cloud_event(data, time="2026-02-01T00:00:00Z")])
def test_the_envelopes_time_stands_for_a_missing_one(
    approval: dict[str, Any], message: MakeMessage, wrap: Any
) -> None:
    del approval["timestamp"]
    event = open_envelope(message(wrap(approval)))
    assert event.payload["timestamp"] == "2026-02-01T00:00:00Z"


@pytest.mark.parametrize("content_type", ["application/cloudevents+json; charset=utf-8", "application/json", ""])
def test_a_structured_cloud_event_is_identified_by_source_and_id(
    approval: dict[str, Any], message: MakeMessage, content_type: str
) -> None:
    body = cloud_event(approval, correlationid="corr-2", traceparent=TRACE)
    event = open_envelope(message(body, content_type=content_type))
    assert event.payload == approval
    assert (event.key, event.message_id) == ("/planner#event-1", "event-1")
    assert (event.correlation_id, event.traceparent) == ("corr-2", TRACE)


def test_a_structured_cloud_event_may_carry_base64(approval: dict[str, Any], message: MakeMessage) -> None:
    wrapped = cloud_event(None, data_base64=base64.b64encode(json.dumps(approval).encode()).decode())
    del wrapped["data"]
    assert open_envelope(message(wrapped)).payload == approval


def test_a_binary_cloud_event_has_its_attributes_in_headers(
    approval: dict[str, Any], message: MakeMessage
) -> None:
    headers = {
        "ce_specversion": "1.0",
        "CE_ID": "ev%20ent",
        "Ce_Source": "/pl%C3%A4nner",
        "ce_type": "PlanApproved",
        "ce_correlationid": "corr-3",
        "Content_Type": "application/json",
        "TraceParent": TRACE,
    }
    event = open_envelope(message(approval, **headers))
    assert event.payload == approval
    assert (event.key, event.message_id) == ("/plänner#ev ent", "ev ent")
    assert (event.correlation_id, event.traceparent) == ("corr-3", TRACE)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda data: (enveloped(data, metadata={"traceparent": TRACE}), {}),
        lambda data: (data, {"traceparent": TRACE}),
        lambda data: (cloud_event(data, traceparent="nonsense"), {"traceparent": TRACE}),
        lambda data: (
            cloud_event(data, traceparent=TRACE),
            {"traceparent": "00-" + "0" * 32 + "-" + "0" * 16 + "-01"},
        ),
    ],
)
def test_the_first_valid_trace_context_is_followed(
    approval: dict[str, Any], message: MakeMessage, wrap: Any
) -> None:
    body, headers = wrap(approval)
    assert open_envelope(message(body, **headers)).traceparent == TRACE


def test_an_invalid_trace_context_is_ignored(approval: dict[str, Any], message: MakeMessage) -> None:
    assert open_envelope(message(approval, traceparent=TRACE.upper())).traceparent == ""


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"payload": "text"}, "field payload must be an object, not a string"),
        ({"payload": None}, "field payload must be an object, not null"),
        ({"event_type": 5}, "field event_type must be a string, not a number"),
        ({"event_type": "planning.plan.rejected"}, "field event_type says planning.plan.rejected"),
        ({"idempotency_key": ["k"]}, "field idempotency_key must be a string, not a list"),
        ({"idempotency_key": "k" * 513}, "field idempotency_key is longer than 512 characters"),
        ({"correlation_id": {}}, "field correlation_id must be a string, not an object"),
        ({"producer": 1}, "field producer must be a string"),
    ],
)
def test_an_envelope_that_is_wrong_is_refused(
    approval: dict[str, Any], message: MakeMessage, changes: dict[str, Any], complaint: str
) -> None:
    assert complaint in rejected(message(enveloped(approval, **changes)))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"specversion": "0.3"}, "specversion 0.3 is not spoken here"),
        ({"specversion": 1.0}, "field specversion must be a string"),
        ({"id": None}, "field id is missing"),
        ({"id": ""}, "field id must have 1 to 512 characters"),
        ({"source": "x" * 513}, "field source must have 1 to 512 characters"),
        ({"type": "com.example.plan.withdrawn"}, "field type says com.example.plan.withdrawn"),
        ({"datacontenttype": "text/xml"}, "field datacontenttype names something else than JSON"),
        ({"datacontenttype": 4}, "field datacontenttype names something else than JSON"),
        ({"data": [1]}, "field data must be an object, not a list"),
        ({"data_base64": "***"}, "field data_base64 is not base64"),
        ({"data_base64": 7}, "field data_base64 is not base64"),
        ({"data_base64": base64.b64encode(b'{"a":NaN}').decode()}, "NaN"),
        ({"correlationid": 7}, "field correlationid must be a string"),
    ],
)
def test_a_cloud_event_that_is_wrong_is_refused(
    approval: dict[str, Any], message: MakeMessage, changes: dict[str, Any], complaint: str
) -> None:
    assert complaint in rejected(message(cloud_event(approval, **changes)))


def test_a_batch_of_cloud_events_is_refused(approval: dict[str, Any], message: MakeMessage) -> None:
    batch = [cloud_event(approval)]
    assert "must be a JSON object, not a list" in rejected(
        message(batch, content_type="application/cloudevents-batch+json")
    )


def test_a_binary_cloud_event_of_another_content_type_is_refused(
    approval: dict[str, Any], message: MakeMessage
) -> None:
    headers = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "/", "ce_type": "plan.approved"}
    assert "names something else than JSON" in rejected(
        message(approval, content_type="application/xml", **headers)
    )


def test_a_bare_payload_may_have_a_field_of_an_envelopes_name(
    approval: dict[str, Any], message: MakeMessage
) -> None:
    body = approval | {"event_type": "whatever", "metadata": 5}
    assert open_envelope(message(body)).payload == body
