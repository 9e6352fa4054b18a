"""Messages as publishers write them, and what was read of one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from bridge.message import InboundMessage
from bridge.rejection import Rejection
from bridge.subjects import PLAN_APPROVED
from domain.inbound import Intake

MakeMessage = Callable[..., InboundMessage]


@pytest.fixture
def approval() -> dict[str, Any]:
    """The payload of an approval with nothing but what it must have."""
    return {
        "story_id": "story-1",
        "plan_id": "plan-1",
        "approved_by": "po",
        "timestamp": "2026-01-31T12:00:00Z",
        "roles": ["DEV", "QA"],
    }


@pytest.fixture
def message() -> MakeMessage:
    """Return a function that wraps a body, bytes or JSON value, into a stored message."""

    def make(body: object, *, subject: str = PLAN_APPROVED, **headers: str) -> InboundMessage:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return InboundMessage(
            subject=subject, data=data, headers=named, stream="S", sequence=7, received_at=1_700_000_000.5
        )

    return make


def accepted(told: Intake | Rejection) -> Intake:
    assert isinstance(told, Intake), told
    return told


def reason(told: Intake | Rejection) -> str:
    assert isinstance(told, Rejection), told
    return told.reason
