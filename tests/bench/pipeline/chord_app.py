"""The baseline: a stock Celery chord of the same shape, three headers and a callback that sleep a second each."""

from __future__ import annotations

import os
import time
from typing import Any

from celery import Celery, chord

STEP_S = 1.0

app = Celery("bare", broker=os.environ.get("BARE_BROKER"), backend=os.environ.get("BARE_BACKEND"))
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=1, task_acks_late=True)


@app.task(name="bare.header")
def header(number: int) -> int:
    time.sleep(STEP_S)
    return number


@app.task(name="bare.callback")
def callback(_: list[int]) -> None:
    time.sleep(STEP_S)
    _redis().rpush("done", repr(time.time()))


def _redis() -> Any:
    return app.backend.client  # type: ignore[attr-defined]  # the Redis backend's own


def run(count: int, *, within_s: float) -> list[float]:
    """Start so many chords; return the seconds from the call to each one's end.

    As an approval waits for those published with it to be dispatched, a chord waits for those started before it.
    """
    began = time.time()
    for _ in range(count):
        headers = [header.s(number).set(queue="bare.header") for number in range(3)]
        chord(headers)(callback.s().set(queue="bare.callback"))
    times = []
    for _ in range(count):
        found = _redis().blpop(["done"], timeout=within_s)
        if found is None:
            raise TimeoutError(f"a bare chord did not end within {within_s} s")
        times.append(float(found[1]) - began)
    return times


def forget() -> None:
    """Have Celery drop the results that it awaits: as an interpreter ends it fails to unsubscribe from them."""
    awaited = app.backend._pending_results.concrete  # type: ignore[attr-defined]  # the Redis backend's own
    for result in [result for results in awaited.values() for result in results.values()]:
        app.backend.remove_pending_result(result)  # type: ignore[attr-defined]
