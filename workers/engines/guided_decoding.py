"""How an engine is kept to a form of scores, and how its answer becomes the form's own text again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from domain.chat import ScoreForm
from domain.engine import Guidance


class GuidedDecoding(Protocol):
    """One way to keep an answer to a form."""

    def request_fields(self, form: ScoreForm) -> Mapping[str, Any]:
        """Return what the request's body must hold besides the prompt."""
        ...

    def max_tokens(self, form: ScoreForm, compact_tokens: int) -> int:
        """Return the bound on the answer's tokens, where `compact_tokens` bounds the form's own text."""
        ...

    def compact_text(self, answer: str, form: ScoreForm) -> str:
        """Return the answer as the form's own text; an answer that is off form comes back as it was."""
        ...


class Regex:
    """vLLM: the form's own text."""

    def request_fields(self, form: ScoreForm) -> Mapping[str, Any]:
        return {"structured_outputs": {"regex": r"\n".join(f"{name}: [1-{form.highest}]" for name in form.lines)}}

    def max_tokens(self, form: ScoreForm, compact_tokens: int) -> int:
        return compact_tokens

    def compact_text(self, answer: str, form: ScoreForm) -> str:
        return answer


class Grammar:
    """llama.cpp: the form's own text as GBNF."""

    def request_fields(self, form: ScoreForm) -> Mapping[str, Any]:
        lines = r' "\n" '.join(f'"{name}: " [1-{form.highest}]' for name in form.lines)
        return {"grammar": f"root ::= {lines}\n"}

    def max_tokens(self, form: ScoreForm, compact_tokens: int) -> int:
        return compact_tokens

    def compact_text(self, answer: str, form: ScoreForm) -> str:
        return answer


class JsonSchema:
    """Any other engine: an object with a property for each line, translated back."""

    def request_fields(self, form: ScoreForm) -> Mapping[str, Any]:
        score = {"type": "integer", "minimum": 1, "maximum": form.highest}
        schema = {
            "type": "object",
            "properties": dict.fromkeys(form.lines, score),
            "required": list(form.lines),
            "additionalProperties": False,
        }
        return {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "scores", "strict": True, "schema": schema},
            }
        }

    def max_tokens(self, form: ScoreForm, compact_tokens: int) -> int:
        # Quotes, a comma and an indented line per score; some engines indent.
        return compact_tokens + 8 * len(form.lines) + 24

    def compact_text(self, answer: str, form: ScoreForm) -> str:
        try:
            scores = json.loads(answer)
            if scores.keys() != set(form.lines):
                return answer
            return "\n".join(f"{name}: {_digit(scores[name])}" for name in form.lines)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return answer


def _digit(score: object) -> str:
    """Raises ValueError for anything but a whole number from 1 to 9."""
    if isinstance(score, bool) or not isinstance(score, int) or not 1 <= score <= 9:
        raise ValueError("not a score")
    return str(score)


GUIDED_DECODINGS: Mapping[Guidance, GuidedDecoding] = {
    Guidance.REGEX: Regex(),
    Guidance.GRAMMAR: Grammar(),
    Guidance.JSON_SCHEMA: JsonSchema(),
}
