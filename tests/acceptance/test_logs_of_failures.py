"""What real processes leave behind while all fails: short lines, and no secret or plan but where they belong."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from tests.acceptance.conftest import services_of
from tests.acceptance.test_logs import CANARY, ENGINE_KEY, SECRETS
from tests.acceptance.test_pipeline import APPROVED, COMPLETED, FAILED, approval
from tests.support.factories import fresh
from tests.support.fleet import Fleet, Service
from tests.support.observer import Observer, watching
from tests.support.scripted_answers import free_text
from tests.support.scripted_engine import ScriptedEngine
from tests.support.secured import SecuredNats, SecuredValkey
from workers.processes.guard import Guard, find_started
from workers.processes.ports import HOST, free_port
from workers.processes.readiness import wait_until

LONGEST = 10_000
"""Characters between two time stamps. rich wrote 136,000, with the values of local variables."""
WITHIN = 90.0
SPOILT = (
    f'{{"title": "{CANARY}",'.encode(),
    f"{CANARY} is no JSON".encode(),
    json.dumps(approval(title={CANARY: CANARY}, description=[CANARY])).encode(),
    json.dumps(approval(timestamp=CANARY)).encode(),
    json.dumps(approval(roles=CANARY, constraints={"rounds": CANARY, "rubric": {CANARY: CANARY}})).encode(),
)
"""Approvals that become dead letters, each with a reason."""
TELLING = {COMPLETED, FAILED, f"conclave.dead_letter.{APPROVED}"}
"""Subjects whose messages hold texts of plans and proposals, as docs/security.md says."""
DATA = {"nats", "valkey"}
"""Folders of the servers, which hold what they are given."""

pytestmark = pytest.mark.timeout(4 * WITHIN)


@dataclass(frozen=True)
class Written:
    """What was written while all failed."""

    logs: dict[str, str]
    """By process."""
    elsewhere: dict[str, str]
    """By the place: argument lists, metrics, broker and results, headers of dead letters, files."""
    events: dict[str, list[str]]
    """Subject → bodies."""


@pytest.fixture(scope="module", params=["text", "json"])
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, guard: Guard
) -> Iterator[Written]:
    """Of processes that decided about a plan though NATS and Valkey went away, and gave others up."""
    folder = tmp_path_factory.mktemp("failures")
    env = {"CONCLAVE_ENGINE_KEY": ENGINE_KEY, "CONCLAVE_LOG_JSON": str(request.param == "json").lower()}
    with (
        SecuredNats(folder / "nats", guard=guard) as nats,
        SecuredValkey(folder / "valkey", guard=guard) as valkey,
        ScriptedEngine(latency_s=1.0, text=lambda body: f"{free_text(body)} {CANARY}", key=ENGINE_KEY) as engine,
        Fleet(
            folder,
            guard,
            nats_url=nats.url_of("worker"),
            redis_url=valkey.url_of("worker"),
            engine_url=engine.openai_url,
            env=env,
        ) as fleet,
    ):
        services_of(nats.url_of("worker"), valkey.url_of("worker"), fleet.model)
        at_the_bridge = {"CONCLAVE_NATS_URL": nats.url_of("bridge"), "CONCLAVE_REDIS_URL": valkey.url_of("bridge")}
        ports = [str(free_port()) for _ in range(3)]
        running = [
            fleet.bridge(**at_the_bridge, CONCLAVE_METRICS_PORT=ports[0]),
            fleet.control(CONCLAVE_METRICS_PORT=ports[1]),
            fleet.worker(CONCLAVE_METRICS_PORT=ports[2]),
            fleet.beat(),
        ]
        events: dict[str, list[str]] = {}
        headers: list[str] = []
        for one in running:
            one.start(wait=False)
        for one in running:
            one.wait_ready()
        bridge, control, *_ = running

        async def scenario(observer: Observer) -> None:
            asked = approval(title=CANARY, description=f"{CANARY} {CANARY}", acceptance_criteria=[CANARY])
            for spoilt in SPOILT:
                await observer.publish(APPROVED, spoilt)
            engine.fault("text:400", "ballot:off_form", "text:503")
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
            await observer.wait(FAILED, plan_id=refused["plan_id"], within=WITHIN)
            await observer.wait(f"conclave.dead_letter.{APPROVED}", count=len(SPOILT), within=WITHIN)
            for heard in observer.heard:
                events.setdefault(heard.subject, []).append(heard.data.decode())
                headers.append(repr(heard.headers))

        watching(nats.url_of("bridge"), scenario)
        assert bridge.running
        elsewhere = {
            "argument lists": repr([process.cmdline() for process in find_started(guard.mark, {})]),
            "headers": repr(headers),
            "metrics": "".join(metrics(port) for port in ports),
            **broker_and_results(valkey.url_of("worker")),
            **{str(path): path.read_text(errors="replace") for path in files_in(fleet.folder)},
        }
        yield Written({one.process.name: one.log.path.read_text() for one in running}, elsewhere, events)


def metrics(port: str) -> str:
    with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=30) as answer:
        return str(answer.read().decode())


def broker_and_results(url: str) -> dict[str, str]:
    """Return what Valkey holds of queues, messages in flight and results, by key."""
    found = {}
    with redis.Redis.from_url(url) as client:
        for pattern in ("conclave:broker:*", "conclave:results:*", "conclave:beat:*"):
            for key in client.scan_iter(pattern):
                found[key.decode()] = repr(client.dump(key))
    return found


def files_in(folder: Path) -> list[Path]:
    """Return what processes of ours, and servers beside their data, have written."""
    return [
        path for path in folder.rglob("*") if path.is_file() and not DATA & set(path.relative_to(folder).parts)
    ]


def test_nothing_else_that_is_written_holds_a_secret_a_plan_or_a_proposal(written: Written) -> None:
    assert {"argument lists", "metrics", "headers"} < written.elsewhere.keys()
    assert "conclave_" in written.elsewhere["metrics"]
    assert "Conclave-Reason" in written.elsewhere["headers"]
    assert "workers" in written.elsewhere["argument lists"]
    for place, text in written.elsewhere.items():
        assert [word for word in (*SECRETS, CANARY) if word in text] == [], place


def test_events_hold_no_secret_and_texts_only_where_they_are_told(written: Written) -> None:
    assert CANARY in repr(written.events[COMPLETED])
    for subject, bodies in written.events.items():
        assert [word for word in SECRETS if word in repr(bodies)] == [], subject
        if subject not in TELLING:
            assert CANARY not in repr(bodies), subject


def test_lines_are_short_and_hold_no_secret_plan_or_answer(written: Written) -> None:
    assert any("Traceback" in text for text in written.logs.values()), "nothing failed with a traceback"
    for name, text in written.logs.items():
        assert [word for word in (*SECRETS, CANARY) if word in text] == [], name
        assert max(map(len, re.split(r"\n(?=20|\{)", text))) < LONGEST, name


def test_a_failing_flush_is_a_line_of_our_own(written: Written) -> None:
    (control,) = [text for name, text in written.logs.items() if name.startswith("control")]
    assert "RabbitMQ" not in control
    failed = [line for line in control.splitlines() if "step failed, beat sends it again" in line]
    assert any("PublishFailed" in line and "deliberation.sweep" in line for line in failed)


def _say(service: Service, words: str) -> None:
    assert wait_until(lambda: words in service.log.path.read_text(), within=WITHIN), service.log.tail(20)
