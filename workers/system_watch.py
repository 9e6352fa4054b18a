"""SystemWatch over the store, the broker and Celery's remote control."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import NoPermissionError

from domain.errors import SystemUnreadable
from domain.finding import Finding, Findings
from domain.system import QueueLoad, ScheduledRun, WorkerSeen
from tasks.queue_names import CONTROL, model_queue_name
from workers.adapters.cron import next_run
from workers.adapters.redis.queue_loads import RedisQueueLoads
from workers.adapters.redis.schedule import RedBeatSchedule
from workers.doctor.examination import examine
from workers.doctor.supply import examine_supply
from workers.settings import Settings
from workers.store_ports import StorePorts

WITHIN_S = 1.0
"""How long workers have to answer: each look waits as long, since how many there are is unknown."""
NOT_OURS_TO_ASK = "This page's login may not ask workers; Flower shows them, and the log of each."


class CelerySystemWatch:
    """Looks with the logins of this process."""

    def __init__(self, settings: Settings, ports: StorePorts, app: Celery) -> None:
        self._settings = settings
        self._ports = ports
        self._app = app

    def findings(self) -> tuple[Finding, ...]:
        return tuple(examine(self._settings, self._ports, self._supply))

    def queues(self, models: Collection[str]) -> tuple[QueueLoad, ...]:
        loads = RedisQueueLoads(self._ports.store, prefix=self._settings.broker_prefix)
        return loads.of([CONTROL, *(model_queue_name(model) for model in sorted(set(models)))])

    def workers(self) -> tuple[WorkerSeen, ...]:
        try:
            inspect = self._app.control.inspect(timeout=WITHIN_S)
            stats, queues = inspect.stats() or {}, inspect.active_queues() or {}
            active = inspect.active() or {}
        except (NoPermissionError, OperationalError) as error:
            if "permission" not in str(error).lower():
                raise
            raise SystemUnreadable(NOT_OURS_TO_ASK) from error
        return tuple(_worker(name, stats, queues, active) for name in sorted(stats.keys() | queues.keys()))

    def schedules(self) -> tuple[ScheduledRun, ...]:
        return tuple(
            ScheduledRun(**dict(scheduled), next_at=next_run(scheduled.cron).timestamp())
            for scheduled in RedBeatSchedule(self._app).all()
        )

    def _supply(self) -> Findings:
        ports = self._ports
        yield from examine_supply(
            engines=ports.engines,
            councils=ports.councils,
            policy=self._settings.effective_policy,
            clock=ports.clock,
        )


def _worker(
    name: str, stats: Mapping[str, Any], queues: Mapping[str, Any], active: Mapping[str, Any]
) -> WorkerSeen:
    """Read what a worker answered; what it did not say is nothing."""
    return WorkerSeen(
        name=name,
        queues=tuple(sorted(_names(queues.get(name)))),
        busy=len(active.get(name) or ()),
        places=int(((stats.get(name) or {}).get("pool") or {}).get("max-concurrency") or 0),
    )


def _names(queues: Any) -> Iterator[str]:
    for queue in queues or ():
        yield str(queue.get("name", ""))
