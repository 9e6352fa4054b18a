"""A council of README's own model, which thinks before it answers, decides on what follows the thoughts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, approval
from tests.support.fleet import Fleet
from tests.support.observer import Observer, watching
from tests.support.scripted_answers import Body
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.guard import Guard

MODEL = "Qwen/Qwen3-8B"
THOUGHT = "Okay, let me think about what the user wants."


def always(body: Body) -> str:
    return f"<think>\n{THOUGHT}\n</think>\n\n"


def unless_told_not_to(body: Body) -> str:
    return always(body) if body.get("chat_template_kwargs", {}).get("enable_thinking", True) else ""


@pytest.fixture(params=[always, unless_told_not_to], ids=["always thinks", "thinks unless told not to"])
def qwen(request: pytest.FixtureRequest) -> Iterator[ScriptedEngine]:
    thinks: Callable[[Body], str] = request.param
    engine = ScriptedEngine(MODEL, latency_s=0.05)
    engine.script.thinks = thinks
    with engine:
        yield engine


def test_three_agents_decide_on_what_follows_their_thoughts(
    qwen: ScriptedEngine, tmp_path: Path, guard: Guard
) -> None:
    bodies: list[dict[str, Any]] = []

    async def scenario(observer: Observer) -> None:
        asked = approval()
        await observer.publish(APPROVED, asked)
        (event,) = await observer.wait(COMPLETED, plan_id=asked["plan_id"], within=120)
        bodies.append(event.body)

    with (
        NatsServer(tmp_path / "nats", guard=guard) as nats,
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        Fleet(
            tmp_path, guard, nats_url=nats.url, redis_url=valkey.url, engine_url=qwen.openai_url, model=MODEL
        ) as fleet,
    ):
        services_of(nats.url, valkey.url, MODEL)
        for one in (fleet.bridge(), fleet.control(threads=8), fleet.worker(threads=8)):
            one.start()
        watching(nats.url, scenario)

    (body,) = bodies
    assert len(body["decisions"]) == 3
    assert body["degraded"] is False
    assert body["failures"] == []
    assert body["models"] == [MODEL]
    assert [ballot for ballot in body["ballots"] if ballot["missing"]] == []
    for decision in body["decisions"]:
        assert decision["proposal"]["content"].startswith("Proposal ")
    assert THOUGHT not in str(body)
    prompts = str([message["content"] for asked in qwen.bodies for message in asked["messages"]])
    assert THOUGHT not in prompts
    assert "Proposal " in prompts
