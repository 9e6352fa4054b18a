"""OpenAI's chat completion: what the body of a request holds, and how many tokens it can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.chat import ChatRequest, Message
from domain.engine import EngineRecord
from workers.engines.engine import turns
from workers.engines.guided_decoding import GUIDED_DECODINGS

TEMPLATE_TOKENS = 64
"""A chat template's own words, a default system prompt among them."""
TOKENS_A_TURN = 16
"""The marks a template puts round one turn."""


def token_bound(request: ChatRequest, record: EngineRecord) -> int:
    """Return the bound on the answer's tokens that this engine is sent."""
    if request.form is None:
        return request.max_tokens
    return GUIDED_DECODINGS[record.guidance].max_tokens(request.form, request.max_tokens)


def request_body(request: ChatRequest, record: EngineRecord) -> dict[str, Any]:
    """Return the body that asks this engine for what the request wants."""
    form = request.form
    return {
        "model": request.model,
        "messages": turns(request.messages),
        "max_tokens": token_bound(request, record),
        "temperature": request.temperature,
        **({} if request.seed is None else {"seed": request.seed}),
        **({} if form is None else GUIDED_DECODINGS[record.guidance].request_fields(form)),
    }


def most_prompt_tokens(messages: Sequence[Message]) -> int:
    """Bound a prompt's tokens from above without a tokenizer: none is shorter than a byte."""
    written = sum(len(message.content.encode()) for message in messages)
    return written + TEMPLATE_TOKENS + TOKENS_A_TURN * len(messages)
