"""What Flower's login can do to a real worker under the shipped access list: ask, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import redis
from celery.worker.control import Panel
from kombu.exceptions import OperationalError
from redis.exceptions import NoPermissionError

from tasks.step import ConclaveApp
from tests.support.factories import fresh
from tests.support.fleet import Fleet, Service
from tests.support.secured import SecuredNats, SecuredValkey
from tests.support.spoilt_tasks import task_message
from workers.app import make_app
from workers.broker.remote_control import ALWAYS
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until
from workers.queue_keys import REPLIES_LAST_S, REPLY_SUFFIX
from workers.settings import Settings

BROKER = "conclave:broker:"
PIDBOX = f"{BROKER}/0.celery.pidbox"
EVENTS = f"{BROKER}/0.celeryev"
QUEUE, PARKED = f"{BROKER}control", f"{BROKER}parked"
THREADS = 3
WITHIN = 60.0

CHANGES = sorted(name for name in Panel.data if name not in ALWAYS)
ARGUMENTS: dict[str, dict[str, Any]] = {
    "add_consumer": {"queue": "llm.m"},
    "cancel_consumer": {"queue": "control"},
    "rate_limit": {"task_name": "outbox.flush", "rate_limit": "1/h"},
    "time_limit": {"task_name": "outbox.flush", "soft": 1, "hard": 1},
    "revoke": {"task_id": ["t-1"], "terminate": True},
    "terminate": {"task_id": ["t-1"], "signal": "KILL"},
    "revoke_by_stamped_headers": {"headers": {"a": ["b"]}},
    "hello": {"from_node": "somebody", "revoked": {"t-1": 1.0}},
    "election": {"id": "1", "topic": "task", "action": {"task": "outbox.flush"}},
    "autoscale": {"max": 0, "min": 0},
}
STATE = ("active_queues", "revoked", "stats")


@pytest.fixture(scope="module")
def worker(
    tmp_path_factory: pytest.TempPathFactory,
    guard: Guard,
    secured_nats: SecuredNats,
    secured_valkey: SecuredValkey,
) -> Iterator[Service]:
    """A control worker as the shipped files run it."""
    with Fleet(
        tmp_path_factory.mktemp("flower-login"),
        guard,
        nats_url=secured_nats.url_of("worker"),
        redis_url=secured_valkey.url_of("worker"),
    ) as fleet:
        yield fleet.control(threads=THREADS).start()


@pytest.fixture(scope="module")
def flower(secured_valkey: SecuredValkey) -> ConclaveApp:
    """A Celery application with Flower's login, as an attacker has who got hold of it."""
    return make_app(Settings.model_validate({"redis_url": secured_valkey.url_of("flower")}))


@pytest.fixture
def raw(secured_valkey: SecuredValkey) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(secured_valkey.url_of("flower")) as client:
        yield client


@pytest.fixture
def inside(secured_valkey: SecuredValkey) -> Iterator[redis.Redis]:
    """The same database as a worker sees it."""
    with redis.Redis.from_url(secured_valkey.url_of("worker")) as client:
        yield client


def answer(app: ConclaveApp, command: str, **arguments: Any) -> Any:
    """Send a command and return the one worker's answer, however long it takes."""
    found: list[Any] = []

    def asked() -> bool:
        found.extend(app.control.broadcast(command, arguments, reply=True, timeout=2, limit=1) or ())
        return bool(found)

    assert wait_until(asked, within=WITHIN)
    ((said,),) = [one.values() for one in found]
    return said


def state(app: ConclaveApp) -> dict[str, Any]:
    """What the worker says of itself, less what changes by itself."""
    queues, revoked, stats = (answer(app, command) for command in STATE)
    return {
        "queues": [queue["name"] for queue in queues],
        "revoked": revoked,
        "pid": stats["pid"],
        "threads": stats["pool"]["max-concurrency"],
        "registered": answer(app, "registered", taskinfoitems=["rate_limit", "soft_time_limit", "time_limit"]),
    }


def command(method: str, **more: Any) -> str:
    """Write a control command as it lies on the wire."""
    body = {"method": method, "arguments": {}, "destination": None, "pattern": None, "matcher": None, **more}
    properties = {
        "delivery_tag": str(uuid4()),
        "delivery_mode": 1,
        "delivery_info": {"exchange": "celery.pidbox", "routing_key": ""},
        "priority": 0,
        "body_encoding": "utf-8",
    }
    return json.dumps(
        {
            "body": json.dumps(body),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"clock": 1, "expires": 0},
            "properties": properties,
        }
    )


@pytest.mark.parametrize("name", sorted(ALWAYS))
def test_flower_is_answered_what_it_asks(worker: Service, flower: ConclaveApp, name: str) -> None:
    arguments: dict[str, Any] = {"ids": []} if name == "query_task" else {}
    said = answer(flower, name, **arguments)
    assert "error" not in (said or {})


@pytest.mark.parametrize("name", CHANGES)
def test_no_command_changes_a_worker(worker: Service, flower: ConclaveApp, name: str) -> None:
    before = state(flower)
    said = answer(flower, name, **ARGUMENTS.get(name, {}))
    assert "only inspected: with CONCLAVE_REMOTE_CONTROL=full" in said["error"]
    assert state(flower) == before
    assert worker.running


def test_no_pattern_occupies_a_worker(worker: Service, flower: ConclaveApp, raw: redis.Redis) -> None:
    for pattern, matcher in (("(([^!]+)+)+!", "pcre"), ("?" * 500_000, "glob"), ("*", "pcre"), ("*", "none")):
        assert raw.publish(PIDBOX, command("ping", pattern=pattern, matcher=matcher)) == 1
    assert answer(flower, "ping") == {"ok": "pong"}


