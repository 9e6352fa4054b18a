"""Beat's scheduler: redbeat's, made to outlive its store, and never to send what another beat sends too."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

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


class BeatScheduler(RedBeatScheduler):  # type: ignore[misc]  # redbeat has no types
    """Acts while it holds the lock, stands by while another beat does, waits while the store is away.

    redbeat takes the lock once, at its start, and ends when it loses it. Here every round renews the lock or asks
    for it. What is due is reserved in one step with a look at the lock and sent only then, so that of two beats
    that find it due one sends it, whatever was frozen or cut off in between.
    """

    lock_key: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        client = get_redis(self.app)
        self._lock = client.lock(self.lock_key, timeout=self.lock_timeout, blocking=False, thread_local=False)
        self._reserve = Script(client, "reserve_beat_entry", functions=("check_kinds",))
        self._acts = False
        self._said = ""
        # Without a key of its own redbeat leaves the lock to us.
        self.lock_key = None

    def setup_schedule(self) -> None:
        """Write nothing yet: the store may be away, and another beat's entries in force."""

    def tick(self, **kwargs: Any) -> float:
        """Send what is due, where this beat is the one that acts; return the seconds until the next look."""
        try:
            if self._takes_part():
                return float(super().tick(**kwargs))
            self._say(log.info, "beat stands by")
        except LockNotOwnedError:
            self._acts = False
        except (RedisError, OperationalError, OSError) as error:
            self._acts = False
            self._say(log.warning, "beat waits", error=str(error))
        return float(self.max_interval)

    def maybe_due(self, entry: Any, **kwargs: Any) -> float:
        """Reserve and send an entry that is due. Raises LockNotOwnedError, having sent nothing."""
        is_due, next_look_s = entry.is_due()
        if is_due and self.reserve(entry) is not None:
            self.apply_entry(entry, **kwargs)
        return float(next_look_s)

    def reserve(self, entry: Any) -> Any:
        """Return the entry as it is after this run; None where it was removed meanwhile."""
        # redbeat's own step would write at once, whoever holds the lock.
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
        """Hand the lock over at once; in a store that is away it runs out."""
        acted, self._acts = self._acts, False
        if acted:
            with contextlib.suppress(RedisError, OSError):
                self._lock.release()
        super().close()

    def _takes_part(self) -> bool:
        """Renew the lock, or ask for it; who gets it puts the fixed entries where the store may have lost them."""
        if self._acts:
            self._lock.extend(self.lock_timeout, replace_ttl=True)
        elif self._lock.acquire():
            super().setup_schedule()
            self._acts = True
            self._say(log.info, "beat acts")
        return self._acts

    def _say(self, log_line: Callable[..., Any], state: str, **known: str) -> None:
        """Write one line for each change of state."""
        if state != self._said:
            log_line(state, **known)
        self._said = state
