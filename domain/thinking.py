"""Thinking models write what they think before what they answer: whether, and in how much room."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

Thinking = Literal["off", "on"] | Annotated[int, Field(ge=1, le=65_536)]
"""off, on, or on within so many tokens."""

ROOM = 4096
"""Tokens for thoughts where none are named: what Qwen3 and gpt-oss need for most questions of a page."""


class Thoughts(StrEnum):
    """What the ready check found out about an engine's model."""

    UNKNOWN = "unknown"
    NEVER = "never"
    """It answers at once, also when asked to think."""
    ON_DEMAND = "on_demand"
    """It thinks when asked to, and leaves it when asked to."""
    ALWAYS = "always"
    """It thinks also when asked not to."""


class ThoughtsPlace(StrEnum):
    """Where an engine puts thoughts."""

    NOWHERE = "nowhere"
    TEXT = "text"
    """In the answer's text, between marks."""
    BESIDE = "beside"
    """In a field of their own, as engines with a reasoning parser do."""


def room_for(thinking: Thinking | None) -> int:
    """Return the tokens that thoughts may take on top of an answer; 0 for no thoughts."""
    if thinking in (None, "off"):
        return 0
    return ROOM if thinking == "on" else int(thinking)
