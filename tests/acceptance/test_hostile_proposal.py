"""Code in a proposal that costs its parser minutes and gigabytes: its deliberation and all others are decided."""

from __future__ import annotations

import json
import random
from functools import partial
from itertools import pairwise
from pathlib import Path
from string import ascii_lowercase

import psutil

from domain.contract import CompletedBody
from tests.acceptance.conftest import services_of
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, FAILED, approval
from tests.support.fleet import Fleet
from tests.support.observer import Observer, watching
from tests.support.scripted_answers import Body, free_text
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until
from workers.processes.sessions import all_gone

TITLE = "Compare parsers"
LANGUAGES = {1: "c", 2: "java"}
"""Of the hostile proposals, by the seed of the agent."""
AT_ONCE = 5
WITHIN = 120.0
"""Seconds; it takes a few."""


def text(body: Body) -> str:
    seed = body.get("seed")
    if TITLE not in json.dumps(body["messages"]) or seed not in LANGUAGES:
        return f"{free_text(body)}\n\n```{LANGUAGES[1]}\nint x;\n```"  # code, which a helper process looks at
    # Names that differ: the check on repetition, which comes to its end, would remove a loop.
    letters = random.Random(seed).choices(ascii_lowercase, k=4_000)
    code = "".join(f"{first}{second}=>" for first, second in pairwise(letters))
    return f"Our parser reads this:\n\n```{LANGUAGES[seed]}\n{code}\n```\n"


def test_it_is_not_judged_and_all_are_decided(tmp_path: Path, guard: Guard) -> None:
    with (
        NatsServer(tmp_path / "nats", guard=guard) as nats,
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=0.05, text=text) as engine,
        Fleet(tmp_path, guard, nats_url=nats.url, redis_url=valkey.url, engine_url=engine.openai_url) as fleet,
    ):
        services_of(nats.url, valkey.url, fleet.model)
        control = fleet.control(threads=8, CONCLAVE_CHECKS_MEMORY_MB="256")
        for service in (fleet.bridge(), control, fleet.worker(threads=8)):
            service.start()
        watching(nats.url, both_are_decided)
        assert control.running
        helpers = [child.pid for child in psutil.Process(control.pid).children(recursive=True)]
        assert helpers
        control.kill9()
        assert wait_until(partial(all_gone, helpers), within=WITHIN)


async def both_are_decided(observer: Observer) -> None:
    hostile, others = approval(title=TITLE), [approval() for _ in range(AT_ONCE)]
    for asked in (hostile, *others):
        await observer.publish(APPROVED, asked)
    for asked in (hostile, *others):
        await observer.wait(COMPLETED, plan_id=asked["plan_id"], within=WITHIN)
    assert observer.of(FAILED) == []
    not_judged = not_judged_in(observer, hostile["plan_id"])
    assert not_judged.keys() == {"agent-1", "agent-2"}
    assert all(reason.startswith("code: not judged: ") for reason in not_judged.values())
    assert [not_judged_in(observer, asked["plan_id"]) for asked in others] == [{}] * AT_ONCE
    last = approval()  # the helpers of those before may be lost
    await observer.publish(APPROVED, last)
    await observer.wait(COMPLETED, plan_id=last["plan_id"], within=WITHIN)


def not_judged_in(observer: Observer, plan_id: str) -> dict[str, str]:
    """Return agent → the check that could not judge its proposal, and why."""
    (event,) = observer.of(COMPLETED, plan_id=plan_id)
    body = CompletedBody.model_validate(event.body)
    assert len(body.decisions) == 3
    return {
        row.proposal.author.agent_id: f"{name}: {check.reason}"
        for row in body.decisions
        for name, check in row.checks.rows.items()
        if not check.judged
    }
