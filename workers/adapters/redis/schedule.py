"""Scheduled re-deliberations where celery-redbeat keeps its entries, so that a running beat sends them."""

from __future__ import annotations

from celery import Celery
from redbeat import RedBeatSchedulerEntry  # type: ignore[import-untyped]
from redbeat.schedulers import ensure_conf, get_redis  # type: ignore[import-untyped]

from domain.schedule import ScheduledRedeliberation
from workers.adapters.cron import parse_cron
from workers.adapters.redis.encoding import texts

TASK = "deliberation.redeliberate"
MARK = "standing:"
"""Begins the names of these entries in the store; beat's fixed ones begin otherwise."""


class RedBeatSchedule:
    """Schedule over redbeat's entries, found by the application's `redbeat_` settings."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._conf = ensure_conf(app)

    def put(self, scheduled: ScheduledRedeliberation) -> None:
        plan = scheduled.plan_id[:80]
        entry = RedBeatSchedulerEntry(
            f"{MARK}{scheduled.name}",
            TASK,
            parse_cron(scheduled.cron),
            kwargs={"plan_id": scheduled.plan_id, "role": scheduled.role},
            # What Flower shows and finds the task by.
            options={"argsrepr": f"(plan={plan}, role={scheduled.role})", "kwargsrepr": "{}"},
            app=self._app,
        )
        # An earlier entry of the name leaves the time of its last run behind, which is none of this one's.
        entry.delete()
        entry.save()

    def remove(self, name: str) -> bool:
        try:
            entry = self._entry(self._key(name))
        except KeyError:
            return False
        entry.delete()
        return True

    def all(self) -> tuple[ScheduledRedeliberation, ...]:
        keys = texts(get_redis(self._app).zrange(self._conf.schedule_key, 0, -1))
        return tuple(self._scheduled(key) for key in sorted(keys) if key.startswith(self._key("")))

    def _key(self, name: str) -> str:
        return f"{self._conf.key_prefix}{MARK}{name}"

    def _entry(self, key: str) -> RedBeatSchedulerEntry:
        return RedBeatSchedulerEntry.from_key(key, app=self._app)

    def _scheduled(self, key: str) -> ScheduledRedeliberation:
        entry = self._entry(key)
        when = entry.schedule
        fields = (when._orig_minute, when._orig_hour, when._orig_day_of_month)
        cron = " ".join(str(field) for field in (*fields, when._orig_month_of_year, when._orig_day_of_week))
        name = entry.name.removeprefix(MARK)
        return ScheduledRedeliberation(
            name=name, plan_id=entry.kwargs["plan_id"], role=entry.kwargs["role"], cron=cron
        )
