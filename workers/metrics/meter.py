"""The Meter port over prometheus-client, and the counters of model calls."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from domain.chat import ChatFailure, ChatOutcome
from domain.contract import CompletedBody
from domain.contract_rows import TotalUsage
from domain.entry import Closed
from domain.record import Record

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640)
"""From a store's answer to a deliberation's deadline; a model step is rarely under a second."""

KINDS = ("prompt", "cached", "completion")
"""Of tokens; cached ones are among those of prompts."""


class PrometheusMeter:
    """Counts into one registry; one object a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, words: str, *labels: str) -> Counter:
            return Counter(f"conclave_{name}", words, labels, registry=registry)

        def histogram(name: str, words: str, *labels: str, buckets: Sequence[float] = SECONDS) -> Histogram:
            return Histogram(f"conclave_{name}", words, labels, buckets=buckets, registry=registry)

        self._deliberations = counter("deliberations", "Deliberations ended", "role", "outcome")
        self._degraded = counter("deliberations_degraded", "Decisions with something missing", "role")
        self._stages = histogram("stage_seconds", "Wall time of a stage", "role", "stage")
        self._agreement = histogram(
            "agreement_kendall_w", "Kendall's W of decisions", "role", buckets=[step / 10 for step in range(11)]
        )
        self._missing = counter(
            "ballots_missing", "Ballots that reviewers owe, wholly or in part", "role", "reason"
        )
        self._failures = counter("agent_failures", "Agents without a proposal", "role", "reason")
        words = "Tokens of deliberations that ended, by kind: prompt, cached, completion"
        self._tokens_by_role = counter("deliberation_tokens", words, "role", "kind")
        self._costs = counter("deliberation_cost", "Money that those tokens cost", "role", "currency")
        self._calls = histogram("model_call_seconds", "Model calls answered", "model")
        self._failed_calls = counter("model_call_failures", "Model calls without an answer", "reason")
        self._tokens = counter("tokens", "Tokens by kind: prompt, cached, completion", "model", "kind")
        self._waits = histogram("queue_wait_seconds", "From sending a task to its start", "task")
        self._steps = histogram("task_seconds", "From a task's start to its end", "task")
        words = "Tasks running now"
        self._running = Gauge("conclave_tasks_in_flight", words, ["task"], registry=registry)

    @contextmanager
    def step(self, name: str, *, waited_s: float) -> Iterator[None]:
        self._waits.labels(name).observe(max(0.0, waited_s))
        began = time.monotonic()
        with self._running.labels(name).track_inprogress():
            try:
                yield
            finally:
                self._steps.labels(name).observe(time.monotonic() - began)

    def ended(self, record: Record, closed: Closed) -> None:
        role = record.deliberation.role
        self._deliberations.labels(role, closed.status).inc()
        for failure in record.failures():
            self._failures.labels(role, failure.reason.value).inc()
        for ballot in record.ballots():
            for reason in ballot.owed:
                self._missing.labels(role, reason.value).inc()
        if closed.result.usage is not None:
            self._spent(role, closed.result.usage)
        if closed.decision is not None:
            self._decided(role, closed.decision)

    def called(self, outcome: ChatOutcome) -> None:
        """Count a model call that has ended; may be called on the event loop."""
        if isinstance(outcome, ChatFailure):
            self._failed_calls.labels(outcome.reason.value).inc()
            return
        self._calls.labels(outcome.model).observe(outcome.duration_ms / 1000)
        for kind in KINDS:
            self._tokens.labels(outcome.model, kind).inc(getattr(outcome, f"{kind}_tokens"))

    def _spent(self, role: str, usage: TotalUsage) -> None:
        if usage.agents:  # so that a role without a council, whatever it is called, makes no series
            for kind in KINDS:
                self._tokens_by_role.labels(role, kind).inc(getattr(usage, f"{kind}_tokens"))
            if usage.cost is not None:
                self._costs.labels(role, usage.cost.currency).inc(float(usage.cost.amount))

    def _decided(self, role: str, decision: CompletedBody) -> None:
        if decision.degraded:
            self._degraded.labels(role).inc()
        for stage, milliseconds in decision.timings.items():
            self._stages.labels(role, stage.removesuffix("_ms")).observe(milliseconds / 1000)
        self._stages.labels(role, "total").observe(decision.duration_ms / 1000)
        if decision.agreement.kendall_w is not None:
            self._agreement.labels(role).observe(decision.agreement.kendall_w)