def test_what_is_no_command_is_dropped(
    worker: Service, flower: ConclaveApp, raw: redis.Redis, inside: redis.Redis
) -> None:
    parked = inside.hlen(PARKED)
    whole = json.loads(command("ping"))
    for spoilt in ("", "[]", json.dumps({**whole, "body": "{"}), json.dumps({**whole, "body": "[]"})):
        raw.publish(PIDBOX, spoilt)
    answer(flower, "ping")
    # Parked messages are bounded: a flood would push out tasks that an operator wants back.
    assert inside.hlen(PARKED) == parked


def test_an_answer_goes_to_no_queue_of_tasks(
    worker: Service, flower: ConclaveApp, raw: redis.Redis, inside: redis.Redis
) -> None:
    parked = inside.hlen(PARKED)
    done = worker.log.path.read_text().count("step done")
    for key in ("control", "llm.m"):
        raw.publish(PIDBOX, command("stats", reply_to={"exchange": "conclave", "routing_key": key}, ticket="t"))
    answer(flower, "ping")
    assert inside.llen(f"{BROKER}llm.m") == 0
    # The worker takes what is in this one: what came after an answer there is run when that was parked.
    inside.lpush(QUEUE, json.dumps(task_message()))
    assert wait_until(lambda: worker.log.path.read_text().count("step done") > done, within=WITHIN)
    assert inside.hlen(PARKED) == parked


def test_answers_that_no_process_awaits_are_forgotten(
    worker: Service, flower: ConclaveApp, raw: redis.Redis, inside: redis.Redis
) -> None:
    stray = fresh("nobody")
    raw.publish(PIDBOX, command("stats", reply_to={"exchange": "", "routing_key": stray}, ticket="t"))
    answer(flower, "ping")
    key = f"{BROKER}{stray}{REPLY_SUFFIX}"
    assert inside.llen(key) == 1
    assert 0 < inside.pttl(key) <= REPLIES_LAST_S * 1000


def test_a_task_can_be_neither_sent_nor_put_into_a_queue(worker: Service, flower: ConclaveApp) -> None:
    flower.conf.task_publish_retry = False
    with pytest.raises((NoPermissionError, OperationalError), match="permissions"):
        flower.send_task("outbox.flush")


@pytest.mark.parametrize(
    "words",
    [
        ("LPUSH", QUEUE, json.dumps(task_message())),
        ("LRANGE", QUEUE, "0", "-1"),
        ("RPOP", QUEUE),
        ("BRPOP", QUEUE, "1"),
        ("DEL", QUEUE),
        ("UNLINK", QUEUE),
        ("EXPIRE", QUEUE, "1"),
        ("RENAME", QUEUE, f"{BROKER}x{REPLY_SUFFIX}"),
        ("SADD", f"{BROKER}_kombu.binding.conclave", "control\x06\x16\x06\x16elsewhere"),
        ("ZADD", f"{BROKER}_kombu.binding_deadlines", "0", "conclave"),
        ("HSET", f"{BROKER}unacked", "t", "[]"),
        ("HGETALL", PARKED),
        ("SET", "conclave:engine:one", "{}"),
        ("HSET", "conclave:councils", "DEV", "{}"),
        ("SET", "conclave:results:celery-task-meta-t-1", "{}"),
        ("GET", "conclave:results:celery-task-meta-t-1"),
        ("EVAL", "return redis.call('DEL', KEYS[1])", "1", QUEUE),
        ("FLUSHDB",),
        ("FLUSHALL",),
        ("SHUTDOWN", "NOSAVE"),
        ("CLIENT", "KILL", "TYPE", "normal"),
        ("CONFIG", "SET", "appendonly", "no"),
        ("KEYS", "*"),
        ("SCAN", "0"),
        ("MONITOR",),
        # A forged event, and what only workers hear.
        ("PUBLISH", f"{EVENTS}/worker.elect", "{}"),
        ("SUBSCRIBE", PIDBOX),
        ("PSUBSCRIBE", "*"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_no_command_to_the_server_does_more(raw: redis.Redis, words: tuple[str, ...]) -> None:
    with pytest.raises(NoPermissionError):
        raw.execute_command(*words)  # type: ignore[no-untyped-call]


def test_queues_are_counted(raw: redis.Redis) -> None:
    for name in ("control", "control\x06\x163", "llm.m"):
        assert raw.llen(f"{BROKER}{name}") >= 0


def test_a_worker_that_is_told_to_obeys(
    tmp_path_factory: pytest.TempPathFactory,
    guard: Guard,
    secured_nats: SecuredNats,
    secured_valkey: SecuredValkey,
    flower: ConclaveApp,
) -> None:
    with Fleet(
        tmp_path_factory.mktemp("obeys"),
        guard,
        nats_url=secured_nats.url_of("worker"),
        redis_url=secured_valkey.url_of("worker"),
    ) as fleet:
        service = fleet.control(threads=1, CONCLAVE_REMOTE_CONTROL="full").start()
        nodes: list[str] = []

        def found() -> bool:
            told = flower.control.inspect(timeout=2).stats() or {}
            nodes.extend(name for name, stats in told.items() if stats["pid"] == service.pid)
            return bool(nodes)

        assert wait_until(found, within=WITHIN)
        flower.control.broadcast("shutdown", destination=nodes)
        assert wait_until(lambda: not service.running, within=WITHIN), service.log.tail(20)
