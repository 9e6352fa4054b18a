"""What an engine says that a call cost, believed only within what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.chat import ChatRequest, Usage
from domain.engine import EngineRecord
from workers.adapters.openai.request import most_prompt_tokens

TEMPLATE_WORDS = 4096
"""Tokens that a chat template may add of its own: a default system prompt, the notation of tools."""


@dataclass(frozen=True)
class TokenCounts:
    """Tokens of one call; 0 where the engine said nothing that can be true."""

    prompt: int
    cached: int
    completion: int
    reasoning: int

    @property
    def usage(self) -> Usage:
        return Usage(
            prompt_tokens=self.prompt,
            cached_tokens=self.cached,
            completion_tokens=self.completion,
            reasoning_tokens=self.reasoning,
        )


def token_counts(usage: Any, request: ChatRequest, record: EngineRecord, bound: int) -> TokenCounts:
    """Read `usage` of an answer whose tokens were bounded by `bound`. Raises nothing, whatever it holds.

    A number that is none, negative, or more than the request allowed is unknown: what an engine claims goes into
    sums over many agents.
    """
    at_most = most_prompt_tokens(request.messages) + TEMPLATE_WORDS
    if record.context_length:
        at_most = min(at_most, record.context_length)
    prompt = _count(usage, "prompt_tokens", at_most=at_most)
    completion = _count(usage, "completion_tokens", at_most=bound)
    return TokenCounts(
        prompt=prompt,
        cached=_count(_of(usage, "prompt_tokens_details"), "cached_tokens", at_most=prompt),
        completion=completion,
        reasoning=_count(_of(usage, "completion_tokens_details"), "reasoning_tokens", at_most=completion),
    )


def _of(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _count(usage: Any, name: str, *, at_most: int) -> int:
    number = _of(usage, name)
    counts = isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= at_most
    return number if counts else 0
