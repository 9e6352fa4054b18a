"""OpenAI's chat completion: what the body of a request holds, and how many tokens it can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.chat import ChatRequest, Message
from domain.engine import Dialect, EngineRecord, ThinkingSwitch
from domain.thinking import ROOM, Thoughts
from workers.adapters.openai.expected_scores import TOP_LOGPROBS
from workers.engines.engine import turns
from workers.engines.guided_decoding import GUIDED_DECODINGS

TEMPLATE_TOKENS = 64
"""A chat template's own words, a default system prompt among them."""
PROBABILITIES = {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
TOKENS_A_TURN = 16
"""The marks a template puts round one turn."""


def token_bound(request: ChatRequest, record: EngineRecord) -> int:
    """Return the bound on the tokens of thoughts and answer together that this engine is sent."""
    form, answer = request.form, request.max_tokens
    if form is not None:
        answer = GUIDED_DECODINGS[record.guidance].max_tokens(form, answer)
    return answer + _thinking_room(request, record)


def request_body(request: ChatRequest, record: EngineRecord) -> dict[str, Any]:
    """Return the body that asks this engine, in its own dialect, for what the request wants."""
    messages = turns(request.messages, system_turn=record.dialect.system_turn)
    return {"model": request.model, "messages": messages, **request_parameters(request, record)}


def request_parameters(request: ChatRequest, record: EngineRecord) -> dict[str, Any]:
    """Return what a request's body says of how to answer: all but model and messages."""
    form, dialect = request.form, record.dialect
    sampling = {"temperature": request.temperature, "seed": request.seed}
    return {
        dialect.tokens_field: token_bound(request, record),
        **{name: value for name, value in sampling.items() if value is not None and name not in dialect.omit},
        **({} if form is None else GUIDED_DECODINGS[record.guidance].request_fields(form)),
        **(PROBABILITIES if asks_probabilities(request, record) else {}),
        **thinking_fields(dialect, thinks=request.thinking_tokens > 0),
        **dialect.extra_body,
    }


def asks_probabilities(request: ChatRequest, record: EngineRecord) -> bool:
    """Whether the digits' probabilities are asked for: with a form of scores, unless the engine refuses."""
    return request.form is not None and record.found.logprobs != "refused"


def without_probabilities(record: EngineRecord) -> EngineRecord:
    """Return the record of an engine that refuses to tell them."""
    return record.model_copy(update={"found": record.found.model_copy(update={"logprobs": "refused"})})


def thinking_fields(dialect: Dialect, *, thinks: bool) -> dict[str, Any]:
    """Return the fields that tell an engine whether its model shall think."""
    match dialect.thinking_switch:
        case ThinkingSwitch.TEMPLATE:
            # Qwen3, GLM and others call it enable_thinking, DeepSeek and Granite thinking; a template ignores the
            # name that it doesn't know.
            return {"chat_template_kwargs": {"enable_thinking": thinks, "thinking": thinks}}
        case ThinkingSwitch.EFFORT:
            return {"reasoning_effort": "medium" if thinks else "low"}
        case ThinkingSwitch.NONE:
            return {}


def most_prompt_tokens(messages: Sequence[Message]) -> int:
    """Bound a prompt's tokens from above without a tokenizer: none is shorter than a byte."""
    written = sum(len(message.content.encode()) for message in messages)
    return written + TEMPLATE_TOKENS + TOKENS_A_TURN * len(messages)


def _thinking_room(request: ChatRequest, record: EngineRecord) -> int:
    """Return the tokens for thoughts: those asked for, or what a model takes that can't be kept from thinking."""
    if record.found.thoughts is Thoughts.NEVER:
        return 0
    if record.found.thoughts is Thoughts.ALWAYS and not request.thinking_tokens:
        return min(ROOM, record.context_length // 4) if record.context_length else ROOM
    return request.thinking_tokens
