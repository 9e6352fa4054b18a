"""What the shipped Valkey users may do, and what they may not."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.exceptions import AuthenticationError, NoPermissionError

from domain.redeliberation import RepeatChoice
from tests.support.factories import closed, completed_body, deliberation, event, fresh, opened, verdict
from tests.support.factories import council as council_named
from tests.support.in_memory.clock import MemoryClock
from tests.support.secured import SecuredValkey
from tests.support.stores import redis_stores
from workers.adapters.redis.keys import PREFIX, Keys
from workers.processes.guard import Guard
from workers.settings import Settings
from workers.web_process import web_ports

USERS = ("bridge", "worker", "flower", "observer", "page")

KEYS = Keys()
STORE = (
    *(getattr(KEYS, name) for name, kind in vars(Keys).items() if isinstance(kind, property)),
    *(make("id") for make in (KEYS.deliberation, KEYS.verdicts, KEYS.request, KEYS.latest_request, KEYS.of_plan)),
    *("conclave:engines", "conclave:engine:one", "conclave:beat::lock"),
)
"""Every kind of key that the store has."""
BROKER = tuple(f"conclave:broker:{name}" for name in ("control", "llm.m", "unacked", "_kombu.binding.conclave"))
NO_BRIDGES = (KEYS.access_tokens, "conclave:beat:")
CHORD = "conclave:results:celery-taskset-meta-one.j"
SOMEBODY_ELSES = ("somebody:elses", "control", "unacked", "celery-taskset-meta-one.j")


def login(server: SecuredValkey, user: str) -> redis.Redis:
    return redis.Redis.from_url(server.url_of(user))


def ask(server: SecuredValkey, user: str, *command: str) -> Any:
    with login(server, user) as client:
        return client.execute_command(*command)


@pytest.mark.parametrize(
    ("user", "command"),
    [
        ("observer", ("SET", "conclave:councils", "{}")),
        ("observer", ("DEL", "conclave:councils")),
        ("observer", ("HSET", KEYS.verdicts("d-1"), "v-1", "{}")),
        ("observer", ("LPUSH", "conclave:broker:control", "{}")),
        ("observer", ("GET", "conclave:broker:unacked")),
        ("observer", ("EVAL", "return 1", "0")),
        ("observer", ("CONFIG", "SET", "appendonly", "no")),
        ("page", ("HSET", KEYS.deliberation("d-1"), "closed", "{}")),
        ("page", ("HSET", KEYS.verdicts("d-1"), "v-1", "{}")),
        ("page", ("SET", "conclave:engine:one", "{}")),
        ("page", ("LPUSH", "conclave:broker:llm.m", "{}")),
        ("page", ("HDEL", "conclave:councils", "DEV")),
        ("page", ("SET", "conclave:councils", "{}")),
        ("page", ("RPOP", "conclave:broker:control")),
        ("page", ("DEL", "conclave:broker:control")),
        ("page", ("GET", "conclave:broker:unacked")),
        ("page", ("SREM", "conclave:broker:_kombu.binding.conclave", "x")),
        ("page", ("PUBLISH", "conclave:broker:/0.celery.pidbox", "{}")),
        ("page", ("EVAL", "return 1", "0")),
        ("flower", ("GET", "conclave:councils")),
        ("flower", ("FLUSHDB",)),
        ("bridge", ("FLUSHALL",)),
        # It could draw prompts to an address of its own, or say what was decided.
        ("bridge", ("SET", "conclave:engine:one", "{}")),
        ("bridge", ("SADD", "conclave:engines", "one")),
        ("bridge", ("HSET", "conclave:councils", "DEV", "{}")),
        ("bridge", ("HSET", KEYS.deliberation("d-1"), "closed", "{}")),
        ("bridge", ("HINCRBY", KEYS.counters, "decided", "1")),
        ("bridge", ("GET", "conclave:beat::lock")),
        ("bridge", ("HGETALL", KEYS.access_tokens)),
        ("observer", ("HSET", KEYS.access_tokens, "digest", "{}")),
        ("page", ("HSET", KEYS.access_tokens, "digest", "{}")),
        ("worker", ("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")),
        ("worker", ("SHUTDOWN", "NOSAVE")),
        ("worker", ("ACL", "SETUSER", "worker", "+@all")),
        ("worker", ("SCRIPT", "FLUSH")),
        ("worker", ("KEYS", "*")),
        *((user, ("GET", CHORD)) for user in ("bridge", "flower", "observer", "page")),
        *((user, ("SELECT", number)) for user in USERS for number in ("1", "2", "3")),
        *((user, ("GET", key)) for user in USERS for key in SOMEBODY_ELSES),
    ],
)
def test_nobody_does_what_is_not_theirs(
    secured_valkey: SecuredValkey, user: str, command: tuple[str, ...]
) -> None:
    with pytest.raises(NoPermissionError):
        ask(secured_valkey, user, *command)


@pytest.mark.parametrize(
    ("user", "key"),
    [
        *(("worker", key) for key in (*STORE, *BROKER, CHORD)),
        *(("bridge", key) for key in (*STORE, *BROKER) if not key.startswith(NO_BRIDGES)),
        *((user, key) for user in ("observer", "page") for key in STORE),
    ],
)
def test_a_process_reaches_the_keys_that_it_works_with(secured_valkey: SecuredValkey, user: str, key: str) -> None:
    assert ask(secured_valkey, user, "TYPE", key) is not None


def test_a_bridge_records_verdicts_on_what_it_may_only_read(secured_valkey: SecuredValkey) -> None:
    clock = MemoryClock()
    worker, bridge = login(secured_valkey, "worker"), login(secured_valkey, "bridge")
    theirs, ours = (
        redis_stores(client, clock, prefix=PREFIX, whole=whole)
        for client, whole in ((worker, True), (bridge, False))
    )
    begun, awaiting = deliberation(), completed_body(awaiting_verdict=True, counts_at=clock.now() + 9)
    theirs.deliberations.record(begun.deliberation_id, opened(begun))
    theirs.deliberations.record(begun.deliberation_id, closed(result=awaiting))
    said = verdict(begun.deliberation_id, counts=True)
    told = event()
    ours.verdicts.record(said, after=0, events=[told], counters={"judged": 1})
    assert told in theirs.outbox.pending(9)
    ours.outbox.published([told.event_id])  # a fleet on this server would publish it
    assert theirs.verdicts.of(begun.deliberation_id) == (said,)
    assert theirs.verdicts.overdue(clock.now() + 10, 9) == ()
    assert ours.continuity.is_whole()


def test_an_observer_reads_the_store_and_the_length_of_queues(secured_valkey: SecuredValkey) -> None:
    ask(secured_valkey, "worker", "SET", "conclave:request:{observed}", "{}")
    ask(secured_valkey, "bridge", "LPUSH", "conclave:broker:control", "task")
    observer = login(secured_valkey, "observer")
    assert observer.get("conclave:request:{observed}") == b"{}"
    assert observer.info("persistence")["aof_enabled"] == 1
    assert int(observer.llen("conclave:broker:control")) >= 1


def test_a_page_changes_councils(secured_valkey: SecuredValkey) -> None:
    councils = web_ports(Settings(redis_url=secured_valkey.url_of("page"))).councils
    council = council_named(fresh("OPS"))
    councils.save(council)
    assert council in councils.all()


def test_a_page_orders_what_control_workers_do(secured_valkey: SecuredValkey) -> None:
    settings = Settings(redis_url=secured_valkey.url_of("page"))
    control = web_ports(settings).control
    control.cancel("d-1", "a secret reason")
    control.redeliberate("d-1", RepeatChoice(model="large"))
    raw: Any = login(secured_valkey, "worker").lrange("conclave:broker:control", 0, 1)
    second, first = (json.loads(message) for message in raw)
    assert [message["headers"]["task"] for message in (first, second)] == [
        "deliberation.cancel",
        "deliberation.repeat",
    ]
    assert json.loads(base64.b64decode(second["body"]))[1] == {
        "deliberation_id": "d-1",
        "council": "",
        "model": "large",
    }
    assert "secret" not in json.dumps(first["headers"])


@pytest.mark.parametrize("user", USERS)
def test_the_database_of_an_earlier_version_can_be_the_one(tmp_path: Path, guard: Guard, user: str) -> None:
    with SecuredValkey(tmp_path / "valkey", guard=guard, database=2) as server:
        assert redis.Redis.from_url(f"{server.url_of(user)}/2").llen("conclave:broker:control") == 0
        with pytest.raises(NoPermissionError):
            redis.Redis.from_url(server.url_of(user)).llen("conclave:broker:control")


def test_what_the_doctor_looks_at_is_open_to_workers(secured_valkey: SecuredValkey) -> None:
    worker = login(secured_valkey, "worker")
    assert worker.config_get("appendonly") == {"appendonly": "yes"}
    assert worker.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_without_a_login_nothing_is_answered(secured_valkey: SecuredValkey) -> None:
    with pytest.raises(AuthenticationError):
        redis.Redis.from_url(secured_valkey.url).ping()
    with pytest.raises(AuthenticationError):
        redis.Redis.from_url(secured_valkey.url.replace("://", "://worker:wrong@")).ping()


def test_no_password_is_written_to_disk(secured_valkey: SecuredValkey) -> None:
    assert "s3cret" not in (secured_valkey.folder / "users.acl").read_text()
