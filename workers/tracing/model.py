"""A ChatModel whose calls are spans; the engine receives their trace context, which vLLM continues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from domain.chat import ChatFailure, ChatOutcome, ChatRequest
from domain.ports.chat_model import ChatModel
from domain.ports.tracer import Span, Tracer
from domain.spans import current_conversation, current_traceparent
from workers.tracing.gen_ai import asked, ended


class TracedChatModel:
    """ChatModel around another one."""

    def __init__(self, model: ChatModel, tracer: Tracer) -> None:
        self._model = model
        self._tracer = tracer

    def ask(self, requests: Sequence[ChatRequest]) -> Iterator[ChatOutcome]:
        """See ChatModel; every request is a span below the enclosing one."""
        parent = current_traceparent()
        spans = {request.key: self._start(request, parent) for request in requests}
        traced = [
            request.model_copy(update={"traceparent": spans[request.key].traceparent}) for request in requests
        ]
        try:
            for outcome in self._model.ask(traced):
                error = outcome.reason.value if isinstance(outcome, ChatFailure) else ""
                spans[outcome.key].end(error, attributes=ended(outcome))
                yield outcome
        finally:
            for span in spans.values():
                span.end("abandoned", attributes={"error.type": "abandoned"})

    def _start(self, request: ChatRequest, parent: str) -> Span:
        attributes = asked(request, current_conversation())
        return self._tracer.start(f"chat {request.model}", parent=parent, attributes=attributes, client=True)
