"""A small Celery application for the acceptance tests of the broker layer, less what is to be left out."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from celery import Celery, Task
from celery.exceptions import Reject
from kombu import transport

from tests.acceptance.broker.journal import Journal
from tests.acceptance.broker.left_out import WITHOUT, leave_out_overrides
from workers.broker import attempts, celery_conf, install
from workers.broker.atomic_pop import AtomicPop
from workers.broker.celery_conf import ANSWER_S
from workers.processes.readiness import wait_until

BROKER = os.environ["BROKER_TEST_BROKER"]
RESULTS = os.environ["BROKER_TEST_RESULTS"]
PREFIXES: dict[str, str] = json.loads(os.environ["BROKER_TEST_PREFIXES"])
JOURNAL = Journal(Path(os.environ["BROKER_TEST_JOURNAL"]))
MAY_LOSE = 2
"""Workers a task may lose before it is parked."""

STOCK_RETRY = {"max_retries": 3, "interval_start": 0, "interval_step": 0.2, "interval_max": 1}


def make_app() -> Celery:
    """Configure as the product does, less what is to be left out."""
    app = Celery("broker_test")
    conf = celery_conf(
        broker_url=BROKER,
        result_url=RESULTS,
        **PREFIXES,
        visibility_timeout_s=float(os.environ["BROKER_TEST_VISIBILITY"]),
        outage_s=float(os.environ["BROKER_TEST_OUTAGE"]),
        sentinel_master=os.environ.get("BROKER_TEST_MASTER", ""),
    )
    install(app)
    conf["broker_transport_options"]["socket_timeout"] = float(os.environ.get("BROKER_TEST_ANSWER", ANSWER_S))
    _leave_out(app, conf)
    app.conf.update(conf)
    return app


def _leave_out(app: Celery, conf: dict[str, Any]) -> None:
    leave_out_overrides()
    options = conf["broker_transport_options"]
    if "sweep" in WITHOUT:
        del options["unacked_restore_interval"], options["unacked_restore_throttle"]
    if "grace" in WITHOUT:
        options["unacked_restore_grace"] = 0
    if "heartbeat" in WITHOUT:
        app.steps["consumer"].clear()
    if "consumer" in WITHOUT:
        del conf["worker_consumer"]
    if "transport" in WITHOUT:
        transport.TRANSPORT_ALIASES["redis"] = "kombu.transport.redis:Transport"
    if "taking" in WITHOUT:
        for name in ("_put", "_brpop_start", "_brpop_read"):
            delattr(AtomicPop, name)
    if "backend" in WITHOUT:
        conf["result_backend"] = RESULTS
        del conf["result_backend_transport_options"]
    if "silence" in WITHOUT:
        del options["health_check_interval"]
    if "publish" in WITHOUT:
        conf["task_publish_retry_policy"] = STOCK_RETRY
    if "late" in WITHOUT:
        conf["task_acks_late"] = False
    if "prefetch" in WITHOUT:
        del conf["worker_prefetch_multiplier"], conf["worker_disable_prefetch"]


app = make_app()


class Journaled(Task[Any, Any]):
    """Writes when a run begins and ends."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        JOURNAL.write("begin", str(self.request.id), str(attempts(self.request)))
        value = self.run(*args, **kwargs)
        JOURNAL.write("end", str(self.request.id), str(value))
        return value


@app.task(name="work", base=Journaled)
def work(seconds: float, value: Any = None) -> Any:
    """Take some time, like a call to a model, then return `value`."""
    time.sleep(seconds)
    return value


@app.task(name="outlast", base=Journaled)
def outlast(tasks: list[str], seconds: float) -> None:
    """Take some time, and go on until other tasks have ended, unless they take a minute more."""
    time.sleep(seconds)
    wait_until(lambda: JOURNAL.counts("end").keys() >= set(tasks), within=60.0)


@app.task(name="sent_back", base=Journaled)
def sent_back(task_id: str) -> str:
    """Go back to the queue once, when the test says so, as a step does whose retry can't be published."""
    if JOURNAL.count("begin", task_id) == 1:
        wait_until(lambda: JOURNAL.count("go back", task_id) > 0, within=60.0, every=0.02)
        raise Reject("can't be queued again", requeue=True)
    return task_id


@app.task(name="vary", base=Journaled)
def vary(value: str) -> str:
    """Return something else in every run, as a model does."""
    return f"{value} {time.time_ns()}"


@app.task(name="conclude", base=Journaled)
def conclude(values: list[Any], seconds: float = 0.0) -> list[Any]:
    """Take what the header returned."""
    time.sleep(seconds)
    return values


@app.task(name="poison", bind=True)
def poison(self: Task[Any, Any]) -> None:
    """Kill the worker, unless that was done often enough."""
    if "park" not in WITHOUT and attempts(self.request) > MAY_LOSE:
        JOURNAL.write("parked", str(self.request.id), str(attempts(self.request)))
        return
    JOURNAL.write("begin", str(self.request.id), str(attempts(self.request)))
    os.kill(os.getpid(), signal.SIGKILL)
