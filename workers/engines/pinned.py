"""The engine a worker is pinned to, as the rest of its process and the fleet see it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from domain.chat import ChatAnswer, ChatFailure
from domain.engine import EngineKind, EngineRecord
from domain.ports.clock import Clock
from domain.ports.engine_directory import EngineDirectory
from workers.engines.engine import ReadyCheck
from workers.engines.engine_metrics import EngineMetrics
from workers.engines.engine_supervisor import EngineSupervisor
from workers.engines.errors import EngineError
from workers.engines.external_watch import ExternalEngineWatch
from workers.engines.kinds import ENGINES
from workers.engines.ready_report import found_out
from workers.engines.spec import EngineSpec
from workers.processes.periodic import PeriodicThread

log = logging.getLogger(__name__)

PUBLISHED_PER_TTL = 3


class TaskGate(Protocol):
    """What a pinned engine asks of its worker, whatever that runs on: to take its model's tasks, or not.

    Both may be called often, from any thread, and change nothing where the gate is so already.
    """

    def open(self) -> None: ...

    def close(self) -> None: ...


class PinnedEngine:
    """Keeps one engine, opens the gate while it serves, and publishes it in the directory."""

    def __init__(
        self,
        spec: EngineSpec,
        directory: Callable[[], EngineDirectory],
        *,
        ready_check: ReadyCheck,
        clock: Clock,
        node: str = "",
    ) -> None:
        """`directory` is asked for when the worker starts, in its process. `node`: this host's name."""
        self.spec = spec
        self.error: EngineError | None = None
        """Why the engine never will serve; None while it may."""
        self.started = False
        """Whether a worker has started it; a control worker never does."""
        self._make_directory = directory
        self._ready_check = ready_check
        self._checked: EngineRecord | None = None
        self._clock = clock
        self._node = node or socket.gethostname()
        self._record: EngineRecord | None = None
        self._published = False

    def record(self) -> EngineRecord | None:
        """Return the engine's record while it may be given work, with its load as last seen; else None."""
        return self._record

    def observe(self, outcome: ChatAnswer | ChatFailure) -> None:
        """Note how a call to any engine went."""
        record = self._record
        if record is not None and outcome.engine == record.name:
            self._watch.observe(outcome)

    def start(self, worker: str, *, gate: TaskGate, failed: Callable[[EngineError], None]) -> None:
        """Begin to bring the engine up for the worker of that name; calls `failed` once if it never will serve."""
        self.started = True
        self._name, self._gate, self._report_failed = f"{self.spec.model}@{worker}"[:200], gate, failed
        self._directory = self._make_directory()
        self._publishing = PeriodicThread(
            "engine directory", self._publish, every_s=self.spec.publish_ttl_s / PUBLISHED_PER_TTL
        )
        self._watch: EngineSupervisor | ExternalEngineWatch = self._make_watch()
        self._gate.close()
        try:
            self._watch.start()
        except EngineError as error:
            self._failed(error)
        # Only now: an engine that can't even begin to start must not be published as on its way.
        self._publishing.start()

    def pause(self) -> None:
        """Take no more work and leave the directory; the engine goes on for what runs."""
        self._gate.close()
        self._publishing.stop()
        if self._published:
            with suppress(Exception):
                self._directory.withdraw(self._name)

    def stop(self, *, keep: bool) -> None:
        """Give the engine back; with `keep` it lives on for its lease, for the next worker to adopt."""
        self._record = None
        self._watch.stop(keep=keep and self.error is None)

    def _make_watch(self) -> EngineSupervisor | ExternalEngineWatch:
        watch = ExternalEngineWatch if self.spec.kind is EngineKind.EXTERNAL else EngineSupervisor
        return watch(
            self.spec,
            check=self._check,
            serving=self._serving,
            not_serving=self._not_serving,
            failed=self._failed,
        )

    def _check(self, url: str, context_length: int, within_s: float) -> None:
        """Find out how an engine that answers wants to be asked; raises CannotChat."""
        answering = self._starting().model_copy(update={"url": url, "context_length": context_length})
        self._checked = self._ready_check(answering, within_s)
        log.info("%s: %s", self.spec.model, found_out(self._checked))

    def _serving(self, url: str, context_length: int, metrics: EngineMetrics) -> None:
        was_serving = self._record is not None
        readings = {
            "url": url,
            "context_length": context_length,
            "in_flight": metrics.running,
            "waiting": metrics.waiting,
            "hit_rate": metrics.hit_rate,
            "kv_usage": metrics.kv_usage,
            "ready": True,
        }
        checked = self._checked or self._starting()
        self._record = checked.model_copy(update={**readings, "updated_at": self._clock.now()})
        if not was_serving:
            log.info("%s is ready at %s", self.spec.model, url)
            self._publishing.now()
        self._gate.open()

    def _starting(self) -> EngineRecord:
        """Describe the engine before it serves, so that deliberations wait for its model."""
        engine = ENGINES[self.spec.kind]
        return EngineRecord(
            name=self._name,
            model=self.spec.model,
            url=self.spec.url,
            kind=self.spec.kind,
            guidance=self.spec.guidance or engine.guidance,
            node=self._node,
            gpu=",".join(self.spec.gpus),
            slots=engine.slots(self.spec),
            dialect=self.spec.dialect(engine.thinking_switch),
            ready=False,
            updated_at=self._clock.now(),
        )

    def _not_serving(self, why: str) -> None:
        self._gate.close()
        if self._record is not None:
            log.warning("%s takes no tasks: %s", self.spec.model, why)
            self._record = None
            self._publishing.now()

    def _failed(self, error: EngineError) -> None:
        if self.error is None:
            self.error = error
            log.critical("%s", error)
            self._report_failed(error)

    def _publish(self) -> None:
        if self.error is None:
            self._published = True
            self._directory.publish(self._record or self._starting(), self.spec.publish_ttl_s)
        elif self._published:
            self._directory.withdraw(self._name)
            self._published = False
