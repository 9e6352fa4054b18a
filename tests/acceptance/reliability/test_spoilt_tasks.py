"""Whatever lies in a task queue, a real worker goes on: it runs the message, or parks it whole with a reason."""

from __future__ import annotations

import json
import random
from pathlib import Path

import psutil
import pytest
import redis

from tests.support.fleet import Fleet
from tests.support.servers import NatsServer, ValkeyServer
from tests.support.spoilt_tasks import bodies, spoilt_tasks, task_message, with_body, wrappings
from workers.app import make_app
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until
from workers.settings import Settings

SEED = 16
EXTRA = 300
WITHIN = 120.0
BROKER = "conclave:broker:"
PIDBOX = f"{BROKER}/0.celery.pidbox"
QUEUE, UNACKED, PARKED = (f"{BROKER}{name}" for name in ("control", "unacked", "parked"))

ISSUE = json.dumps(with_body({"hello": "world"})).encode()
"""Well-formed, but its body is no [args, kwargs, embed]."""

pytestmark = pytest.mark.timeout(4 * WITHIN)


def test_no_message_stops_a_worker(tmp_path: Path, guard: Guard) -> None:
    messages = [json.dumps(message) for message in spoilt_tasks(random.Random(SEED), EXTRA)]
    raws = [ISSUE, *(raw.encode() for raw in messages), b"\xff\xfe", b"", b"null", b"[]", b'"text"', b"{" * 9000]
    with (
        NatsServer(tmp_path / "nats", guard=guard) as nats,
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        Fleet(tmp_path, guard, nats_url=nats.url, redis_url=valkey.url) as fleet,
        redis.Redis.from_url(valkey.url) as client,
    ):
        worker = fleet.control(threads=2).start()
        process = psutil.Process(worker.pid)

        def settled() -> bool:
            return not client.llen(QUEUE) and not client.hlen(UNACKED)

        def say() -> str:
            waiting, held = client.lrange(QUEUE, -3, -1), client.hvals(UNACKED)
            return f"{len(waiting)} wait, {len(held)} in flight: {str(held)[:3000]} {worker.log.tail(30)}"

        for raw in raws:
            client.lpush(QUEUE, raw)
            assert worker.running, f"{raw[:2000]!r} ended the worker: {worker.log.tail(20)}"
        assert wait_until(lambda: settled() or not worker.running, within=WITHIN), say()
        assert worker.running, worker.log.tail(40)
        assert process.is_running()

        log = worker.log.path.read_text()
        parked = [json.loads(record) for record in client.hvals(PARKED)]
        assert all(one["reason"] and one["queue"] == "control" for one in parked)
        kept = {canonical(bytes.fromhex(one["message"])) for one in parked}
        assert kept <= set(map(canonical, raws))
        assert canonical(ISSUE) in kept
        lost = [raw for raw in raws if canonical(raw) not in kept and not _ran(raw, log)]
        assert not lost, f"neither run nor parked: {lost}"

        done = log.count('"step done"')
        client.lpush(QUEUE, json.dumps(task_message()))
        assert wait_until(lambda: worker.log.path.read_text().count('"step done"') > done, within=WITHIN)


def test_no_broadcast_stops_a_worker(tmp_path: Path, guard: Guard) -> None:
    raws = [json.dumps(one).encode() for one in (*wrappings(), *bodies())] + [b"\xff", b"[]", b"{}", b"null", b"5"]
    with (
        NatsServer(tmp_path / "nats", guard=guard) as nats,
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        Fleet(tmp_path, guard, nats_url=nats.url, redis_url=valkey.url) as fleet,
        redis.Redis.from_url(valkey.url) as client,
    ):
        worker = fleet.control(threads=2).start()
        assert wait_until(lambda: client.pubsub_numpat() > 0, within=WITHIN)
        # Celery subscribes anew after some of them, and misses what comes meanwhile.
        assert sum(client.publish(PIDBOX, raw) for raw in raws) > 0
        client.lpush(QUEUE, json.dumps(task_message()))
        assert wait_until(lambda: "step done" in worker.log.path.read_text(), within=WITHIN), worker.log.tail(20)
        assert wait_until(lambda: "broadcast on" in worker.log.path.read_text(), within=WITHIN)
        app = make_app(Settings.model_validate({"redis_url": valkey.url}))
        assert wait_until(lambda: bool(app.control.ping()), within=WITHIN), "it hears no broadcast any more"
        assert client.hlen(PARKED) == 0
        assert worker.running


def canonical(raw: bytes) -> str:
    """Return a message however its JSON is spelled; what is none, as it is."""
    try:
        return json.dumps(json.loads(raw), sort_keys=True)
    except ValueError:
        return raw.hex()


def _ran(raw: bytes, log: str) -> bool:
    return json.dumps(json.loads(raw)["headers"]["id"]).strip('"') in log
