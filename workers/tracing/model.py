"""A ChatModel whose calls are spans; the engine is told their context, which vLLM continues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from domain.chat import ChatFailure, ChatOutcome, ChatRequest
from domain.ports.chat_model import ChatModel
from domain.ports.tracer import Span, Tracer
from domain.spans import current_traceparent


class TracedChatModel:
    """ChatModel around another one."""

    def __init__(self, model: ChatModel, tracer: Tracer) -> None:
        self._model = model
        self._tracer = tracer

    def ask(self, requests: Sequence[ChatRequest]) -> Iterator[ChatOutcome]:
        """See ChatModel; every request is a span below the enclosing one."""
        parent = current_traceparent()
        spans = {one.key: self._start(one, parent) for one in requests}
        told = [one.model_copy(update={"traceparent": spans[one.key].traceparent}) for one in requests]
        try:
            for outcome in self._model.ask(told):
                failed = isinstance(outcome, ChatFailure)
                spans[outcome.key].end(outcome.reason.value if isinstance(outcome, ChatFailure) and failed else "")
                yield outcome
        finally:
            for span in spans.values():
                span.end("abandoned")

    def _start(self, request: ChatRequest, parent: str) -> Span:
        attributes = {"gen_ai.request.model": request.model, "gen_ai.operation.name": "chat"}
        return self._tracer.start(f"chat {request.model}", parent=parent, attributes=attributes)
