"""Steps whose comparison of the store with the streams fails, and those that can't be queued again."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from celery.exceptions import Reject

from domain.ports.continuity import Gap
from domain.services import Services
from tasks.retries import RetryPolicy
from tasks.step import ConclaveApp, Step
from tests.support.in_memory.continuity import MemoryContinuity
from tests.support.stage import Stage
from workers.broker import celery_conf, install

WITHIN = 60.0


class Blocking(MemoryContinuity):
    """Answers when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.let_go = threading.Event(), threading.Event()
        self.looks = 0

    def gap(self) -> Gap | None:
        self.looks += 1
        self.entered.set()
        assert self.let_go.wait(WITHIN)
        return super().gap()


class Broken(MemoryContinuity):
    """Fails as no adapter says it may."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def gap(self) -> Gap | None:
        self.looks += 1
        raise RuntimeError("a defect")


def step_over(continuity: MemoryContinuity) -> Step:
    given = replace(Stage().services, continuity=continuity)

    class Waiting(Step):
        @property
        def services(self) -> Services:
            return given

    return Waiting()


def test_of_the_tasks_that_wait_one_compares() -> None:
    continuity = Blocking()
    step = step_over(continuity)
    first = threading.Thread(target=step.close_gap)
    first.start()
    assert continuity.entered.wait(WITHIN)
    step.close_gap()
    assert continuity.looks == 1
    continuity.let_go.set()
    first.join(WITHIN)
    step.close_gap()
    assert continuity.looks == 2


def test_a_comparison_that_fails_is_tried_again_and_ends_no_task() -> None:
    continuity = Broken()
    step = step_over(continuity)
    step.close_gap()
    step.close_gap()
    assert continuity.looks == 2


def test_a_step_that_cannot_be_queued_again_goes_back_to_its_queue() -> None:
    app = ConclaveApp(set_as_current=False)
    url = "redis://127.0.0.1:1"
    app.conf.update(celery_conf(broker_url=f"{url}/0", result_url=f"{url}/1", outage_s=0))
    install(app)
    app.services = lambda: Stage().services
    app.retry_policy = RetryPolicy(error_s=(0.0,))

    @app.task(base=Step, name="broken")
    def broken() -> None:
        raise RuntimeError("a hiccup of the store")

    broken.push_request(id="t", called_directly=False, delivery_info={}, args=(), kwargs={})
    with pytest.raises(Reject) as rejection:
        broken._attempt()
    assert vars(rejection.value)["requeue"] is True
