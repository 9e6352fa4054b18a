"""Beat's scheduler: redbeat's, made to outlive its store, and never to send what another beat sends too.

Each override names the upstream issue that would make it unnecessary.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import structlog
from celery.beat import ScheduleEntry
from kombu.exceptions import OperationalError
from redbeat import RedBeatScheduler  # type: ignore[import-untyped]
from redbeat.decoder import RedBeatJSONEncoder  # type: ignore[import-untyped]
from redbeat.schedulers import get_redis  # type: ignore[import-untyped]
from redis.exceptions import LockNotOwnedError, RedisError

from workers.adapters.redis.encoding import text
from workers.adapters.redis.scripts import Script, score

log = structlog.get_logger("conclave.beat")


class StoredEntry(Protocol):
    """What is used of redbeat's entry, which lives in the store."""

    key: str
    score: float
    """When the entry is due, in epoch seconds."""
    last_run_at: datetime
    total_run_count: int

    def is_due(self) -> tuple[bool, float]: ...


class BeatScheduler(RedBeatScheduler):  # type: ignore[misc]  # redbeat has no types
    """Acts while it holds the lock, stands by while another beat does, waits while the store is away.

    redbeat takes the lock once, at its start, and ends when it loses it. Here every round renews the lock or asks
    for it. What is due is reserved in one step with a look at the lock and sent only then, so that of two beats
    that find it due one sends it, whatever was frozen or cut off in between.
    """

    lock_key: str | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Unnecessary with https://github.com/sibson/redbeat/issues/306: a lock that every round asks for.
        super().__init__(*args, **kwargs)
        # Else Flower lists every sweep as sent; a worker's events tell of a scheduled deliberation.
        self.app.conf.task_send_sent_event = False
        client = get_redis(self.app)
        self._lock = client.lock(self.lock_key, timeout=self.lock_timeout, blocking=False, thread_local=False)
        self._reserve = Script(client, "reserve_beat_entry", functions=("check_kinds",))
        self._holds_lock = False
        self._logged = ""
        # Without a key of its own redbeat leaves the lock to us.
        self.lock_key = None

    def setup_schedule(self) -> None:
        """Write nothing yet: the store may be away, and another beat's entries in force."""
        # As for __init__.

    def tick(self, **kwargs: Any) -> float:
        """Send what is due, where this beat is the one that acts; return the seconds until the next look."""
        # As for __init__.
        self.app.store_clock().now()  # whose watch ends this process where the host's clock is wrong
        try:
            if self._renew_lock():
                return float(super().tick(**kwargs))
            self._log_change(log.info, "beat stands by")
        except LockNotOwnedError:
            self._holds_lock = False
        except (RedisError, OperationalError, OSError) as error:
            self._holds_lock = False
            self._log_change(log.warning, "beat waits", error=str(error))
        return float(self.max_interval)

    def maybe_due(self, entry: StoredEntry, **kwargs: Any) -> float:
        """Reserve and send an entry that is due. Raises LockNotOwnedError, having sent nothing."""
        # https://github.com/sibson/redbeat/issues/163 asks for it, closed without a remedy.
        is_due, next_look_s = entry.is_due()
        if is_due and self.reserve(entry) is not None:
            self.apply_entry(entry, **kwargs)
        return float(next_look_s)

    def reserve(self, entry: StoredEntry) -> StoredEntry | None:
        """Return the entry as it is after this run; None where it was removed meanwhile."""
        # As for maybe_due: redbeat's own step would write at once, whichever beat holds the lock.
        following = ScheduleEntry._next_instance(entry)  # type: ignore[attr-defined]  # not in the stubs
        run = {"last_run_at": following.last_run_at, "total_run_count": following.total_run_count}
        conf = self.app.redbeat_conf
        answer = self._reserve(
            [conf.lock_key, entry.key, conf.schedule_key],
            token=text(self._lock.local.token),
            run=json.dumps(run, cls=RedBeatJSONEncoder),
            next_at=score(following.score),
        )
        if answer == "lost":
            raise LockNotOwnedError("the lock ran out during a round")
        return following if answer == "reserved" else None

    def close(self) -> None:
        """Release the lock at once; in a store that is away it runs out."""
        # As for __init__.
        held, self._holds_lock = self._holds_lock, False
        if held:
            with contextlib.suppress(RedisError, OSError):
                self._lock.release()
        super().close()

    @property
    def _holds_lock(self) -> bool:
        return bool(self.app.beat_acts)

    @_holds_lock.setter
    def _holds_lock(self, holds: bool) -> None:
        self.app.beat_acts = holds

    def _renew_lock(self) -> bool:
        """Renew the lock, or ask for it; return whether this beat holds it.

        A beat that gets the lock writes the fixed entries, which the store may have lost.
        """
        if self._holds_lock:
            self._lock.extend(self.lock_timeout, replace_ttl=True)
        elif self._lock.acquire():
            super().setup_schedule()
            self._holds_lock = True
            self._log_change(log.info, "beat acts")
        return self._holds_lock

    def _log_change(self, log_line: Callable[..., Any], state: str, **values: str) -> None:
        """Write one line for each change of state."""
        if state != self._logged:
            log_line(state, **values)
        self._logged = state
