"""Celery's Redis result backend as a counter of chords: no caller waits for results, and outages are waited out.

Task results are ignored; what is kept is how many of a chord's header tasks are done. Each override names the
upstream issue or pull request that would make it unnecessary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NoReturn

from celery.backends import redis
from celery.exceptions import Reject
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as Unanswered

from workers.broker.upstream_members import BackendMembers
from workers.outage_retry import OutageRetry

COUNT_HEADER = """
local results, difference, size, done, _, claim = unpack(KEYS)
local task_id, result, _, place, expires, _, claim_expires, token = unpack(ARGV)
local claimant, more, of = unpack(redis.call('MGET', claim, difference, size))
if claimant == 'done' then return {-1, 0, 0, 0} end
if redis.call('SADD', done, task_id .. ':' .. place) == 1 then redis.call('ZADD', results, place, result) end
local ready = redis.call('ZCARD', results)
if ready == 1 and tonumber(expires) > 0 then
    for _, key in ipairs({results, size, done}) do redis.call('EXPIRE', key, expires) end
end
local claimed = of and ready == tonumber(of) + tonumber(more or 0)
    and redis.call('SET', claim, token, 'NX', 'EX', claim_expires)
return {ready, more, of, claimed and 1 or 0}
"""
"""Celery's script in four commands for twelve, with its keys, arguments and answer: two releases may count one
chord. Our header tasks add no others, and their results are in order. What is counted expires a day after the
first header task: no deliberation takes so long."""

OUTAGE_S = 60.0
"""Seconds a server may be away, where the settings don't say."""


class Backend(redis.RedisBackend, BackendMembers):
    """For redis:// and rediss://."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Celery retries only some commands: https://github.com/celery/celery/issues/3363, closed without a remedy.
        super().__init__(*args, **kwargs)
        outage_s = self.app.conf.result_backend_transport_options.get("outage_s", OUTAGE_S)
        self.connparams["retry"] = OutageRetry(outage_s)
        # Celery makes a backend for each thread, at six milliseconds and a connection. redis-py's client has a
        # pool for all of them, and nothing else here changes after the start.
        self.thread_safe = True

    def on_chord_part_return(
        self, request: Any, state: str, result: Any, propagate: bool | None = None, **kwargs: Any
    ) -> None:
        """Count one header task, and publish the callback when it was the last.

        Raises celery.exceptions.Reject when the server stays away: then the task's message is not acknowledged,
        and a second run counts. Any other exception would be recorded as the task's failure, and fail the chord.
        """
        # https://github.com/celery/celery/issues/3363 asks for it, closed without a remedy.
        with _rejected_where_unreachable():
            super().on_chord_part_return(request, state, result, propagate, **kwargs)

    @cached_property
    def _chord_part_return_script(self) -> Callable[..., Any]:
        # No upstream issue known: Celery's says "claimed" once, also where that answer is lost.
        script = self.client.register_script(COUNT_HEADER)

        def count(*, keys: list[str], args: list[Any], client: Any) -> list[Any]:
            ready, diff, size, claimed = script(keys=keys, args=args, client=client)
            complete = size is not None and ready == int(size) + int(diff or 0)
            if complete and not claimed and _text(client.get(keys[-1])) == args[-1]:
                # Ours already: the answer to the first try was lost, and no other worker publishes the callback.
                claimed = 1
            return [ready, diff, size, claimed]

        return count

    def _chord_publish_claim_expires(self, initial_expires: int, callback: Any) -> int:
        # Celery holds the claim for as long as publishing may take with all its retries: minutes. A header task
        # that comes back because its worker died while publishing must find it expired, or the chord never ends.
        # No upstream issue known.
        return initial_expires

    def restore_group(self, group_id: str, cache: bool = True) -> None:
        """Return nothing: Celery saves the results of a chord whose header holds chords, and ours never do."""
        # Asked for at the end of every chord. No upstream issue known.

    def on_task_call(self, producer: Any, task_id: str) -> None:
        """Subscribe to nothing: https://github.com/celery/celery/issues/3808."""

    def add_pending_result(self, result: Any, weak: bool = False, start_drainer: bool = True) -> Any:
        """Subscribe to nothing, as above; chords and groups call this for every task they hold."""
        return result

    def remove_pending_result(self, result: Any) -> Any:
        """Unsubscribe from nothing: Celery would for every result that is dropped, and wait for a server that is
        away. Unnecessary with https://github.com/celery/celery/pull/10326."""
        return result

    def wait_for_pending(self, result: Any, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: nothing is subscribed to, so the wait would have no end."""
        # No upstream issue known.
        raise NotImplementedError("results are not kept: read the outcome of a task from the store")


class SentinelBackend(Backend, redis.SentinelBackend):
    """For sentinel://."""


@contextmanager
def _rejected_where_unreachable() -> Iterator[None]:
    try:
        yield
    except (Unreachable, Unanswered) as error:
        raise Reject(error, requeue=True) from error


def _text(value: bytes | str | None) -> str | None:
    return value.decode() if isinstance(value, bytes) else value
