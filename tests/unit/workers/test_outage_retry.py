"""Waiting for a server that is away has an end; what the server refuses is raised at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.exceptions import AuthenticationError, AuthorizationError, ResponseError
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as Unanswered

from workers.outage_retry import CAP_S, STEEPEST, OutageRetry


class Flaky:
    """Fails a number of times, then succeeds."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.left = failures
        self.error = error

    def __call__(self) -> str:
        if self.left:
            self.left -= 1
            raise self.error
        return "answer"


@settings(max_examples=20)
@given(st.integers(min_value=0, max_value=4), st.sampled_from([Unreachable(), Unanswered()]))
def test_server_that_comes_back_in_time_is_waited_for(failures: int, error: Exception) -> None:
    assert OutageRetry(30).call_with_retry(Flaky(failures, error), lambda _: None) == "answer"


def test_server_that_stays_away_is_given_up() -> None:
    with pytest.raises(Unreachable):
        OutageRetry(0.05).call_with_retry(Flaky(1000, Unreachable()), lambda _: None)


def test_waits_within_waits_add_up_instead_of_multiplying() -> None:
    inner = OutageRetry(0.05)
    calls = Flaky(1000, Unreachable())
    with pytest.raises(Unreachable):
        OutageRetry(0.05).call_with_retry(lambda: inner.call_with_retry(calls, lambda _: None), lambda _: None)
    assert calls.left > 900


def test_answer_that_is_an_error_is_not_asked_for_again() -> None:
    calls = Flaky(1, ResponseError())
    with pytest.raises(ResponseError):
        OutageRetry(30).call_with_retry(calls, lambda _: None)
    assert calls.left == 0


@pytest.mark.parametrize("error", [AuthenticationError(), AuthorizationError()])
def test_refused_login_is_raised_at_once(error: Exception) -> None:
    calls = Flaky(1, error)
    with pytest.raises(type(error)):
        OutageRetry(3600).call_with_retry(calls, lambda _: None)
    assert calls.left == 0


def test_error_that_the_caller_does_not_retry_is_raised_at_once() -> None:
    calls = Flaky(1, Unreachable())
    with pytest.raises(Unreachable):
        OutageRetry(3600).call_with_retry(calls, lambda _: None, lambda _: False)
    assert calls.left == 0


def test_every_failure_is_reported_with_its_number_where_asked() -> None:
    failures: list[int] = []
    OutageRetry(30).call_with_retry(
        Flaky(3, OSError()), lambda _, number: failures.append(number), with_failure_count=True
    )
    assert failures == [1, 2, 3]


def test_pauses_are_drawn_anew_and_bounded_so_that_many_clients_do_not_come_back_together() -> None:
    backoff = OutageRetry(30)._backoff
    pauses = [backoff.compute(STEEPEST) for _ in range(20)]
    assert len(set(pauses)) > 1
    assert max(pauses) <= CAP_S
