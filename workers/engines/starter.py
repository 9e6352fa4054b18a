"""From a spec to an engine that answers: launch or adopt, wait, prove it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from domain.chat import FailureReason
from workers.engines.diagnosis import TEMPLATE, explain, port_taken, without_template
from workers.engines.engine import Engine
from workers.engines.engine_probe import EngineProbe, NoAnswer
from workers.engines.engine_process import EngineProcess, adopt, start
from workers.engines.errors import CannotChat, EngineBusyPort, EngineError, UnknownFlags
from workers.engines.lease import Lease, fingerprint
from workers.engines.spec import EngineSpec
from workers.processes.ports import free_port, is_free

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.25
FIRST_ANSWER_WITHIN_S = 300.0
"""The first call may compile kernels."""
PORT_TRIES = 5


class Stopped(Exception):
    """The worker was asked to stop while its engine was being started."""


@dataclass(frozen=True)
class ReadyEngine:
    """An engine that answers."""

    process: EngineProcess
    probe: EngineProbe
    context_length: int


class Starter:
    """Brings one worker's engine up, again and again if need be."""

    def __init__(
        self,
        spec: EngineSpec,
        engine: Engine,
        lease: Lease,
        *,
        check: Callable[[str, int, float], None],
        stopped: Callable[[float], bool],
    ) -> None:
        """See EngineSupervisor for `check`. `stopped` waits so many seconds and says whether to give up."""
        self._spec = spec
        self._engine = engine
        self._lease = lease
        self._check = check
        self._stopped = stopped
        self._without: frozenset[str] = frozenset()

    def bring_up(self) -> ReadyEngine:
        """Return the engine once it serves the model; one left by a vanished worker is adopted.

        Raises EngineError with the reason, and leaves nothing running then; raises Stopped.
        """
        adopted = adopt(self._lease.folder, fingerprint(self._spec))
        if adopted is not None:
            log.info("adopting the engine of %s with process id %s", self._spec.model, adopted.pid)
            try:
                return self._wait(adopted)
            except EngineError as error:
                log.warning("the engine left behind can't be adopted: %s", error)
        return self._launch()

    def _launch(self) -> ReadyEngine:
        for _ in range(PORT_TRIES):
            try:
                return self._wait(self._start())
            except UnknownFlags as error:
                if not error.flags or not all(map(self._engine.optional, error.flags)):
                    raise
                log.warning("%s: starting without", error)
                self._without |= error.flags
            except EngineBusyPort:
                if self._spec.port:
                    raise
        raise EngineError(f"{self._spec.kind} found no free port for {self._spec.model} in {PORT_TRIES} tries")

    def _start(self) -> EngineProcess:
        spec, port = self._spec, self._spec.port or free_port()
        # Another server that listens there would be taken for the engine.
        if not is_free(port, host=spec.host):
            raise port_taken(spec)
        launch = self._engine.launch(spec, port, self._without)
        log.info("starting %s for %s on port %s", spec.kind, spec.model, port)
        try:
            return start(self._lease.folder, launch, port=port, model=spec.model, fingerprint=fingerprint(spec))
        except FileNotFoundError as error:
            raise explain(spec, str(error), "its command is missing") from error

    def _wait(self, process: EngineProcess) -> ReadyEngine:
        """Wait until the engine serves; ends it before raising."""
        spec = self._spec
        url = f"http://{spec.host}:{process.port}/v1"
        probe = EngineProbe(url, within_s=spec.probe_within_s, api_key=spec.key)
        try:
            models = self._until_it_answers(process, probe)
            if spec.model not in models:
                raise EngineError(f"{url} serves {', '.join(models) or 'nothing'}, not {spec.model}")
            context_length = models[spec.model] or spec.max_model_len or 0
            self._prove(process, url, context_length)
            if not process.alive:
                raise explain(spec, process.log_tail(), "its process ended")
        except BaseException as error:
            if not isinstance(error, Stopped):
                process.end()
            raise
        return ReadyEngine(process, probe, context_length)

    def _until_it_answers(self, process: EngineProcess, probe: EngineProbe) -> dict[str, int]:
        deadline = time.monotonic() + self._spec.start_within_s
        while time.monotonic() < deadline:
            # Alive is asked first: another server may answer on the port that this one could not get.
            if not process.alive:
                raise explain(self._spec, process.log_tail(), "its process ended")
            try:
                probe.health()
                return probe.models()
            except NoAnswer:
                if self._stopped(LOOK_EVERY_S):
                    raise Stopped from None
        late = f"it was not ready within {self._spec.start_within_s:g} s"
        raise explain(self._spec, process.log_tail(), late)

    def _prove(self, process: EngineProcess, url: str, context_length: int) -> None:
        """Have it answer, so that a model that can't chat is found now and not by a deliberation."""
        try:
            self._check(url, context_length, FIRST_ANSWER_WITHIN_S)
        except CannotChat as error:
            if TEMPLATE.search(str(error)):
                raise without_template(self._spec) from error
            if error.reason is FailureReason.BUSY:
                return
            if error.reason in (FailureReason.UNREACHABLE, FailureReason.TIMEOUT):
                raise explain(self._spec, process.log_tail(), f"its first answer failed: {error}") from error
            raise EngineError(f"{self._spec.model} is loaded but refuses to chat: {error}") from error
