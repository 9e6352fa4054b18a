"""Waiting for a server has an end, and results are not waited for at all."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery
from celery.app.task import Context
from celery.exceptions import Reject
from celery.result import AsyncResult
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as Unanswered

from tests.support.examples import examples
from workers.broker import celery_conf, install
from workers.broker.backend import UntilBack


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


@settings(max_examples=examples(20))
@given(st.integers(min_value=0, max_value=4), st.sampled_from([Unreachable(), Unanswered()]))
def test_server_that_comes_back_in_time_is_waited_for(failures: int, error: Exception) -> None:
    assert UntilBack(outage_s=30).call_with_retry(Flaky(failures, error), lambda _: None) == "answer"


def test_server_that_stays_away_is_given_up() -> None:
    with pytest.raises(Unreachable):
        UntilBack(outage_s=0.05).call_with_retry(Flaky(1000, Unreachable()), lambda _: None)


def test_waits_within_waits_add_up_instead_of_multiplying() -> None:
    inner = UntilBack(outage_s=0.05)
    calls = Flaky(1000, Unreachable())
    with pytest.raises(Unreachable):
        UntilBack(outage_s=0.05).call_with_retry(
            lambda: inner.call_with_retry(calls, lambda _: None), lambda _: None
        )
    assert calls.left > 900


def test_answer_that_is_an_error_is_not_asked_for_again() -> None:
    calls = Flaky(1, ResponseError())
    with pytest.raises(ResponseError):
        UntilBack(outage_s=30).call_with_retry(calls, lambda _: None)
    assert calls.left == 0


def test_header_that_cannot_be_counted_is_rejected_back_to_its_queue() -> None:
    app = _app()
    with pytest.raises(Reject) as rejection:
        app.backend.on_chord_part_return(_request(app), "SUCCESS", 1)
    assert vars(rejection.value)["requeue"] is True


def test_dropping_results_while_the_server_is_away_costs_nothing() -> None:
    app = _app()
    results: list[AsyncResult[Any]] = [AsyncResult(str(number), app=app) for number in range(100)]
    for result in results:
        result.then(lambda _: None)
    del results, result


def test_waiting_for_a_result_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="read the outcome"):
        AsyncResult("1", app=_app()).get(timeout=1)


def _request(app: Celery) -> Context:
    return Context({"id": "t", "group": "g", "group_index": 0, "chord": app.signature("x")})


def _app() -> Celery:
    app = Celery(set_as_current=False)
    url = "redis://127.0.0.1:1"
    app.conf.update(celery_conf(broker_url=f"{url}/0", result_url=f"{url}/1", outage_s=0))
    install(app)
    return app
