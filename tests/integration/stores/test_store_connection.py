"""Connections to the store: what URLs mean, and what people read when nothing answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.factories import council, fresh
from tests.support.servers import ValkeyServer
from workers.adapters.redis.connection import StoreUnreachable, address, connect, reach
from workers.adapters.redis.council_registry import RedisCouncilRegistry
from workers.processes.guard import Guard
from workers.processes.ports import free_port


@pytest.mark.parametrize("scheme", ["redis", "valkey"])
def test_redis_and_valkey_urls_reach_the_same_server_and_database(
    valkey_server: ValkeyServer, scheme: str
) -> None:
    url = valkey_server.url.replace("redis", scheme) + "/3"
    client = connect(url)
    reach(client, url)
    role = fresh("ROLE")
    RedisCouncilRegistry(client).save(council(role))
    others = RedisCouncilRegistry(connect(f"{valkey_server.url}/4")).all()
    assert role in [council.role for council in RedisCouncilRegistry(connect(f"{valkey_server.url}/3")).all()]
    assert role not in [council.role for council in others]


def test_nothing_is_sent_before_the_first_command() -> None:
    port = free_port()
    connect(f"redis://127.0.0.1:{port}")
    connect(f"sentinel://127.0.0.1:{port}/2;sentinel://127.0.0.1:{port + 1};")


@pytest.mark.parametrize("scheme", ["redis", "rediss", "sentinel", "sentinels"])
def test_a_server_that_is_not_there_is_named_without_its_password(scheme: str) -> None:
    place = f"127.0.0.1:{free_port()}"
    url = f"{scheme}://user:secret@{place}/2"
    with pytest.raises(StoreUnreachable) as caught:
        reach(connect(url, patience_s=0.2), url)
    message = str(caught.value)
    assert message.startswith(f"Valkey at {scheme}://{place}/2 does not answer: ")
    assert "secret" not in message
    assert "\n" not in message
    assert len(message) < 200


def test_refused_logins_and_databases_are_told_at_once(tmp_path: Path, guard: Guard) -> None:
    with ValkeyServer(tmp_path, guard=guard) as server:
        connect(server.url).config_set("requirepass", "secret")
        place = server.url.removeprefix("redis://")
        for url, message in {
            f"redis://{place}": "refused the login: Authentication required",
            f"redis://:wrong@{place}": "refused the login: invalid username-password pair",
            f"redis://:secret@{place}/99": "can't be used: DB index is out of range",
        }.items():
            # Patience far beyond the test's own time-out: a retried refusal would never end.
            with pytest.raises(StoreUnreachable, match=message):
                reach(connect(url, patience_s=3600), url)
        url = f"redis://:secret@{place}/2"
        reach(connect(url), url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "begins with one of redis, rediss"),
        ("127.0.0.1:6379", "begins with one of redis, rediss"),
        ("http://127.0.0.1", "begins with one of redis, rediss"),
        ("redis://127.0.0.1/abc", "database number"),
        ("redis://127.0.0.1:99999", "malformed"),
        ("redis://127.0.0.1?db=x", "malformed"),
        ("redis://127.0.0.1?colour=red", "unknown option.*colour"),
        ("redis://127.0.0.1;redis://127.0.0.2", "several servers need sentinel://"),
    ],
)
def test_a_wrong_url_is_refused_with_a_sentence(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        connect(url)


@pytest.mark.parametrize("password", ["pa;ss", "pa/ss", "pa?ss", "pa#ss", "pa@ss", "pa;x://ss"])
def test_no_piece_of_a_password_is_ever_shown(password: str) -> None:
    url = f"redis://me:{password}@valkey.example:6379/abc"
    assert "ss" not in address(url).removeprefix("redis://").replace("valkey.example", "")
    with pytest.raises(ValueError, match=r"valkey\.example") as caught:
        connect(url)
    assert "me:" not in str(caught.value)
    assert password not in str(caught.value)


def test_an_address_for_messages_names_every_host() -> None:
    assert address("sentinel://:pw@a:26379/2;sentinel://:pw@b:26379?ssl_ca_certs=x") == (
        "sentinel://a:26379/2;sentinel://b:26379"
    )
