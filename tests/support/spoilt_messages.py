"""Messages that nobody would send, by the thousand and the same for the same seed: spoilt in every dialect."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

# Every field that any dialect reads, and one that none does.
PLAN_FIELDS = ["story_id", "plan_id", "approved_by", "timestamp", "roles", "title", "description", "priority"]
QUESTION_FIELDS = [
    "role",
    "question",
    "request_id",
    "requested_by",
    "from_phase",
    "to_phase",
    "acceptance_criteria",
]
CONSTRAINT_FIELDS = ["constraints", "rubric", "requirements", "rounds", "num_agents", "max_tokens", "deadline_s"]
RUBRIC_FIELDS = ["criteria", "name", "weight", "colour"]
ENVELOPE_FIELDS = ["event_type", "payload", "idempotency_key", "correlation_id", "producer", "metadata"]
CLOUD_FIELDS = [
    "specversion",
    "id",
    "source",
    "type",
    "data",
    "data_base64",
    "datacontenttype",
    "time",
    "traceparent",
]
FIELDS = PLAN_FIELDS + QUESTION_FIELDS + CONSTRAINT_FIELDS + RUBRIC_FIELDS + ENVELOPE_FIELDS + CLOUD_FIELDS
ROLE = "NOBODY"
"""The role asked. No council has it, so what is accepted nevertheless is answered without a model."""
GOOD: dict[str, Any] = {
    "story_id": "s",
    "plan_id": "p",
    "approved_by": "po",
    "timestamp": "2026-01-31T12:00:00Z",
    "roles": [ROLE],
    "role": ROLE,
    "question": "Why?",
    "from_phase": "PLAN",
    "to_phase": "BUILD",
}
ODD: tuple[Callable[[random.Random], Any], ...] = (
    lambda _: None,
    lambda rng: rng.choice([True, False, 0, -1, 1.5, 10**24, -(10**20), 1e300, 5e-324]),
    lambda rng: rng.choice(["", " ", "\x00", "\ud800", "‮", "é" * 300, "x" * 5000, "1.0", "2026-13-45", ROLE]),
    lambda rng: [rng.choice([None, 1, "", ROLE, [], {}])] * rng.randint(0, 70),
    lambda rng: {rng.choice(FIELDS): rng.choice([None, 1, "x", []])},
    lambda rng: nested(rng.randint(1, 100)),
)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def spoilt(rng: random.Random) -> bytes:
    """Return an approval, question or transition in some dialect with some things wrong."""
    body: dict[str, Any] = dict(GOOD)
    for _ in range(rng.randint(0, 4)):
        field = rng.choice(FIELDS)
        body[field] = rng.choice(ODD)(rng)
        if rng.random() < 0.3:
            body.pop(rng.choice(tuple(body)), None)
    wrapped = rng.choice((bare, enveloped, cloud_event))(body, rng)
    text = json.dumps(wrapped, ensure_ascii=rng.random() < 0.7, allow_nan=True)
    return damaged(text.encode("utf-8", "surrogatepass"), rng)


def bare(body: Any, _: random.Random) -> Any:
    return body


def enveloped(body: Any, rng: random.Random) -> Any:
    return in_envelope(body) | _odd_field(rng)


def cloud_event(body: Any, rng: random.Random) -> Any:
    return in_cloud_event(body) | _odd_field(rng)


def in_envelope(body: Any) -> dict[str, Any]:
    """Wrap a body as an event of every subject."""
    return {"event_type": "plan.approved.requested.transitioned", "payload": body, "idempotency_key": "k"}


def in_cloud_event(body: Any) -> dict[str, Any]:
    """Wrap a body as a structured event of every subject."""
    attributes = {"specversion": "1.0", "id": "1", "source": "/", "type": "approved.requested.transitioned"}
    return attributes | {"data": body}


def _odd_field(rng: random.Random) -> dict[str, Any]:
    return {rng.choice(FIELDS): rng.choice(ODD)(rng)} if rng.random() < 0.5 else {}


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Leave most messages whole; cut, flip, repeat or replace bytes in the others."""
    if rng.random() < 0.6 or not data:
        return data
    at = rng.randrange(len(data))
    return rng.choice(
        (
            data[:at],
            data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :],
            data[:at] + data[at // 2 : at] + data[at:],
            rng.randbytes(rng.randint(0, 200)),
            data.replace(b'"p"', b"NaN"),
            data.replace(b'"s"', b"9" * 6000),
            data.replace(b'"plan_id"', b'"story_id"'),
            data.replace(b'"po"', b'"\\ud83d"'),
        )
    )


def odd_headers(rng: random.Random) -> dict[str, str]:
    names = ("content-type", "ce-specversion", "ce-id", "ce-source", "ce-type", "ce-time", "traceparent", "Status")
    values = ("1.0", "", "application/cloudevents+json", "approved", "%ff%zz", "\ufffd", "x" * 600, "404")
    return {rng.choice(names): rng.choice(values) for _ in range(rng.choice((0, 0, 0, 1, 5)))}
