"""One call to an engine that answers with bytes of a test's choice."""

from __future__ import annotations

from domain.chat import ChatOutcome, ChatRequest, Message, ScoreForm
from domain.engine import EngineKind, EngineRecord, Guidance
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from workers.adapters.clock import SystemClock
from workers.adapters.openai.chat_model import OpenAIChatModel
from workers.portal import Portal


def http_answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole HTTP answer with this body."""
    lines = (f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", "")
    return "\r\n".join(lines).encode() + body


def model_at(
    portal: Portal, url: str, *, guidance: Guidance = Guidance.REGEX, context_length: int = 0, **options: object
) -> OpenAIChatModel:
    """A ChatModel that knows one engine, named `e`, which serves the model `m` at this URL."""
    directory = MemoryEngineDirectory(clock=SystemClock())
    record = EngineRecord(
        name="e", model="m", url=url, kind=EngineKind.VLLM, guidance=guidance, context_length=context_length
    )
    directory.publish(record, ttl_s=600)
    return OpenAIChatModel(directory, portal, **options)  # type: ignore[arg-type]


def ask(model: OpenAIChatModel, *, timeout_s: float = 20.0, form: ScoreForm | None = None) -> ChatOutcome:
    """Ask one question with room for 16 tokens, or for what a form needs."""
    message = Message(role="user", content="?")
    request = ChatRequest(
        key="k",
        model="m",
        messages=(message,),
        max_tokens=form.max_tokens if form else 16,
        timeout_s=timeout_s,
        form=form,
    )
    (outcome,) = model.ask([request])
    return outcome
