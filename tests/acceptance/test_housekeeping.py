"""What beat sends every few seconds is quiet: Flower and the logs show what deliberations do."""

from __future__ import annotations

import json
from pathlib import Path

import redis

from tests.acceptance.test_flower import started
from tests.support.factories import fresh
from tests.support.fleet import Fleet
from tests.support.servers import NatsServer, ValkeyServer
from workers.app import make_app
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until
from workers.settings import Settings

SWEEPS = 30
"""An idle minute or two of the shipped interval."""
WITHIN = 240.0


def test_sweeps_without_a_find_leave_no_line_and_no_task_in_flower(tmp_path: Path, guard: Guard) -> None:
    with (
        NatsServer(tmp_path / "nats", guard=guard) as nats,
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        Fleet(tmp_path, guard, nats_url=nats.url, redis_url=valkey.url) as fleet,
        redis.Redis.from_url(valkey.url, decode_responses=True) as client,
    ):
        control = fleet.control(threads=4).start()
        flower, _ = started(fleet)
        app = make_app(Settings.model_validate({"redis_url": valkey.url}))

        def hears_of(name: str) -> bool:
            app.send_task("deliberation.redeliberate", task_id=fresh(name))
            return any(task_id.startswith(name) for task_id in flower.tasks())

        def sweeps() -> int:
            return int(json.loads(client.hget("conclave:beat:sweep", "meta") or "{}").get("total_run_count", 0))

        assert wait_until(lambda: hears_of("before"), within=WITHIN, every=0.5)
        beat = fleet.beat(CONCLAVE_POLICY__SWEEP_AFTER_S="0.6").start()
        assert wait_until(lambda: sweeps() >= SWEEPS, within=WITHIN), beat.log.tail()
        assert wait_until(lambda: client.llen("conclave:broker:control") == 0, within=WITHIN)
        done = [line for line in control.log.path.read_text().splitlines() if '"step done"' in line]
        assert [line for line in done if "deliberation.sweep" in line] == []
        assert "Sending due task sweep" not in beat.log.path.read_text()
        assert wait_until(lambda: hears_of("after"), within=WITHIN, every=0.5)
        # Of a task whose first event came before Flower listened it knows no name.
        assert {task["name"] for task in flower.tasks().values()} <= {"deliberation.redeliberate", None}
