"""How an engine is kept to a form of scores, and how its answer becomes the compact text again."""

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
        """Return the bound on the answer's tokens, where `compact_tokens` bounds the compact text."""
        ...

    def compact_text(self, answer: str, form: ScoreForm) -> str:
        """Return the answer as compact text; an answer that is off form comes back as it was."""
        ...


class Regex:
    """vLLM: the compact text itself, four tokens for a row of three."""

    def request_fields(self, form: ScoreForm) -> Mapping[str, Any]:
        row = f"[1-9]{{{form.columns}}}"
        rest = f"(,{row}){{{form.rows - 1}}}" if form.rows > 1 else ""
        return {"structured_outputs": {"regex": row + rest}}

    def max_tokens(self, form: ScoreForm, compact_tokens: int) -> int:
        return compact_tokens

    def compact_text(self, answer: str, form: ScoreForm) -> str:
        return answer


class Grammar:
    """llama.cpp: the compact text as GBNF."""

    def request_fields(self, form: ScoreForm) -> Mapping[str, Any]:
        rows = ' "," '.join(["row"] * form.rows)
        digits = " ".join(["[1-9]"] * form.columns)
        return {"grammar": f"root ::= {rows}\nrow ::= {digits}\n"}

    def max_tokens(self, form: ScoreForm, compact_tokens: int) -> int:
        return compact_tokens

    def compact_text(self, answer: str, form: ScoreForm) -> str:
        return answer


class JsonSchema:
    """Any other engine: a list of rows, translated back."""

    def request_fields(self, form: ScoreForm) -> Mapping[str, Any]:
        score = {"type": "integer", "minimum": 1, "maximum": 9}
        row = _array(score, form.columns)
        schema = {
            "type": "object",
            "properties": {"scores": _array(row, form.rows)},
            "required": ["scores"],
            "additionalProperties": False,
        }
        return {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "scores", "strict": True, "schema": schema},
            }
        }

    def max_tokens(self, form: ScoreForm, compact_tokens: int) -> int:
        # A digit, a comma and a blank per score, brackets and an indented line per row; some engines indent.
        return max(compact_tokens, form.rows * (3 * form.columns + 8) + 24)

    def compact_text(self, answer: str, form: ScoreForm) -> str:
        try:
            rows = json.loads(answer)["scores"]
            if [len(row) for row in rows] != [form.columns] * form.rows:
                return answer
            return ",".join("".join(_digit(score) for score in row) for row in rows)
        except (ValueError, TypeError, KeyError, RecursionError):
            return answer


def _array(items: Mapping[str, Any], length: int) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": length, "maxItems": length}


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
