"""`conclave approve` under the shipped NATS users: a publisher may publish and hear its answer, no more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import nats
import pytest
from typer.testing import Result

from tests.support.commands import run, sentence
from tests.support.factories import fresh
from tests.support.secured import SecuredNats
from workers.processes.guard import Guard

Login = Callable[[str], None]
PLAN = {"story_id": "s-1", "roles": ["DEV"]}


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[SecuredNats]:
    with SecuredNats(tmp_path_factory.mktemp("cli-secured"), guard=guard) as server:
        yield server


@pytest.fixture
def login(secured: SecuredNats, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Login:
    """Log in as one of the users."""

    def as_user(user: str) -> None:
        monkeypatch.setenv("CONCLAVE_STATE", str(tmp_path / "state"))
        monkeypatch.setenv("CONCLAVE_NATS_URL", secured.url_of(user))

    return as_user


def approve(plan_id: str) -> Result:
    return run("approve", "-", stdin=json.dumps(PLAN | {"plan_id": plan_id}))


def test_without_a_stream_a_publisher_is_told_who_makes_it(login: Login) -> None:
    login("publisher")
    result = approve(fresh("plan"))
    assert result.exit_code == 1
    assert "no stream holds planning.plan.approved; create one, or start a bridge" in sentence(result)


@pytest.mark.parametrize("user", ["publisher", "client"])
def test_a_publishers_approval_is_stored(login: Login, secured: SecuredNats, user: str) -> None:
    login("bridge")
    assert approve(fresh("plan")).exit_code == 0, "the first approval makes the stream, as a bridge would"
    login(user)
    plan_id = fresh("plan")
    result = approve(plan_id)
    assert result.exit_code == 0, result.stderr
    assert asyncio.run(_last_plan(secured)) == plan_id


def test_who_may_approve_may_judge_and_nobody_else(login: Login) -> None:
    login("bridge")
    assert accept().exit_code == 0, "the first verdict makes the stream, as a bridge would"
    for user, code in (("publisher", 0), ("client", 0), ("worker", 1), ("observer", 1)):
        login(user)
        assert accept().exit_code == code, user


def accept() -> Result:
    return run("deliberation", "accept", fresh("d"), "--by", "ada")


def test_a_worker_that_approves_is_told_which_right_it_lacks(login: Login) -> None:
    login("worker")
    result = approve(fresh("plan"))
    assert result.exit_code == 1
    assert "permissions violation" in sentence(result).lower()


def test_an_observers_approval_reaches_nobody(login: Login) -> None:
    login("observer")
    result = approve(fresh("plan"))
    assert result.exit_code == 1
    assert "no stream holds planning.plan.approved" in sentence(result)


async def _last_plan(server: SecuredNats) -> str:
    async with await nats.connect(server.url_of("bridge")) as client:
        stored = await client.jetstream().get_last_msg("PLANNING_EVENTS", "planning.plan.approved")
        return str(json.loads(stored.data or b"")["plan_id"])
