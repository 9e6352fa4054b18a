"""OpenAI's chat completion: how an answer is read, from servers that follow the protocol each in its own way.

Everything here is foreign input. Only a whole answer becomes one: thoughts are taken off, numbers are checked
against what was asked, and an answer that its engine broke off is a failure with its reason.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from domain.chat import ChatAnswer, ChatFailure, ChatRequest, Exchange, FailureReason, ScoreForm
from domain.engine import EngineRecord
from domain.thinking import ThoughtsPlace
from workers.adapters.openai.expected_scores import expected_scores
from workers.adapters.openai.failures import ErrorUnderOk, UnreadableAnswer, complaint_in, plain
from workers.adapters.openai.request import token_bound
from workers.adapters.openai.thoughts import without_thoughts
from workers.adapters.openai.token_counts import token_counts
from workers.engines.guided_decoding import GUIDED_DECODINGS

ENDED = frozenset({"", "stop", "eos", "eos_token", "end_turn", "stop_sequence", "complete"})
CUT_OFF = frozenset({"length", "max_tokens", "max_length"})
FILTERED = frozenset({"content_filter", "safety", "recitation", "refusal"})
BROKEN_OFF = frozenset({"abort", "aborted", "cancelled", "error"})
"""vLLM and SGLang answer 200 with `abort` when they shut down or drop a request: asked again, it may succeed."""
TOOL_CALLED = frozenset({"tool_calls", "function_call", "tool_use"})
THOUGHT_FIELDS = ("reasoning", "reasoning_content", "thinking")
"""vLLM and OpenRouter, DeepSeek and most others, Ollama."""
STREAMED = (b"data:", b"event:", b":")
"""How server-sent events begin."""
TEXT_PARTS = frozenset({"text", "output_text"})
THOUGHT_PART = re.compile(r"think|reason", re.IGNORECASE)
LONGEST_NAME = 200
"""Characters that are shown of what an engine calls its answer or its model."""
_FENCE = re.compile(r"```[\w-]*[ \t]*")


def read_answer(
    data: bytes, request: ChatRequest, record: EngineRecord, duration_ms: float
) -> ChatAnswer | ChatFailure:
    """Read an engine's answer, or say why it is none.

    Raises ErrorUnderOk for an error that came as if it were an answer, UnreadableAnswer for a page of HTML, a
    stream or nothing, and a ValueError for anything else that is no chat completion.
    """
    data = data.removeprefix(codecs.BOM_UTF8).strip()
    if data.startswith(b"<"):
        raise UnreadableAnswer(
            "the engine answered a page of HTML; its URL must be the API's, such as http://host:8000/v1"
        )
    if data.startswith(STREAMED):
        raise UnreadableAnswer("the engine answered with a stream, which was not asked for: turn it off there")
    if not data:
        raise UnreadableAnswer("the engine answered with an empty body")
    completion = _Completion.model_validate_json(data)
    if not completion.choices:
        code, sentence = complaint_in(data)
        if code or sentence:
            raise ErrorUnderOk(code, sentence or "no reason given")
        raise ValueError("no choices")
    choice, bound = completion.choices[0], token_bound(request, record)
    said = _said(choice.message, opened=_template_opened(request, record))
    counts = token_counts(completion.usage, request, record, bound)
    exchange = Exchange(
        response_id=_shown(completion.id), model=_shown(completion.model), finish_reason=_shown(choice.ended)
    )
    problem = _broken_off(choice.ended) or _nothing_said(said, choice.ended, bound)
    if problem:
        reason, detail = problem
        return ChatFailure(
            key=request.key,
            reason=reason,
            detail=detail,
            engine=record.name,
            thoughts=said.thoughts,
            exchange=exchange.model_copy(update={"usage": counts.usage}),
        )
    form = request.form
    text = said.text if form is None else _compact(said.text, form, record)
    return ChatAnswer(
        key=request.key,
        model=request.model,
        engine=record.name,
        text=text,
        expected=()
        if form is None or form.read(text) is None
        else expected_scores(choice.logprobs, said.text, form.rows),
        cut_off=choice.ended in CUT_OFF,
        prompt_tokens=counts.prompt,
        cached_tokens=counts.cached,
        completion_tokens=counts.completion,
        reasoning_tokens=counts.reasoning or said.share_of_thoughts(counts.completion),
        thoughts=said.thoughts,
        duration_ms=duration_ms,
        exchange=exchange,
    )


class _Choice(BaseModel):
    message: dict[str, Any]
    logprobs: Any = None
    finish_reason: Any = None

    @property
    def ended(self) -> str:
        """Why the answer ended, in small letters; empty where the engine does not say."""
        return self.finish_reason.lower() if isinstance(self.finish_reason, str) else ""


class _Completion(BaseModel):
    """As much of an answer as is read here."""

    id: Any = None
    model: Any = None
    choices: list[_Choice] | None = None
    usage: Any = None


@dataclass(frozen=True)
class _Said:
    """What a message holds for its reader, and what it holds besides."""

    text: str
    thought_chars: int
    thoughts: ThoughtsPlace
    unfinished: bool
    refused: bool

    def share_of_thoughts(self, completion_tokens: int) -> int:
        """Estimate the tokens of the thoughts by their share of the characters."""
        chars = self.thought_chars + len(self.text)
        return completion_tokens * self.thought_chars // chars if chars else 0


def _shown(name: Any) -> str:
    """Return a foreign name as far as it can be shown; empty for what is no text."""
    return plain(name)[:LONGEST_NAME] if isinstance(name, str) else ""


def _template_opened(request: ChatRequest, record: EngineRecord) -> bool:
    """Whether the answer's text begins within a thought, since the chat template opened it."""
    if record.found.place is ThoughtsPlace.BESIDE:
        return False
    return record.found.template_opens == "always" or (
        record.found.template_opens == "on" and request.thinking_tokens > 0
    )


