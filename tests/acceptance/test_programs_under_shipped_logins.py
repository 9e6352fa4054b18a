"""What the shipped logins are enough for: MCP, OpenAI's API, durables, the programs of docs/client.md."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from mcp import Client, StdioServerParameters
from openai import AuthenticationError, OpenAI

from bridge.client import (
    BlockingConclave,
    Conclave,
    NotAllowed,
    NotConnected,
    NotPublished,
)
from tests.support.client_calls import plan, with_client
from tests.support.compose import ROOT
from tests.support.factories import fresh
from tests.support.fleet import Service
from tests.support.shipped import CONCLAVE, WITHIN, Installation, run, shipped_installation
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.ports import free_port
from workers.processes.readiness import http_answers

pytestmark = pytest.mark.timeout(6 * WITHIN)

QUIET = pytest.mark.usefixtures("nothing_is_printed")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[Installation]:
    with shipped_installation(tmp_path_factory.mktemp("programs"), guard) as found:
        yield found


@pytest.fixture
def url(installation: Installation) -> str:
    return installation.nats.url_of("client")


@pytest.fixture
def environment(installation: Installation, tmp_path: Path) -> dict[str, str]:
    """The store as its observer, NATS as a client."""
    return {
        "CONCLAVE_REDIS_URL": installation.compose.environment("web")["CONCLAVE_REDIS_URL"],
        "CONCLAVE_NATS_URL": installation.nats.url_of("client"),
        "CONCLAVE_STATE": str(tmp_path / "state"),
    }


def test_agents_ask_and_judge(environment: dict[str, str]) -> None:
    server = StdioServerParameters(
        command=CONCLAVE[0], args=[*CONCLAVE[1:], "mcp", "--user", "ada"], env=environment
    )

    async def scenario() -> tuple[dict[str, str], dict[str, str]]:
        async with Client(server, read_timeout_seconds=WITHIN) as client:
            asked = await client.call_tool("ask_council", {"role": "DEV", "question": "How?"})
            answer = asked.structured_content or {}
            verdict = {"deliberation_id": answer.get("deliberation_id", ""), "verdict": "accept"}
            return answer, (await client.call_tool("judge_decision", verdict)).structured_content or {}

    answer, verdict = asyncio.run(scenario())
    assert answer["state"] == "decided"
    assert verdict["verdict"] == "accept"


def test_chat_programs_ask_a_page_with_a_login_by_a_token(
    environment: dict[str, str], installation: Installation, guard: Guard, tmp_path: Path
) -> None:
    create = (*CONCLAVE, "token", "create", "chat", "--right", "read", "--right", "approve")
    token = installation.run("control-worker", create).strip()
    environment["CONCLAVE_WEB_USERS"] = json.dumps({"ada": PasswordHasher().hash("open sesame")})
    port = free_port()
    ready = http_answers(f"http://127.0.0.1:{port}/healthz")
    command = ProcessCommand("web", (*CONCLAVE, "web", "--port", str(port)), environment, ready=ready)
    with (
        Service(command, folder=tmp_path, guard=guard),
        OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=token, timeout=WITHIN) as client,
    ):
        answer = client.chat.completions.create(
            model="council:DEV", messages=[{"role": "user", "content": "How?"}]
        )
        assert answer.choices[0].message.content
        body = '{"model": "council:DEV", "stream": true, "messages": [{"role": "user", "content": "How?"}]}'
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        asked = urllib.request.Request(url, body.encode(), {"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(asked, timeout=WITHIN) as streamed:
            assert streamed.read().decode().rstrip().endswith("data: [DONE]")
        stranger = client.with_options(api_key=f"{token}x")
        with pytest.raises(AuthenticationError, match="unknown, revoked or expired"):
            stranger.models.list()


@QUIET
def test_decisions_come_to_a_durable_each_until_its_reader_goes_on(installation: Installation, url: str) -> None:
    installation.run("bridge", (*CONCLAVE, "consumer", "create", "client", "--deliver", "new"))
    asked = [plan() for _ in range(3)]

    async def decide(conclave: Conclave) -> None:
        for one in asked:
            await conclave.decide(one, timeout_s=WITHIN)

    async def read(conclave: Conclave, count: int) -> list[str]:
        """Leave the iteration at the last one: that is not acknowledged."""
        found: list[str] = []
        async with aclosing(conclave.decisions("client")) as decisions:
            async for decision in decisions:
                found.append(decision.plan_id)
                if len(found) == count:
                    break
        return found

    ids = [one["plan_id"] for one in asked]
    with_client(url, decide)
    assert with_client(url, lambda conclave: read(conclave, 2)) == ids[:2]
    assert with_client(url, lambda conclave: read(conclave, 2)) == ids[1:]
    with BlockingConclave(url) as conclave:
        assert next(iter(conclave.decisions("client"))).plan_id == ids[2]
    installation.run("bridge", (*CONCLAVE, "consumer", "delete", "client"))


@QUIET
def test_a_login_that_may_makes_its_durable_and_reads_on_over_a_restart(installation: Installation) -> None:
    bridge, durable = installation.nats.url_of("bridge"), fresh("durable")
    asked = [plan() for _ in range(4)]

    async def scenario(conclave: Conclave) -> list[str]:
        found: list[str] = []
        for one in asked[:2]:
            await conclave.decide(one, timeout_s=WITHIN)
        async with aclosing(conclave.decisions(durable)) as decisions:
            async for decision in decisions:
                found += [decision.plan_id] if decision.plan_id in {one["plan_id"] for one in asked} else []
                if len(found) == 2:
                    await asyncio.to_thread(installation.nats.restart)
                    for one in asked[2:]:
                        await conclave.decide(one, timeout_s=4 * WITHIN)
                if len(found) == 4:
                    return found
        return found

    assert with_client(bridge, scenario) == [one["plan_id"] for one in asked]


@QUIET
def test_a_durable_that_the_login_may_not_read_is_told(url: str) -> None:
    async def scenario(conclave: Conclave) -> None:
        await anext(conclave.decisions("another"))

    with pytest.raises(NotAllowed, match="may not read a durable another of ORCHESTRATOR_EVENTS"):
        with_client(url, scenario)


@pytest.mark.parametrize(
    ("user", "error", "reason"),
    [
        ("publisher", NotAllowed, "this login may not read ORCHESTRATOR_EVENTS"),
        ("stranger", NotConnected, "refuses our login"),
    ],
)
@QUIET
def test_a_login_that_can_not_do_it_is_told_so(
    installation: Installation, user: str, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason), BlockingConclave(installation.nats.url_of(user)):
        pass


@QUIET
def test_an_observer_watches_and_may_not_approve(installation: Installation) -> None:
    async def scenario(conclave: Conclave) -> None:
        await conclave.approve(plan(), timeout_s=3)

    with pytest.raises(NotPublished, match="was not confirmed by JetStream within 3 s"):
        with_client(installation.nats.url_of("observer"), scenario)


PAGE = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("number", "printed"), [(0, r"^dev-\S+ \d"), (1, r"^DEV orchestration.deliberation.completed$")]
)
def test_the_programs_of_the_page_run_as_they_stand(url: str, number: int, printed: str) -> None:
    output = run((sys.executable, "-c", PROGRAMS[number]), {"NATS_URL": url})
    assert re.search(printed, output, flags=re.MULTILINE), output


def test_the_program_of_the_page_that_reads_every_decision_runs(installation: Installation, url: str) -> None:
    installation.run("bridge", (*CONCLAVE, "consumer", "create", "client", "--deliver", "new"))
    environment = {**os.environ, "NATS_URL": url, "PYTHONUNBUFFERED": "1"}
    reading = subprocess.Popen(
        (sys.executable, "-c", PROGRAMS[2]), env=environment, cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        decided = with_client(url, lambda conclave: conclave.decide(plan(), timeout_s=WITHIN))
        assert reading.stdout is not None
        assert reading.stdout.readline().decode().startswith(f"{decided.deliberation_id} {decided.plan_id} ")
    finally:
        reading.kill()
        reading.communicate()
    installation.run("bridge", (*CONCLAVE, "consumer", "delete", "client"))
