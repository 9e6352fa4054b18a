"""What a proof counts as tokens."""

from __future__ import annotations

from domain.chat import Usage


def total(usage: Usage) -> int:
    """Return prompt and answer together; the engine read the former, even from its cache."""
    return usage.prompt_tokens + usage.completion_tokens
