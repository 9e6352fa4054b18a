"""The compose file's own commands, variables and logins, and what users copy, run against them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest

from tests.support.compose import filled_in
from tests.support.factories import fresh
from tests.support.foreign_messages import scatter, scatter_until
from tests.support.secured import SecuredNats
from tests.support.shipped import CONCLAVE, READY, WITHIN, Installation, run, shipped_installation
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"

pytestmark = pytest.mark.timeout(6 * WITHIN)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[Installation]:
    with shipped_installation(tmp_path_factory.mktemp("shipped"), guard) as found:
        yield found


async def told(server: SecuredNats) -> None:
    """Have foreign messages stored among the events. The shipped logins of others can't: this is one of ours."""
    client = await nats.connect(server.url_of("bridge"))
    await scatter(client)
    await client.close()


async def amid_foreign_messages(server: SecuredNats, argv: tuple[str, ...], env: dict[str, str]) -> str:
    """Run a program while foreign messages come on every subject of events; return what it printed."""
    client, over = await nats.connect(server.url_of("bridge")), asyncio.Event()
    scattering = asyncio.create_task(scatter_until(client, over))
    try:
        return await asyncio.to_thread(run, argv, env)
    finally:
        over.set()
        await scattering
        await client.close()


def readme_sample() -> tuple[str, ...]:
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    return (sys.executable, "-c", program)


def test_the_readmes_sample_runs_as_client_and_passes_over_what_is_no_event(installation: Installation) -> None:
    env = {"NATS_URL": installation.nats.url_of("client")}
    printed = asyncio.run(amid_foreign_messages(installation.nats, readme_sample(), env))
    scores = [float(line.split()[0]) for line in printed.splitlines()]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)


def test_the_example_that_decides_runs_as_client_and_passes_over_what_is_no_event(
    installation: Installation,
) -> None:
    argv = (sys.executable, str(EXAMPLES / "decide.py"), installation.nats.url_of("client"), fresh("plan"), "QA")
    printed = asyncio.run(amid_foreign_messages(installation.nats, argv, {}))
    assert json.loads(printed)["agent_id"].startswith("qa-")


def test_the_example_that_consumes_runs_as_observer_and_passes_over_what_is_no_event(
    installation: Installation,
) -> None:
    consume = (sys.executable, str(EXAMPLES / "consume.py"))
    installation.run("bridge", (*CONCLAVE, "consumer", "create", "observer", "--deliver", "new"))
    asyncio.run(told(installation.nats))
    url = installation.nats.url_of("client")
    run((sys.executable, str(EXAMPLES / "decide.py"), url, fresh("plan"), "DEV"), {})
    printed = run((*consume, installation.nats.url_of("observer"), "observer", "1", "conclave.api"), {})
    assert printed.startswith("d-")


def test_a_council_and_a_plan_of_the_examples_go_through_the_commands(installation: Installation) -> None:
    installation.run("control-worker", (*CONCLAVE, "council", "apply", str(EXAMPLES / "council.yaml")))
    env = installation.compose.environment("bridge")
    as_client = {"CONCLAVE_NATS_USER": "client", "CONCLAVE_NATS_PASSWORD": filled_in()["NATS_CLIENT_PASSWORD"]}
    approve = (*CONCLAVE, "approve", str(EXAMPLES / "plan.json"), "--role", "DEV")
    (identity,) = re.findall(r"^(d-\w+)", run(approve, env | as_client), flags=re.MULTILINE)
    watched = installation.run("control-worker", (*CONCLAVE, "deliberation", "watch", identity))
    assert "decided after" in watched
    as_observer = {"CONCLAVE_REDIS_URL": env["CONCLAVE_REDIS_URL"].replace("bridge", "observer")}
    assert identity in run((*CONCLAVE, "deliberation", "list"), env | as_observer)
    assert "Winner: " in run((*CONCLAVE, "deliberation", "show", identity), env | as_observer)


@pytest.mark.parametrize("name", READY)
def test_compose_finds_every_process_of_ours_healthy(installation: Installation, name: str) -> None:
    command = installation.compose.health(name)
    environment = installation.compose.environment(name)
    # A worker is asked over the broker, which one that has just started hears a little later.
    assert wait_until(lambda: healthy(command, environment), within=WITHIN, every=1), name


def healthy(command: tuple[str, ...], environment: dict[str, str]) -> bool:
    return subprocess.run(command, env={**os.environ, **environment}, cwd=ROOT, check=False).returncode == 0


def test_no_process_was_refused_anything(installation: Installation) -> None:
    logs = {name: service.log.path.read_text().lower() for name, service in installation.services.items()}
    assert [name for name, text in logs.items() if "permission" in text or "noperm" in text] == []
