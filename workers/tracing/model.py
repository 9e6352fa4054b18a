"""A ChatModel whose calls are spans; the engine receives their trace context, which vLLM continues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from domain.chat import ChatFailure, ChatOutcome, ChatRequest
from domain.ports.chat_model import ChatModel
from domain.ports.tracer import Attributes, Span, Tracer
from domain.spans import current_conversation, current_traceparent


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
                spans[outcome.key].end(error, attributes=_answered(outcome))
                yield outcome
        finally:
            for span in spans.values():
                span.end("abandoned", attributes={"error.type": "abandoned"})

    def _start(self, request: ChatRequest, parent: str) -> Span:
        return self._tracer.start(f"chat {request.model}", parent=parent, attributes=_asked(request), client=True)


def _asked(request: ChatRequest) -> Attributes:
    """Return what OpenTelemetry's conventions for `gen_ai` say of a request; no text of a prompt is among it."""
    known = {"gen_ai.agent.name": request.agent_id, "gen_ai.conversation.id": current_conversation()}
    seed = {} if request.seed is None else {"gen_ai.request.seed": request.seed}
    return {
        "gen_ai.operation.name": "chat",
        # The conventions' name for whatever speaks this protocol.
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": request.model,
        "gen_ai.request.max_tokens": request.max_tokens,
        "gen_ai.request.temperature": request.temperature,
        "gen_ai.output.type": "text",
        **seed,
        **{name: value for name, value in known.items() if value},
    }


def _answered(outcome: ChatOutcome) -> Attributes:
    engine = {"conclave.engine": outcome.engine} if outcome.engine else {}
    if isinstance(outcome, ChatFailure):
        return {"error.type": outcome.reason.value, **engine}
    return {
        "gen_ai.response.model": outcome.model,
        "gen_ai.response.finish_reasons": ["length" if outcome.cut_off else "stop"],
        "gen_ai.usage.input_tokens": outcome.prompt_tokens,
        "gen_ai.usage.output_tokens": outcome.completion_tokens,
        "gen_ai.usage.cache_read.input_tokens": outcome.cached_tokens,
        "gen_ai.usage.reasoning.output_tokens": outcome.reasoning_tokens,
        **engine,
    }
