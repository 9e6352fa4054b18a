"""All of the embedded stack, the real engine and Flower included, comes up and goes without a trace."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis

from bridge.nats_connection import NatsUnreachable, connect
from bridge.options import NatsOptions
from tests.support.sample_stack import living_in
from workers.processes.process_group import ProcessGroup
from workers.processes.sessions import alive
from workers.stack.folder import StackRecord, StateFolder
from workers.stack.layout import StackOptions
from workers.stack.run import embedded_stack

SERVERS = {"nats", "valkey", "engine"}
SERVICES = {"control-worker", "model-worker", "bridge", "beat", "flower", "web"}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embedded") / "state"


@pytest.fixture(scope="module")
def stack(state: Path) -> Iterator[ProcessGroup]:
    with embedded_stack(state, StackOptions()) as (stack, _):
        stack.wait_ready(120)
        yield stack


@pytest.fixture
def record(stack: ProcessGroup, state: Path) -> StackRecord:
    found = StateFolder(state).record()
    assert found is not None
    return found


def test_every_part_is_named_with_its_process(record: StackRecord) -> None:
    assert set(record.pids) == {"supervisor", "guard"} | SERVERS | SERVICES
    assert record.pids["supervisor"] == os.getpid()
    assert all(map(alive, record.pids.values()))


def test_flower_and_the_engine_answer_where_stack_json_says(record: StackRecord) -> None:
    with urllib.request.urlopen(f"{record.flower_url}/healthcheck", timeout=30) as response:
        assert response.read() == b"OK"
    asked = urllib.request.Request(f"{record.engine_url}/models")
    asked.add_header("Authorization", f"Bearer {record.engine_key}")
    with urllib.request.urlopen(asked, timeout=30) as response:
        assert json.load(response)["data"][0]["id"] == StackOptions().model


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/slots", "/metrics", "/props"])
def test_the_engine_answers_nobody_without_its_key(record: StackRecord, path: str) -> None:
    engine = record.engine_url.removesuffix("/v1")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{engine}{path}", timeout=30)
    assert refused.value.code == 401


def test_every_part_writes_a_log_of_its_own(stack: ProcessGroup, state: Path) -> None:
    assert {path.stem for path in (state / "logs").glob("*.log")} == SERVERS | SERVICES
    assert "ready." in stack.logs["control-worker"].text()


def test_nothing_of_it_is_open_to_another_user(stack: ProcessGroup, state: Path) -> None:
    made = [state, *state.rglob("*")]
    assert len(made) > 20
    assert [str(path) for path in made if path.stat().st_mode & 0o077] == []


def test_no_argument_of_a_process_holds_a_login(record: StackRecord, state: Path) -> None:
    passwords = StateFolder(state).logins().model_dump().values()
    assert len(set(passwords)) == 6
    for name, pid in record.pids.items():
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        words = [word for process in family for word in process.cmdline()]
        assert not [word for word in words for password in passwords if password in word], name
    for log in (state / "logs").glob("*.log"):
        assert not any(password in log.read_text() for password in passwords), log


@pytest.mark.parametrize("login", ["", "conclave:wrong@", "default:@"])
def test_without_the_login_neither_server_answers(record: StackRecord, login: str) -> None:
    nats_address, redis_address = (
        f"{url.split('//')[0]}//{login}{url.rpartition('@')[2]}" for url in (record.nats_url, record.redis_url)
    )
    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis.from_url(redis_address).ping()
    with pytest.raises(NatsUnreachable, match="refuses our login"):
        asyncio.run(connect(NatsOptions(url=(nats_address,))))


def test_with_the_login_of_stack_json_both_answer(record: StackRecord) -> None:
    assert redis.Redis.from_url(record.redis_url).ping()

    async def published() -> bool:
        client = await connect(NatsOptions(url=(record.nats_url,)))
        known = await client.jetstream().find_stream_name_by_subject("planning.plan.approved")
        await client.close()
        return bool(known)

    assert asyncio.run(published())


def test_flower_shows_its_pages_to_the_login_alone(record: StackRecord) -> None:
    def status(login: str) -> int:
        word = base64.b64encode(login.encode()).decode()
        asked = urllib.request.Request(
            f"{record.flower_url}/workers", headers={"Authorization": f"Basic {word}"} if login else {}
        )
        try:
            return int(urllib.request.urlopen(asked, timeout=30).status)
        except urllib.error.HTTPError as error:
            return error.code

    assert [status(login) for login in ("", "conclave:wrong", record.flower_login)] == [401, 401, 200]


def test_the_page_opens_to_the_login_of_stack_json_alone(record: StackRecord) -> None:
    assert record.web_url is not None
    name, _, password = record.web_login.partition(":")

    def page_after(secret: str) -> str:
        fields = urllib.parse.urlencode({"name": name, "password": secret, "next": "/councils"}).encode()
        asked = urllib.request.Request(f"{record.web_url}/login", fields, {"Origin": str(record.web_url)})
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        try:
            return str(browser.open(asked, timeout=60).read().decode())
        except urllib.error.HTTPError as error:
            return str(error.code)

    assert page_after("wrong") == "401"
    assert "<h1>Councils</h1>" in page_after(password)


def test_stopping_it_leaves_nothing(stack: ProcessGroup, record: StackRecord, state: Path) -> None:
    stack.stop()
    assert not any(alive(pid) for name, pid in record.pids.items() if name != "supervisor")
    assert living_in(state) == []
