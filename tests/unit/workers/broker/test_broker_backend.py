"""A header that can't be counted goes back to its queue, and results are not waited for at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from celery import Celery
from celery.app.task import Context
from celery.exceptions import Reject
from celery.result import AsyncResult

from workers.broker import celery_conf, install


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


def test_all_threads_of_a_worker_share_one_backend() -> None:
    app = _app()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: app.backend).result() is app.backend


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
