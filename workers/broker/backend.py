"""Celery's Redis result backend as a counter of chords: nobody waits for results, and outages are waited out.

Task results are ignored; what is kept is how many of a chord's header tasks are done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from time import monotonic
from typing import Any, NoReturn, TypeVar

from celery.backends import redis
from celery.exceptions import Reject
from redis.backoff import EqualJitterBackoff
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as Unanswered
from redis.retry import Retry

T = TypeVar("T")

# The stubs leave out what is extended here.
_RedisBackend: Any = redis.RedisBackend
_SentinelBackend: Any = redis.SentinelBackend

OUTAGE_S = 60.0
"""Seconds a server may be away, where the settings don't say."""


class UntilBack(Retry):
    """Tries again for a time rather than for a number of times.

    redis-py nests its retries (a command's around a connection's), which multiplies numbers; a deadline merely
    adds up: no call takes longer than three times `outage_s`.
    """

    def __init__(self, *, outage_s: float) -> None:
        super().__init__(EqualJitterBackoff(cap=0.5, base=0.02), retries=-1)
        self._outage_s = outage_s

    def call_with_retry(
        self,
        do: Callable[[], T],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> T:
        """Call `do` until it succeeds or the time is up; then raise its last error."""
        deadline = monotonic() + self._outage_s

        def there_is_time(error: Exception) -> bool:
            return monotonic() < deadline and (is_retryable is None or is_retryable(error))

        return super().call_with_retry(do, fail, there_is_time, with_failure_count)


class ChordCounter:
    """What both kinds of backends share, over `celery.backends.redis.RedisBackend`."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        outage_s = self.app.conf.result_backend_transport_options.get("outage_s", OUTAGE_S)
        self.connparams["retry"] = UntilBack(outage_s=outage_s)

    def on_chord_part_return(self: Any, request: Any, state: str, result: Any, **kwargs: Any) -> Any:
        """Count one header task, and publish the callback when it was the last.

        Raises celery.exceptions.Reject when the server stays away: then the task's message is not acknowledged,
        and a second run counts. Any other exception would be recorded as the task's failure, and fail the chord.
        """
        with _uncounted():
            return super().on_chord_part_return(request, state, result, **kwargs)  # type: ignore[misc]

    @cached_property
    def _chord_part_return_script(self: Any) -> Callable[..., Any]:
        script = super()._chord_part_return_script  # type: ignore[misc]  # a mixin

        def count(*, keys: list[str], args: list[Any], client: Any) -> list[Any]:
            ready, diff, size, claimed = script(keys=keys, args=args, client=client)
            complete = size is not None and ready == int(size) + int(diff or 0)
            if complete and not claimed and _text(client.get(keys[-1])) == args[-1]:
                # Ours already: the answer to the first try was lost. Nobody else would publish the callback.
                claimed = 1
            return [ready, diff, size, claimed]

        return count

    def _chord_publish_claim_expires(self, initial_expires: int, callback: Any) -> int:
        # Celery holds the claim for as long as publishing may take with all its retries: minutes. A header task
        # that comes back because its worker died while publishing must find it expired, or nobody publishes.
        return initial_expires

    def on_task_call(self, producer: Any, task_id: str) -> None:
        """Subscribe to nothing: https://github.com/celery/celery/issues/3808."""

    def add_pending_result(self, result: Any, weak: bool = False, start_drainer: bool = True) -> Any:
        """Subscribe to nothing, as above; chords and groups call this for every task they hold."""
        return result

    def add_pending_results(self, results: Any, weak: bool = False) -> list[Any]:
        """Subscribe to nothing, as above."""
        return list(results)

    def remove_pending_result(self, result: Any) -> Any:
        """Unsubscribe from nothing: Celery would for every result dropped, and wait for a server that is away."""
        return result

    def wait_for_pending(self, result: Any, **kwargs: Any) -> NoReturn:
        """Refuse: nothing is subscribed to, so the wait would have no end."""
        raise NotImplementedError("results are not kept: read the outcome of a task from the store")


class Backend(ChordCounter, _RedisBackend):  # type: ignore[misc]
    """For redis:// and rediss://."""


class SentinelBackend(ChordCounter, _SentinelBackend):  # type: ignore[misc]
    """For sentinel://."""


@contextmanager
def _uncounted() -> Iterator[None]:
    try:
        yield
    except (Unreachable, Unanswered) as error:
        raise Reject(error, requeue=True) from error


def _text(value: bytes | str | None) -> str | None:
    return value.decode() if isinstance(value, bytes) else value
