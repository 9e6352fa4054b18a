"""As much of OpenAI's chat completion as is read here; the rest of an engine's answer is its own affair."""

from __future__ import annotations

from pydantic import BaseModel, Field, field_validator


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _PromptDetails(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(default=0, ge=0)
    prompt_tokens_details: _PromptDetails | None = None

    @property
    def cached_tokens(self) -> int:
        """Part of the prompt that the prefix cache served; 0 where the engine does not say."""
        return (self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else 0) or 0


class Completion(BaseModel):
    """An answer; validating raises ValidationError for anything that isn't one."""

    model: str = ""
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage = _Usage()

    @field_validator("usage", mode="before")
    @classmethod
    def _may_be_null(cls, usage: object) -> object:
        return {} if usage is None else usage

    @property
    def text(self) -> str:
        """What the model said; empty if nothing."""
        return self.choices[0].message.content or ""

    @property
    def cut_off(self) -> bool:
        """Whether the answer ended at the bound on its tokens."""
        return self.choices[0].finish_reason == "length"