def _said(message: dict[str, Any], *, opened: bool) -> _Said:
    pieces = list(_pieces(message.get("content"), thought=False))
    written = "".join(text for thought, text in pieces if not thought)
    answer = without_thoughts(written, opened=opened)
    # Some engines send the same thoughts under two names.
    fields = max(_length(_pieces(message.get(name), thought=True)) for name in THOUGHT_FIELDS)
    beside = fields + _length(piece for piece in pieces if piece[0])
    within = len(written) - len(answer.text) if answer.thought else 0
    return _Said(
        text=answer.text,
        thought_chars=beside + within,
        thoughts=_place(beside, answer.thought),
        unfinished=answer.unfinished,
        refused=bool(message.get("refusal")),
    )


def _place(beside: int, within: bool) -> ThoughtsPlace:
    if beside:
        return ThoughtsPlace.BESIDE
    return ThoughtsPlace.TEXT if within else ThoughtsPlace.NOWHERE


def _length(pieces: Iterable[tuple[bool, str]]) -> int:
    return sum(len(text) for _, text in pieces)


def _pieces(content: Any, *, thought: bool) -> Iterator[tuple[bool, str]]:
    """Yield the texts of a string, a part or a list of parts, each with whether it is a thought."""
    if isinstance(content, str):
        yield thought, content
    elif isinstance(content, list):
        for part in content:
            yield from _pieces(part, thought=thought)
    elif isinstance(content, dict):
        kind = str(content.get("type") or "text")
        is_thought = thought or bool(THOUGHT_PART.search(kind))
        if is_thought or kind in TEXT_PARTS:
            for name in ("text", *THOUGHT_FIELDS):
                yield from _pieces(content.get(name), thought=is_thought or name != "text")


def _broken_off(ended: str) -> tuple[FailureReason, str] | None:
    """Say why an answer that did not come to its end is none; None for one that did, or reached its bound."""
    if ended in ENDED | CUT_OFF:
        return None
    if ended in FILTERED:
        return FailureReason.REFUSED, f"the engine filtered the answer ({ended})"
    if ended in BROKEN_OFF:
        return FailureReason.UNREACHABLE, f"the engine broke the answer off ({ended})"
    if ended in TOOL_CALLED:
        return FailureReason.MALFORMED, f"the model called a tool instead of answering ({ended})"
    return FailureReason.MALFORMED, f"the answer ended for an unknown reason ({plain(ended)[:40]})"


def _nothing_said(said: _Said, ended: str, bound: int) -> tuple[FailureReason, str] | None:
    if said.text.strip():
        return None
    if said.refused:
        return FailureReason.REFUSED, "the model refused to answer"
    if ended in CUT_OFF and not said.thought_chars:
        return FailureReason.CUT_OFF, f"the model said nothing within {bound} tokens"
    if ended in CUT_OFF:
        detail = f"the model still thought after {bound} tokens; turn its thinking off, or give it a larger budget"
        return FailureReason.CUT_OFF, detail
    if said.unfinished:
        return FailureReason.EMPTY, "the model ended within its thoughts"
    if said.thought_chars:
        return FailureReason.EMPTY, "the model thought, and then said nothing"
    return FailureReason.EMPTY, "the model said nothing"


def _compact(text: str, form: ScoreForm, record: EngineRecord) -> str:
    """Return scores as the form's own text, whatever the engine wrapped them in."""
    return GUIDED_DECODINGS[record.guidance].compact_text(_unfenced(text), form)


def _unfenced(text: str) -> str:
    """Return what is in a text that is one fenced block, any other as it is."""
    fence, line_break, rest = text.strip().partition("\n")
    return rest[:-3].rstrip() if line_break and rest.endswith("```") and _FENCE.fullmatch(fence) else text
