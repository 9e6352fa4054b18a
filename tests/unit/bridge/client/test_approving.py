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
