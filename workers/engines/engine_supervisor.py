"""Keeps one engine serving: brings it up, watches it, and brings up another when it is lost."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from domain.chat import ChatAnswer, ChatFailure, FailureReason
from workers.engines.engine_health import EngineHealth, HealthVerdict, Observation
from workers.engines.engine_metrics import EngineMetrics, read_engine_metrics
from workers.engines.engine_probe import NoAnswer
from workers.engines.engine_process import end_engine
from workers.engines.errors import EngineError
from workers.engines.gpus import check_gpus, list_gpus
from workers.engines.kinds import ENGINES
from workers.engines.lease import Lease, take
from workers.engines.spec import EngineSpec
from workers.engines.starter import ReadyEngine, Starter, Stopped
from workers.processes.periodic import PeriodicThread
from workers.processes.restarts import RestartPolicy, Restarts

log = logging.getLogger(__name__)

RESTARTS = RestartPolicy(first_delay=1.0, longest_delay=60.0, long_life=120.0, patience=None)
"""Loading a model is costly, hence the pauses; a worker without its engine is of no use, hence no end of tries."""
JOIN_WITHIN_S = 30.0
METRICS_EVERY_S = 5.0
"""vLLM's metrics are a hundred kilobytes of text: not to be read at every look."""


class EngineSupervisor:
    """One engine of ours, from the worker's start to its end, on a thread of its own."""

    def __init__(
        self,
        spec: EngineSpec,
        *,
        check: Callable[[str, int, float], None],
        serving: Callable[[str, int, EngineMetrics], None],
        not_serving: Callable[[str], None],
        failed: Callable[[EngineError], None],
    ) -> None:
        """All are called on the supervisor's thread.

        `check` once for an engine that answers, with its URL, its context in tokens and the seconds for one call;
        it raises CannotChat. `serving` after every look at an engine that may be given work, with its URL, its
        context in tokens and its metrics; `not_serving` with why it may not; `failed` with why it never will,
        before it ever served.
        """
        self._spec = spec
        self._engine = ENGINES[spec.kind]
        self._check = check
        self._serving, self._not_serving, self._failed = serving, not_serving, failed
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._failed_calls = 0
        self._lease: Lease | None = None
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Take the engine's place on this host and begin to bring it up; raises EngineError if it is taken."""
        if self._spec.gpus:
            check_gpus(self._spec.gpus, list_gpus())
        self._lease = take(self._spec)
        self._renewal = PeriodicThread("engine lease", self._lease.renew, every_s=self._spec.lease_s / 4)
        self._renewal.start()
        self._thread.start()

    def stop(self, *, keep: bool = False) -> None:
        """Stop watching and end the engine; with `keep` it goes on until its lease is over, to be adopted."""
        self._stop.set()
        self._wake.set()
        if self._lease is None:
            return
        self._renewal.stop()
        if keep:
            self._lease.let_lapse()
            self._thread.join(JOIN_WITHIN_S)
            return
        self._lease.release()
        # Once to cut short whatever the thread waits for, once for what it started meanwhile.
        end_engine(self._lease.folder)
        self._thread.join(JOIN_WITHIN_S)
        end_engine(self._lease.folder)

    def observe(self, outcome: ChatAnswer | ChatFailure) -> None:
        """Count how calls to this engine went; a failure of the engine's own makes the next look immediate."""
        if isinstance(outcome, ChatFailure) and outcome.reason is FailureReason.UNREACHABLE:
            self._failed_calls += 1
            self._wake.set()
        elif isinstance(outcome, ChatAnswer):
            self._failed_calls = 0

    def _run(self) -> None:
        assert self._lease is not None
        starter = Starter(self._spec, self._engine, self._lease, check=self._check, stopped=self._stop.wait)
        restarts, has_served = Restarts(RESTARTS), False
        while not self._stop.is_set():
            try:
                ready = starter.bring_up()
            except Stopped:
                return
            except EngineError as error:
                if self._stop.is_set():
                    return
                if not has_served:
                    self._failed(error)
                    return
                restarts = restarts.after_exit(lived=0.0, was_ready=False)
                log.error("the engine can't be started again, next try in %g s: %s", restarts.delay, error)
            else:
                has_served, ready_at = True, time.monotonic()
                self._watch(ready)
                restarts = restarts.after_exit(lived=time.monotonic() - ready_at, was_ready=True)
            self._stop.wait(restarts.delay)

    def _watch(self, ready: ReadyEngine) -> None:
        """Look at a serving engine until it is lost, and end it then; or until the worker stops."""
        health, metrics, read_at = EngineHealth(self._spec.stall_s), EngineMetrics(), float("-inf")
        self._failed_calls = 0
        while not self._stop.is_set():
            now = time.monotonic()
            if now - read_at >= METRICS_EVERY_S:
                metrics, read_at = self._metrics(ready), now
            health = health.after(self._look(ready, metrics, now))
            if health.verdict is HealthVerdict.SERVING:
                self._serving(ready.probe.url, ready.context_length, metrics)
            else:
                self._not_serving(health.why)
            if health.verdict is HealthVerdict.LOST:
                log.error("the engine of %s is lost: %s", self._spec.model, health.why)
                ready.process.end()
                return
            self._wake.wait(self._spec.probe_every_s)
            self._wake.clear()

    def _look(self, ready: ReadyEngine, metrics: EngineMetrics, now: float) -> Observation:
        if not ready.process.alive:
            return Observation(at=now, runs=False)
        try:
            ready.probe.health()
        except NoAnswer:
            return Observation(at=now, runs=ready.process.alive, answers=False, failed_calls=self._failed_calls)
        return Observation(at=now, metrics=metrics, failed_calls=self._failed_calls)

    def _metrics(self, ready: ReadyEngine) -> EngineMetrics:
        try:
            return read_engine_metrics(self._engine.metric_names, ready.probe.metrics())
        except NoAnswer:
            return EngineMetrics()
