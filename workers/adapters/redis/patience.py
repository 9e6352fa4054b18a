"""How long a call to Redis or Valkey rides out an outage before it raises."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Self, TypeVar

from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import AuthenticationError, AuthorizationError
from redis.retry import Retry

T = TypeVar("T")

BASE_S = 0.05
CAP_S = 1.0
"""First and longest pause between two tries; every pause is drawn at random up to its bound."""


class Patience(Retry):
    """Tries again with growing pauses until `seconds` have passed since the call began.

    redis-py nests its retries (a command's round a connection's), so that a count of tries multiplies with itself;
    here the outermost call sets one deadline for all that it contains. A refused login is raised at once.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(ExponentialWithJitterBackoff(cap=CAP_S, base=BASE_S), retries=-1)
        self._seconds = seconds
        self._here = threading.local()

    def call_with_retry(
        self,
        do: Callable[[], T],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> T:
        """Call `do` until it succeeds, is refused, or time is up; `fail` is told of every failure."""
        outermost = getattr(self._here, "until", None) is None
        if outermost:
            self._here.until = time.monotonic() + self._seconds
        try:
            return self._insist(do, fail, is_retryable, with_failure_count)
        finally:
            if outermost:
                self._here.until = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Stay one object where redis-py copies its retry: the deadline belongs to the thread, not to a copy."""
        return self

    def _insist(
        self,
        do: Callable[[], T],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None,
        with_failure_count: bool,
    ) -> T:
        failures = 0
        while True:
            try:
                return do()
            except self._supported_errors as error:
                failures += 1
                fail(error, failures) if with_failure_count else fail(error)
                if isinstance(error, AuthenticationError | AuthorizationError):
                    raise
                if is_retryable is not None and not is_retryable(error):
                    raise
                pause = self._backoff.compute(failures)
                if time.monotonic() + pause >= self._here.until:
                    raise
                time.sleep(pause)
