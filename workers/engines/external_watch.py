"""Watches an engine that Conclave does not run: whether it can be given work, nothing more."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from domain.chat import ChatAnswer, ChatFailure, FailureReason
from workers.engines.engine_metrics import EngineMetrics
from workers.engines.engine_probe import EngineProbe, ErrorAnswer, NoAnswer, one_line
from workers.engines.errors import CannotChat, EngineError
from workers.engines.spec import EngineSpec
from workers.processes.periodic import PeriodicThread

log = logging.getLogger(__name__)

LOOK_EVERY_S = 10.0
"""Seconds; an endpoint of another owner is not to be asked every second."""
SPEAK_EVERY_S = 60.0
ANSWER_WITHIN_S = 60.0
"""For each call of the ready check."""
LISTS_NO_MODELS = (404, 405, 501)
WRONG_KEY = (401, 403)


class ExternalEngineWatch:
    """One external engine, watched from the worker's start to its end."""

    def __init__(
        self,
        spec: EngineSpec,
        *,
        check: Callable[[str, int, float], None],
        serving: Callable[[str, int, EngineMetrics], None],
        not_serving: Callable[[str], None],
        failed: Callable[[EngineError], None],
    ) -> None:
        """See EngineSupervisor for the four."""
        self._spec = spec
        self._serving, self._not_serving, self._failed = serving, not_serving, failed
        self._probe = EngineProbe(spec.url, within_s=spec.probe_within_s, api_key=spec.key, proxies=True)
        self._check = check
        self._served = False
        self._spoke_at = float("-inf")
        every_s = max(LOOK_EVERY_S, spec.probe_every_s) if spec.probe_every_s >= 1 else spec.probe_every_s
        self._looks = PeriodicThread("external engine", self._look, every_s=every_s)

    def start(self) -> None:
        """Begin to look."""
        self._looks.start()

    def stop(self, *, keep: bool = False) -> None:
        """Stop looking; the engine isn't ours to end."""
        self._looks.stop()

    def observe(self, outcome: ChatAnswer | ChatFailure) -> None:
        """Note how a call went; one that met no engine makes the next look immediate."""
        if isinstance(outcome, ChatFailure) and outcome.reason is FailureReason.UNREACHABLE:
            self._looks.now()

    def _look(self) -> None:
        try:
            models = self._probe.models()
        except ErrorAnswer as error:
            self._refused(error)
        except NoAnswer as error:
            self._shut(f"{self._spec.url} does not answer: {error}")
        else:
            self._listed(models)

    def _refused(self, error: ErrorAnswer) -> None:
        if error.status in LISTS_NO_MODELS:
            self._serves(0)
        elif error.status in WRONG_KEY and not self._served:
            self._failed(EngineError(f"{self._spec.url} refuses the key it was shown ({error.status})"))
        else:
            self._shut(f"{self._spec.url} answered {error}")

    def _listed(self, models: dict[str, int]) -> None:
        model = self._spec.model
        if model in models:
            self._serves(models[model])
        elif self._served:
            self._shut(f"{self._spec.url} no longer serves {model}")
        else:
            some = ", ".join(one_line(name, 80) for name in sorted(models)[:10]) or "nothing"
            self._failed(EngineError(f"{self._spec.url} does not serve {model}; it serves {some}"))

    def _serves(self, context_length: int) -> None:
        url, context_length = self._spec.url, context_length or self._spec.max_model_len or 0
        if not self._served:
            try:
                self._check(url, context_length, ANSWER_WITHIN_S)
            except CannotChat as error:
                self._shut(f"{url}: {error}")
                return
        self._served, self._spoke_at = True, time.monotonic()
        self._serving(url, context_length, EngineMetrics())

    def _shut(self, why: str) -> None:
        """Take no tasks, and say so once a minute: a queue that only grows must not be a riddle."""
        self._not_serving(why)
        if time.monotonic() - self._spoke_at >= SPEAK_EVERY_S:
            self._spoke_at = time.monotonic()
            log.warning("%s waits for its engine: %s", self._spec.model, why)
