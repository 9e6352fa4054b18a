"""A real worker's tasks are tried again by three counts that travel in their messages."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from domain.entry import Proposed
from tests.support.factories import deliberation, opened
from tests.support.fleet import Fleet
from tests.support.servers import NatsServer, ValkeyServer
from workers.app import make_app
from workers.composition import Composition
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.readiness import log_says, wait_until
from workers.settings import Settings

QUEUE = "llm.tiny"
COMMAND = (sys.executable, "-m", "celery", "-A", "tests.integration.tasks.hindered_app", "worker", "-Q", QUEUE)
OPTIONS = ("-P", "threads", "-c", "1", "-l", "INFO")


def test_an_agent_survives_ten_waits_for_its_engine_five_newer_records_and_two_errors_after_them(
    tmp_path: Path, guard: Guard, nats_server: NatsServer
) -> None:
    with (
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        Fleet(tmp_path, guard, nats_url=nats_server.url, redis_url=valkey.url) as fleet,
    ):
        settings = Settings.model_validate({"nats": {"url": nats_server.url}, "redis_url": valkey.url})
        services = Composition(settings).services(make_app(settings))
        waiting = deliberation(size=1, opened_at=time.time())
        services.deliberations.record(waiting.deliberation_id, opened(waiting))
        services.dispatcher.deliberation(waiting, ["agent-1"])
        worker = fleet.add(
            ProcessCommand(name="hindered", argv=(*COMMAND, *OPTIONS), env=fleet.env, ready=log_says(" ready."))
        )
        worker.start()

        def attempt() -> object:
            return services.deliberations.load(waiting.deliberation_id).attempt(0, "agent-1")

        assert wait_until(lambda: attempt() is not None, within=60), worker.log.tail(20)
        assert isinstance(attempt(), Proposed), attempt()
        log = worker.log.path.read_text()
        assert (log.count('"engine away"'), log.count('"step failed, will be tried again"')) == (10, 7)
