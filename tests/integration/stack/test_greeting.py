"""The block that ends the start of `conclave up`, on a real store: said once, with what is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.council import Council
from domain.engine import EngineKind, EngineRecord, Guidance
from tests.support import factories as make
from tests.support.factories import fresh
from tests.support.servers import ValkeyServer
from workers.councils.read import default_councils
from workers.settings import Settings
from workers.stack.greeting import Greeting
from workers.stack.layout import Addresses, StackOptions
from workers.store_ports import StorePorts

OPTIONS = StackOptions(model="small")


@pytest.fixture
def ports(valkey_server: ValkeyServer, monkeypatch: pytest.MonkeyPatch) -> StorePorts:
    monkeypatch.setenv("CONCLAVE_KEY_PREFIX", f"{fresh('greeting')}:")
    return StorePorts(Settings.model_validate({"redis_url": valkey_server.url}))


@pytest.fixture
def where(valkey_server: ValkeyServer) -> Addresses:
    return Addresses(
        nats_url="nats://conclave:secret@127.0.0.1:23456",
        redis_url=valkey_server.url,
        engine_url="http://127.0.0.1:24000/v1",
        engine_key="",
        flower_port=5555,
        flower_login="conclave:secret",
        web_port=8400,
        web_login="conclave:secret",
        web_secret="secret",
        taken={"nats": 4222},
    )


def said(where: Addresses, *, within_s: float = 0.0, state: str = ".conclave") -> list[str]:
    greeting = Greeting(Path(state), OPTIONS, engine_within_s=within_s)
    assert greeting.due(where) == ()
    greeting.prepare(where)
    lines = list(greeting.due(where))
    assert greeting.due(where) == (), "said twice"
    return lines


def test_it_names_addresses_without_logins_councils_logs_and_the_next_command(
    ports: StorePorts, where: Addresses
) -> None:
    record = EngineRecord(
        name="e", model="small", url="http://e/v1", kind=EngineKind.EXTERNAL, guidance=Guidance.REGEX, ready=True
    )
    ports.engines.publish(record, ttl_s=600)
    lines = said(where, within_s=600)
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for words in (
        "Conclave is ready.",
        "nats://127.0.0.1:23456 (4222 is taken)",
        "http://127.0.0.1:24000/v1, serves small",
        "http://127.0.0.1:5555\n            login: conclave config --reveal CONCLAVE_FLOWER_AUTH",
        "ARCHITECT, DATA, DEV, DEVOPS, QA",
        ".conclave/logs",
        "  conclave approve PLAN.json --role DEV --watch",
    ):
        assert words in text
    assert "secret" not in text
    assert "CONCLAVE_STATE" not in text


def test_the_shipped_councils_are_there_where_there_are_none_and_stay_away_from_yours(
    ports: StorePorts, where: Addresses
) -> None:
    said(where)
    assert {council.role for council in ports.councils.all()} == {one.role for one in default_councils()}
    for council in ports.councils.all():
        ports.councils.delete(council.role)
    mine: Council = make.council("OPS")
    ports.councils.save(mine)
    said(where)
    assert ports.councils.all() == (mine,)


def test_an_engine_that_serves_nothing_is_waited_for_and_then_said(ports: StorePorts, where: Addresses) -> None:
    assert said(where, within_s=600) == []
    assert any("does not serve small yet: model-worker.log" in line for line in said(where))


def test_another_state_folder_is_part_of_the_next_command(ports: StorePorts, where: Addresses) -> None:
    assert "  CONCLAVE_STATE=/var/lib/c conclave approve PLAN.json --role DEV --watch" in said(
        where, state="/var/lib/c"
    )
