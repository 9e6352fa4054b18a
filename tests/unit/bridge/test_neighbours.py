"""Messages in the shapes that neighbouring systems send, each with what becomes of it, from its bytes to prompts.

The shapes are those of underpass-ai/swe-ai-fleet (planning service, backoffice, scripts, documents).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bridge.intake import readers
from bridge.message import InboundMessage
from bridge.rejection import Rejection
from domain.contract import DispatchedBody, PhaseChangedBody
from domain.inbound import INCOMING, Intake
from tests.support.factories import council
from tests.support.stage import Stage

ROWS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "data" / "neighbours.json").read_text(encoding="utf-8")
)
READERS = readers(phases={"IN_PROGRESS": ("qa",)}, default_roles=("architect", "DEV"))
COUNCILS = [council(role, size=1) for role in ("ARCHITECT", "DEV", "DEVOPS", "QA")]


def read(row: dict[str, Any]) -> Intake | Rejection:
    message = InboundMessage(
        subject=row["subject"], data=json.dumps(row["message"]).encode(), stream="S", sequence=1, received_at=1.7e9
    )
    return READERS[row["subject"]](message)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["from"])
def test_what_becomes_of_a_message(row: dict[str, Any]) -> None:
    intake, becomes = read(row), row["becomes"]
    if "refused" in becomes:
        assert isinstance(intake, Rejection)
        assert intake.reason.startswith(becomes["refused"])
        return
    assert isinstance(intake, Intake)
    phases = [
        [body.from_phase, body.to_phase]
        for body in (event.body for event in intake.events)
        if isinstance(body, PhaseChangedBody)
    ]
    assert phases == ([becomes["phases"]] if "phases" in becomes else [])
    revisions = {request.revision for request in intake.requests} | {
        event.body.revision for event in intake.events if isinstance(event.body, PhaseChangedBody)
    }
    assert revisions == {becomes["revision"]}
    if becomes["roles"] is None:
        assert intake.requests == ()
        return

    stage = Stage(*COUNCILS)
    stage.approve(intake.requests[0])
    (dispatched,) = stage.news.bodies(DispatchedBody)
    assert [started.role for started in dispatched.started] == becomes["roles"]
    assert dispatched.failed == ()
    assert becomes["message"] in dispatched.message
    assert bool(becomes["message"]) == bool(dispatched.message)
    for deliberation_id, _ in stage.queue.work:
        stage.propose(deliberation_id)
    assert len(stage.model.requests) == len(becomes["roles"])
    for request in stage.model.requests:
        prompt = "\n".join(message.content for message in request.messages)
        assert [text for text in becomes["seen"] if text not in prompt] == []


@pytest.mark.parametrize(
    "row", [row for row in ROWS if "payload" not in row["message"]], ids=lambda row: row["from"]
)
def test_the_published_schema_takes_what_is_taken(row: dict[str, Any]) -> None:
    schema = INCOMING[row["subject"]].model_json_schema()
    faults = list(Draft202012Validator(schema).iter_errors(row["message"]))
    assert bool(faults) == ("missing" in row["becomes"].get("refused", ""))


def test_without_default_roles_a_plan_that_names_none_asks_no_role_and_the_answer_says_so() -> None:
    (row,) = [row for row in ROWS if row["from"] == "an approval whose roles are null"]
    message = InboundMessage(subject=row["subject"], data=json.dumps(row["message"]).encode(), received_at=1.7e9)
    intake = readers(phases={})[row["subject"]](message)
    assert isinstance(intake, Intake)
    stage = Stage(*COUNCILS)
    stage.approve(intake.requests[0])
    (dispatched,) = stage.news.bodies(DispatchedBody)
    assert (dispatched.roles, dispatched.started, dispatched.failed) == ((), (), ())
    assert dispatched.message == "the plan names no roles, so nothing was asked"
