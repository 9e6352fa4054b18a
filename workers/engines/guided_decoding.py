"""How an engine is kept to a form of scores, and how its answer becomes the form's own text again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from domain.chat import Line, ScoreForm
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
        return {"structured_outputs": {"regex": r"\n".join(f"{row.name}: {_pattern(row)}" for row in form.rows)}}

    def max_tokens(self, form: ScoreForm, compact_tokens: int) -> int:
        return compact_tokens

    def compact_text(self, answer: str, form: ScoreForm) -> str:
        return answer


class Grammar:
    """llama.cpp: the form's own text as GBNF."""

    def request_fields(self, form: ScoreForm) -> Mapping[str, Any]:
        lines = r' "\n" '.join(f'"{row.name}: " {_alternatives(row)}' for row in form.rows)
        return {"grammar": f"root ::= {lines}\n"}

    def max_tokens(self, form: ScoreForm, compact_tokens: int) -> int:
        return compact_tokens

    def compact_text(self, answer: str, form: ScoreForm) -> str:
        return answer


class JsonSchema:
    """Any other engine: an object with a property for each line, translated back."""

    def request_fields(self, form: ScoreForm) -> Mapping[str, Any]:
        properties = {row.name: _property(row) for row in form.rows}
        schema = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
        return {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "scores", "strict": True, "schema": schema},
            }
        }

    def max_tokens(self, form: ScoreForm, compact_tokens: int) -> int:
        # Quotes, a comma and an indented line per score or word; some engines indent.
        return compact_tokens + 10 * len(form.rows) + 24

    def compact_text(self, answer: str, form: ScoreForm) -> str:
        try:
            scores = json.loads(answer)
            if scores.keys() != {row.name for row in form.rows}:
                return answer
            return "\n".join(f"{row.name}: {_word(scores[row.name], row)}" for row in form.rows)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return answer


def _has_digits(row: Line) -> bool:
    return row.words[0] == "1"


def _pattern(row: Line) -> str:
    return f"[1-{row.words[-1]}]" if _has_digits(row) else f"({'|'.join(row.words)})"


def _alternatives(row: Line) -> str:
    quoted = (f'"{word}"' for word in row.words)
    return f"[1-{row.words[-1]}]" if _has_digits(row) else f"( {' | '.join(quoted)} )"


def _property(row: Line) -> dict[str, Any]:
    if _has_digits(row):
        return {"type": "integer", "minimum": 1, "maximum": int(row.words[-1])}
    return {"type": "string", "enum": list(row.words)}


def _word(told: object, row: Line) -> str:
    """Raises ValueError for anything but a whole number from 1 to 9, or a word of the line's."""
    if not _has_digits(row):
        if told not in row.words:
            raise ValueError("not an answer")
        return str(told)
    if isinstance(told, bool) or not isinstance(told, int) or not 1 <= told <= 9:
        raise ValueError("not a score")
    return str(told)


GUIDED_DECODINGS: Mapping[Guidance, GuidedDecoding] = {
    Guidance.REGEX: Regex(),
    Guidance.GRAMMAR: Grammar(),
    Guidance.JSON_SCHEMA: JsonSchema(),
}
