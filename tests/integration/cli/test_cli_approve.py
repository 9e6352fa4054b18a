"""`conclave approve` against a real JetStream: what is published is what any publisher would publish."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import nats
import pytest

from bridge.intake import read
from bridge.message import InboundMessage
from bridge.rejection import Rejection
from bridge.subjects import PLAN_APPROVED
from domain.inbound import plan_approved
from domain.services import Services
from tests.support.commands import Run
from tests.support.factories import fresh
from tests.support.servers import NatsServer


def last_approval(server: NatsServer) -> InboundMessage:
    async def fetch() -> Any:
        client = await nats.connect(server.url)
        try:
            return await client.jetstream().get_last_msg("PLANNING_EVENTS", PLAN_APPROVED)
        finally:
            await client.close()

    stored = asyncio.run(fetch())
    return InboundMessage(subject=PLAN_APPROVED, data=stored.data, headers=dict(stored.headers or {}))


@pytest.fixture
def plan() -> dict[str, Any]:
    return {"story_id": fresh("story"), "plan_id": fresh("plan"), "roles": ["DEV", "QA"]}


def test_the_approval_is_in_the_stream_and_a_bridge_takes_it(
    run: Run, own_nats: NatsServer, plan: dict[str, Any]
) -> None:
    result = run("approve", "-", "--approved-by", "board", "--json", stdin=json.dumps(plan))
    assert result.exit_code == 0, result.stderr
    announced = json.loads(result.stdout)
    message = last_approval(own_nats)
    body = json.loads(message.data)
    assert (body["plan_id"], body["approved_by"]) == (plan["plan_id"], "board")
    assert message.headers == {}
    taken = read(message, translate=plan_approved)
    assert not isinstance(taken, Rejection)
    assert taken.requests[0].request_id == announced["request_id"]
    assert [one["role"] for one in announced["deliberations"]] == ["DEV", "QA"]


def test_the_ids_are_printed_one_a_line(run: Run, plan: dict[str, Any]) -> None:
    lines = run("approve", "-", "--role", "OPS", stdin=json.dumps(plan)).stdout.splitlines()
    assert lines[0].startswith("p-")
    assert lines[1].startswith("d-")
    assert lines[1].endswith("  OPS")


def test_a_plan_without_roles_is_approved_and_said_to_ask_nobody(run: Run, plan: dict[str, Any]) -> None:
    result = run("approve", "-", stdin=json.dumps(plan | {"roles": []}))
    assert result.exit_code == 0
    assert "names no roles" in result.stdout


def test_other_content_under_a_key_that_is_taken_is_refused_in_one_sentence(
    run: Run, services: Services, own_nats: NatsServer, plan: dict[str, Any]
) -> None:
    stamped = plan | {"timestamp": "2026-01-31T12:00:00Z", "title": "first"}
    assert run("approve", "-", stdin=json.dumps(stamped)).exit_code == 0
    taken = read(last_approval(own_nats), translate=plan_approved)
    assert not isinstance(taken, Rejection)
    services.plans.save(taken.requests)

    result = run("approve", "-", stdin=json.dumps(stamped | {"title": "other"}))
    assert result.exit_code == 2
    assert result.stderr.startswith("conclave: - can't be approved: this approval has other content than")
    assert "another idempotency_key" in result.stderr
    assert json.loads(last_approval(own_nats).data)["title"] == "first"
    assert run("approve", "-", "--approved-by", "deputy", stdin=json.dumps(stamped)).exit_code == 0


def test_a_refused_plan_is_not_published(run: Run, own_nats: NatsServer, plan: dict[str, Any]) -> None:
    run("approve", "-", stdin=json.dumps(plan))
    assert run("approve", "-", stdin=json.dumps(plan | {"plan_id": ""})).exit_code == 2
    assert json.loads(last_approval(own_nats).data)["plan_id"] == plan["plan_id"]
