"""What real processes log while their servers fail, in either form: short lines, without a secret or a plan."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.acceptance.conftest import services_of
from tests.acceptance.test_logs import CANARY, ENGINE_KEY, SECRETS
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, approval
from tests.support.factories import fresh
from tests.support.fleet import Fleet, Service
from tests.support.observer import Observer, watching
from tests.support.scripted_answers import free_text
from tests.support.scripted_engine import ScriptedEngine
from tests.support.secured import SecuredNats, SecuredValkey
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until

LONGEST = 10_000
"""Characters between two time stamps. rich wrote 136,000, with the values of local variables."""
WITHIN = 90.0

pytestmark = pytest.mark.timeout(4 * WITHIN)


@pytest.fixture(params=["text", "json"])
def written(request: pytest.FixtureRequest, tmp_path: Path, guard: Guard) -> Iterator[dict[str, str]]:
    """The logs of processes that decided about a plan though NATS and Valkey went away, and gave another up."""
    env = {"CONCLAVE_ENGINE_KEY": ENGINE_KEY, "CONCLAVE_LOG_JSON": str(request.param == "json").lower()}
    with (
        SecuredNats(tmp_path / "nats", guard=guard) as nats,
        SecuredValkey(tmp_path / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=1.0, text=lambda body: f"{free_text(body)} {CANARY}", key=ENGINE_KEY) as engine,
        Fleet(
            tmp_path,
            guard,
            nats_url=nats.url_of("worker"),
            redis_url=valkey.url_of("worker"),
            engine_url=engine.openai_url,
            env=env,
        ) as fleet,
    ):
        services_of(nats.url_of("worker"), valkey.url_of("worker"), fleet.model)
        at_the_bridge = {"CONCLAVE_NATS_URL": nats.url_of("bridge"), "CONCLAVE_REDIS_URL": valkey.url_of("bridge")}
        running = [fleet.bridge(**at_the_bridge), fleet.control(), fleet.worker(), fleet.beat()]
        for one in running:
            one.start(wait=False)
        for one in running:
            one.wait_ready()
        bridge, control, *_ = running

        async def scenario(observer: Observer) -> None:
            asked = approval(title=CANARY, description=f"{CANARY} {CANARY}", acceptance_criteria=[CANARY])
            await observer.publish(APPROVED, asked)
            await observer.wait("orchestration.deliberation.started", plan_id=asked["plan_id"], within=WITHIN)
            nats.kill9()
            await asyncio.to_thread(_say, control, "step failed, beat sends it again")
            nats.start()
            valkey.kill9()
            await asyncio.to_thread(_say, control, "Connection to broker lost")
            valkey.start()
            await observer.wait(COMPLETED, plan_id=asked["plan_id"], within=WITHIN)
            with redis.Redis.from_url(valkey.url_of("worker")) as client:
                client.set("conclave:councils", "not what belongs there")
            refused = asked | {"plan_id": fresh("plan")}
            await observer.publish(APPROVED, refused)
            await observer.wait("orchestration.deliberation.failed", plan_id=refused["plan_id"], within=WITHIN)

        watching(nats.url_of("bridge"), scenario)
        assert bridge.running
        yield {one.process.name: one.log.path.read_text() for one in running}


def test_lines_are_short_and_hold_no_secret_plan_or_answer(written: dict[str, str]) -> None:
    assert any("Traceback" in text for text in written.values()), "nothing failed with a traceback"
    for name, text in written.items():
        assert [word for word in (*SECRETS, CANARY) if word in text] == [], name
        assert max(map(len, re.split(r"\n(?=20|\{)", text))) < LONGEST, name


def test_a_failing_flush_is_a_line_of_our_own(written: dict[str, str]) -> None:
    (control,) = [text for name, text in written.items() if name.startswith("control")]
    assert "RabbitMQ" not in control
    failed = [line for line in control.splitlines() if "step failed, beat sends it again" in line]
    assert failed
    assert all("PublishFailed" in line for line in failed if "outbox.flush" in line)


def _say(service: Service, words: str) -> None:
    assert wait_until(lambda: words in service.log.path.read_text(), within=WITHIN), service.log.tail(20)
