"""OpenAI's chat completion: how an answer is read."""

from __future__ import annotations

from pydantic import BaseModel, Field, field_validator

from domain.chat import ChatAnswer, ChatFailure, ChatRequest, FailureReason
from domain.engine import EngineRecord
from workers.engines.guided_decoding import GUIDED_DECODINGS


def read_answer(
    data: bytes, request: ChatRequest, record: EngineRecord, duration_ms: float
) -> ChatAnswer | ChatFailure:
    """Read an engine's answer; raises pydantic's ValidationError, a ValueError, for anything that isn't one."""
    completion = _Completion.model_validate_json(data)
    choice, usage = completion.choices[0], completion.usage
    text, cut_off = choice.message.content or "", choice.finish_reason == "length"
    if not text.strip():
        reason, detail = FailureReason.EMPTY, "the model said nothing"
        if cut_off:
            reason, detail = FailureReason.CUT_OFF, f"the model said nothing within {request.max_tokens} tokens"
        return ChatFailure(key=request.key, reason=reason, detail=detail, engine=record.name)
    form = request.form
    return ChatAnswer(
        key=request.key,
        model=completion.model or request.model,
        engine=record.name,
        text=text if form is None else GUIDED_DECODINGS[record.guidance].compact_text(text, form),
        cut_off=cut_off,
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        completion_tokens=usage.completion_tokens,
        duration_ms=duration_ms,
    )


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


class _Completion(BaseModel):
    """As much of an answer as is read here."""

    model: str = ""
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage = _Usage()

    @field_validator("usage", mode="before")
    @classmethod
    def _may_be_null(cls, usage: object) -> object:
        return {} if usage is None else usage
