"""A Dispatcher that begins the trace of every plan it is handed, below the message that requested it."""

from __future__ import annotations

from collections.abc import Sequence

from domain.deliberation import Deliberation
from domain.plan import PlanRequest
from domain.ports.dispatcher import Dispatcher
from domain.ports.tracer import Span, Tracer


class TracedDispatcher:
    """Dispatcher around another one. A redelivered message is linked to, not continued: its first delivery was."""

    def __init__(self, dispatcher: Dispatcher, tracer: Tracer) -> None:
        self._dispatcher = dispatcher
        self._tracer = tracer

    def plans(self, requests: Sequence[PlanRequest]) -> tuple[PlanRequest, ...]:
        spans = [self._start(request) for request in requests]
        traced = [
            request.model_copy(update={"traceparent": span.traceparent})
            for request, span in zip(requests, spans, strict=True)
        ]
        try:
            kept = self._dispatcher.plans(traced)
        except BaseException as error:
            for span in spans:
                span.end(type(error).__name__)
            raise
        for span in spans:
            span.end()
        return kept

    def deliberation(self, deliberation: Deliberation, unanswered: Sequence[str]) -> None:
        self._dispatcher.deliberation(deliberation, unanswered)

    def _start(self, request: PlanRequest) -> Span:
        attributes = {"conclave.plan_id": request.plan.plan_id, "conclave.request_id": request.request_id}
        if request.redelivered:
            return self._tracer.start("plan.accept", links=[request.traceparent], attributes=attributes)
        return self._tracer.start("plan.accept", parent=request.traceparent, attributes=attributes)
