"""Tokens spent."""

from __future__ import annotations

from domain.chat import ChatAnswer
from domain.value import OpenValue


class Usage(OpenValue):
    """Tokens of one model call or of several."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
        )


def usage_of(answer: ChatAnswer) -> Usage:
    """Return the tokens of one answer."""
    return Usage(
        prompt_tokens=answer.prompt_tokens,
        cached_tokens=answer.cached_tokens,
        completion_tokens=answer.completion_tokens,
    )
