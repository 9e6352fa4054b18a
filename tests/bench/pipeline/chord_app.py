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
def callback(_: list[int], key: str) -> None:
    time.sleep(STEP_S)
    _redis().rpush("done", f"{key} {time.time()!r}")


def _redis() -> Any:
    return app.backend.client  # type: ignore[attr-defined]  # the Redis backend's own


def run(keys: list[str], *, within_s: float) -> list[float]:
    """Start a chord for every key at once; return each one's wall time in seconds."""
    began = {}
    for key in keys:
        began[key] = time.time()
        headers = [header.s(number).set(queue="bare.header") for number in range(3)]
        chord(headers)(callback.s(key).set(queue="bare.callback"))
    times = []
    for _ in keys:
        found = _redis().blpop(["done"], timeout=within_s)
        if found is None:
            raise TimeoutError(f"a bare chord did not end within {within_s} s")
        key, ended = str(found[1], "ascii").split()
        times.append(float(ended) - began[key])
    return times


def forget() -> None:
    """Have Celery drop the results that it awaits: as an interpreter ends it fails to unsubscribe from them."""
    awaited = app.backend._pending_results.concrete  # type: ignore[attr-defined]  # the Redis backend's own
    for result in [result for results in awaited.values() for result in results.values()]:
        app.backend.remove_pending_result(result)  # type: ignore[attr-defined]
