"""What a program sends to /v1/chat/completions, as far as it matters to a council."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from web.asking import Question

PREFIX = "council:"
WAIT_S = 570.0
"""OpenAI's clients give up after 600 s and ask again, which would start another deliberation."""


class _Sent(BaseModel):
    """Fields of a sampler, such as `temperature`, are passed over: each agent of a council has its own."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class Part(_Sent):
    """A part of a message; agents read texts alone."""

    type: Literal["text"]
    text: str


class Message(_Sent):
    """One message."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class StreamOptions(_Sent):
    """What a stream holds besides."""

    include_usage: bool = False


class ChatRequest(_Sent):
    """A question in a conversation."""

    model: str = Field(min_length=1, max_length=300)
    messages: list[Message] = Field(min_length=1, max_length=1000)
    stream: bool = False
    stream_options: StreamOptions | None = None
    user: str = Field(default="", max_length=200)
    timeout_s: float = Field(default=WAIT_S, gt=0, le=3600)
    """Ours: how long to wait for the decision."""

    @property
    def role(self) -> str:
        """The role whose council is asked."""
        return self.model.removeprefix(PREFIX)

    def question(self, user: str) -> Question:
        """Return what is asked. Raises ValueError where the user says nothing."""
        last = max((place for place, message in enumerate(self.messages) if message.role == "user"), default=None)
        if last is None or not self.messages[last].text.strip():
            raise ValueError("messages hold no text of the user, which is the question; add one")
        before = "\n\n".join(f"{message.role}: {message.text}" for message in self.messages[:last] if message.text)
        return Question(
            role=self.role,
            text=self.messages[last].text,
            context=f"The conversation before the question:\n\n{before}" if before else "",
            asked_by=user or self.user.strip() or "anonymous",
        )


def usage_of(prompt_tokens: int, completion_tokens: int) -> dict[str, Any]:
    """Write tokens as OpenAI does."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }
