"""A program hears at once, and before anything is published, what a bridge would refuse."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.client.approving import message_of
from bridge.client.errors import InvalidMessage
from domain.plan import Constraints
from tests.support.factories import plan

SCHEMA: dict[str, Any] = {"type": "object", "required": ["steps"]}


def test_a_plans_output_schema_reaches_the_bridge_as_it_was_written() -> None:
    demanding = plan(constraints=Constraints(output_schema=SCHEMA))
    assert message_of(demanding).request.plan.constraints.output_schema == SCHEMA
    assert message_of(plan()).request.plan.constraints.output_schema is None


def test_a_schema_that_proposals_can_not_be_held_to_is_refused_with_its_fault() -> None:
    demanding = plan(constraints=Constraints(output_schema={"required": "steps"}))
    with pytest.raises(InvalidMessage, match=r"output_schema is no JSON Schema .*required must be a list of"):
        message_of(demanding)


def test_a_key_names_the_approval_whatever_its_time() -> None:
    fields = plan().model_dump(mode="json")
    first, second = (message_of({**fields, "timestamp": f"2026-01-0{day}T00:00:00Z"}, "key-1") for day in (1, 2))
    assert first.request.request_id == second.request.request_id
    assert (first.request.revision, first.request.content) == ("key-1", second.request.content)
    assert message_of(fields, "key-2").request.request_id != first.request.request_id
