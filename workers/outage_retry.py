"""How long a call to Redis or Valkey rides out an outage before it raises, for the store and for Celery."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import AuthenticationError, AuthorizationError, ConnectionError, TimeoutError
from redis.retry import Retry

T = TypeVar("T")

BASE_S = 0.05
CAP_S = 1.0
"""First and longest pause between two tries; every pause is drawn at random up to its bound."""
STEEPEST = 5
"""After so many tries the bound is at its cap; doubled on, every draw would be cut to it, and at last overflow."""


class OutageRetry(Retry):
    """Tries again with growing pauses until `outage_s` have passed since the call began.

    redis-py nests its retries, a command's round a connection's. A count of tries multiplies with itself there,
    to minutes; deadlines add up: no call takes longer than three times `outage_s`. A refused login is raised at
    once.
    """

    def __init__(self, outage_s: float) -> None:
        super().__init__(
            ExponentialWithJitterBackoff(cap=CAP_S, base=BASE_S),
            retries=-1,
            # A refused connection reaches some releases of redis-py's retry as the bare OSError.
            supported_errors=(ConnectionError, TimeoutError, OSError),
        )
        self._outage_s = outage_s

    def call_with_retry(
        self,
        do: Callable[[], T],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> T:
        """Call `do` until it succeeds, is refused, or the time is up; then raise its last error.

        `fail` gets every error that `is_retryable` lets pass.
        """
        deadline = time.monotonic() + self._outage_s
        failures = 0
        while True:
            try:
                return do()
            except self._supported_errors as error:
                if is_retryable is not None and not is_retryable(error):
                    raise
                failures += 1
                fail(error, failures) if with_failure_count else fail(error)
                pause = self._backoff.compute(min(failures, STEEPEST))
                refused = isinstance(error, AuthenticationError | AuthorizationError)
                if refused or time.monotonic() + pause >= deadline:
                    raise
                time.sleep(pause)
