"""What the shipped Valkey users may do, and what they may not."""

from __future__ import annotations

import pytest
import redis
from redis.exceptions import AuthenticationError, NoPermissionError

from tests.support.secured import SecuredValkey

BROKER, RESULTS, STORE = 0, 1, 2


def login(server: SecuredValkey, user: str, database: int) -> redis.Redis:
    return redis.Redis.from_url(f"{server.url_of(user)}/{database}")


@pytest.mark.parametrize(
    ("user", "database", "command"),
    [
        ("observer", STORE, ("SET", "conclave:council:DEV", "{}")),
        ("observer", STORE, ("DEL", "conclave:council:DEV")),
        ("observer", BROKER, ("LPUSH", "control", "{}")),
        ("observer", STORE, ("EVAL", "return 1", "0")),
        ("observer", STORE, ("CONFIG", "SET", "appendonly", "no")),
        ("flower", BROKER, ("SELECT", "2")),
        ("flower", BROKER, ("GET", "conclave:council:DEV")),
        ("flower", BROKER, ("FLUSHDB",)),
        ("bridge", STORE, ("GET", "somebody:elses")),
        ("bridge", STORE, ("SELECT", "1")),
        ("bridge", STORE, ("FLUSHALL",)),
        ("worker", STORE, ("GET", "somebody:elses")),
        ("worker", STORE, ("SELECT", "3")),
        ("worker", STORE, ("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")),
        ("worker", STORE, ("SHUTDOWN", "NOSAVE")),
        ("worker", STORE, ("ACL", "SETUSER", "worker", "+@all")),
        ("worker", STORE, ("SCRIPT", "FLUSH")),
        ("worker", STORE, ("KEYS", "*")),
    ],
)
def test_nobody_does_what_is_not_theirs(
    secured_valkey: SecuredValkey, user: str, database: int, command: tuple[str, ...]
) -> None:
    with pytest.raises(NoPermissionError):
        login(secured_valkey, user, database).execute_command(*command)  # type: ignore[no-untyped-call]


def test_an_observer_reads_the_store_and_the_length_of_queues(secured_valkey: SecuredValkey) -> None:
    login(secured_valkey, "worker", STORE).set("conclave:council:DEV", "{}")
    login(secured_valkey, "bridge", BROKER).lpush("control", "task")
    observer = login(secured_valkey, "observer", STORE)
    assert observer.get("conclave:council:DEV") == b"{}"
    assert observer.info("persistence")["aof_enabled"] == 1
    assert login(secured_valkey, "observer", BROKER).llen("control") >= 1


def test_what_the_doctor_looks_at_is_open_to_workers(secured_valkey: SecuredValkey) -> None:
    worker = login(secured_valkey, "worker", STORE)
    assert worker.config_get("appendonly") == {"appendonly": "yes"}
    assert worker.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_without_a_login_nothing_is_answered(secured_valkey: SecuredValkey) -> None:
    with pytest.raises(AuthenticationError):
        redis.Redis.from_url(secured_valkey.url).ping()
    with pytest.raises(AuthenticationError):
        redis.Redis.from_url(secured_valkey.url.replace("://", "://worker:wrong@")).ping()


def test_no_password_is_written_to_disk(secured_valkey: SecuredValkey) -> None:
    assert "s3cret" not in (secured_valkey.folder / "users.acl").read_text()
