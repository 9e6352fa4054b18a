"""A ChatModel whose calls are spans; the engine receives their trace context, which vLLM continues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from domain.chat import ChatFailure, ChatOutcome, ChatRequest
from domain.ports.chat_model import ChatModel, arrived_with
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
            return TracedOutcomes(self._model.ask(traced), spans)
        except BaseException:
            _abandon(spans)
            raise

    def _start(self, request: ChatRequest, parent: str) -> Span:
        attributes = asked(request, current_conversation())
        return self._tracer.start(f"chat {request.model}", parent=parent, attributes=attributes, client=True)


class TracedOutcomes(Iterator[ChatOutcome]):
    """Ends the span of every outcome that it yields, and of all others when no more come or the reader leaves."""

    def __init__(self, outcomes: Iterator[ChatOutcome], spans: Mapping[str, Span]) -> None:
        self._outcomes = outcomes
        self._spans = spans

    def __next__(self) -> ChatOutcome:
        try:
            return self._ended(next(self._outcomes))
        except BaseException:
            _abandon(self._spans)
            raise

    def arrived(self) -> list[ChatOutcome]:
        """Return the outcomes that came together with the last one, and are not to be yielded then."""
        return [self._ended(outcome) for outcome in arrived_with(self._outcomes)]

    def close(self) -> None:
        """Cancel the calls that still run."""
        close = getattr(self._outcomes, "close", None)
        if close is not None:
            close()
        _abandon(self._spans)

    def __del__(self) -> None:
        _abandon(self._spans)

    def _ended(self, outcome: ChatOutcome) -> ChatOutcome:
        error = outcome.reason.value if isinstance(outcome, ChatFailure) else ""
        self._spans[outcome.key].end(error, attributes=ended(outcome))
        return outcome


def _abandon(spans: Mapping[str, Span]) -> None:
    for span in spans.values():
        span.end("abandoned", attributes={"error.type": "abandoned"})
