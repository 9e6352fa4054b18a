"""A plan that demands a form, through real processes: only what has it wins, and hostile schemas hurt nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from domain.contract import CompletedBody, FailedBody
from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, FAILED, approval
from tests.support.fleet import Fleet
from tests.support.observer import Observer, watching
from tests.support.scripted_answers import Body, free_text
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.guard import Guard

WITHIN = 240.0
"""Seconds; it takes some ten."""
DEAD_LETTER = f"conclave.dead_letter.{APPROVED}"
SCHEMA = {"type": "object", "properties": {"steps": {"type": "array", "minItems": 1}}, "required": ["steps"]}
PROSE, SHORT, ENDLESS = "One writes prose", "Two are off the form", "The pattern never ends"
OFF_FORM = {PROSE: {1: "Send a link."}, SHORT: {1: "Send a link.", 3: '{"steps": []}'}}
"""Title of a plan → seed of an agent → what it writes; others keep to the form."""


def text(body: Body) -> str:
    asked, seed = json.dumps(body["messages"]), body.get("seed")
    if ENDLESS in asked:
        return json.dumps("a" * 60 + "b" * int(seed or 1))
    for title, texts in OFF_FORM.items():
        if title in asked:
            assert "## Form of every proposal" in asked
            return texts.get(seed or 0) or json.dumps({"steps": [free_text(body)]})
    return free_text(body)


def demanding(schema: Any, **fields: Any) -> dict[str, Any]:
    return approval(constraints={"output_schema": schema}, **fields)


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"not": schema}
    return schema


def test_only_what_is_on_the_form_wins_and_hostile_schemas_neither_hurt_nor_hang(
    tmp_path: Path, guard: Guard
) -> None:
    with (
        NatsServer(tmp_path / "nats", guard=guard) as nats,
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        ScriptedEngine(text=text) as engine,
        Fleet(tmp_path, guard, nats_url=nats.url, redis_url=valkey.url, engine_url=engine.openai_url) as fleet,
    ):
        services_of(nats.url, valkey.url, fleet.model)
        for service in (fleet.bridge(), fleet.control(threads=8), fleet.worker(threads=8)):
            service.start()
        watching(nats.url, scenario)


async def scenario(observer: Observer) -> None:
    endless = demanding({"type": "string", "pattern": "^(a+)+$"}, title=ENDLESS)
    one_off, two_off = demanding(SCHEMA, title=PROSE), demanding(SCHEMA, title=SHORT)
    plain = approval()
    for asked in (endless, one_off, two_off, plain):
        await observer.publish(APPROVED, asked)
    await others_win(observer, one_off)
    await nobody_wins(observer, two_off)
    await observer.wait(COMPLETED, plan_id=plain["plan_id"], within=WITHIN)
    (event,) = await observer.wait(FAILED, plan_id=endless["plan_id"], within=WITHIN)
    body = FailedBody.model_validate(event.body)
    assert "0 of 3 agents have an admissible proposal" in body.reason
    assert [row.detail.startswith("not judged: ") for row in body.failures] == [True] * 3
    await refused(observer)


async def others_win(observer: Observer, asked: dict[str, Any]) -> None:
    (event,) = await observer.wait(COMPLETED, plan_id=asked["plan_id"], within=WITHIN)
    body = CompletedBody.model_validate(event.body)
    assert {row.proposal.author.agent_id for row in body.decisions} == {"agent-2", "agent-3"}
    for row in body.decisions:
        assert row.checks.rows["output_schema"].passed
        assert json.loads(row.proposal.content)["steps"]
    assert [(row.agent_id, row.stage) for row in body.failures] == [("agent-1", "checks")]


async def nobody_wins(observer: Observer, asked: dict[str, Any]) -> None:
    (event,) = await observer.wait(FAILED, plan_id=asked["plan_id"], within=WITHIN)
    body = FailedBody.model_validate(event.body)
    assert body.reason.endswith("the quorum is 2; 2 do not satisfy constraints.output_schema")
    assert [proposal.content for proposal in body.proposals][::2] == ["Send a link.", '{"steps": []}']
    details = {row.agent_id: row.detail for row in body.failures}
    assert details["agent-3"] == "does not satisfy the plan's output schema: steps breaks minItems: 1"
    assert observer.of(COMPLETED, plan_id=asked["plan_id"]) == []


async def refused(observer: Observer) -> None:
    """Each hostile schema is a dead letter that names the fault, and the bridge goes on."""
    hostile = {
        "refers to another document": {"$ref": "http://127.0.0.1:9/schema.json"},
        "leads back to itself": {"$ref": "#"},
        "nested deeper than": deep(40),
        "characters, 32768 are allowed": {"enum": list(range(20_000))},
        "is no regular expression": {"pattern": "(" * 500},
    }
    for schema in hostile.values():
        await observer.publish(APPROVED, demanding(schema))
    letters = await observer.wait(DEAD_LETTER, count=len(hostile), within=WITHIN)
    reasons = [str(letter.headers["Conclave-Reason"]) for letter in letters]
    for words, reason in zip(hostile, reasons, strict=True):
        assert reason.startswith("field constraints.output_schema ")
        assert words in reason
    after = approval()
    await observer.publish(APPROVED, after)
    await observer.wait(COMPLETED, plan_id=after["plan_id"], within=WITHIN)
