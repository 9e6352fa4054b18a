"""Why a message is refused, in one sentence that names the field and the remedy, without quoting its content."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain.value import Value

MAX_REASON = 300
"""Characters; a reason travels in a header."""

JSON_NAMES = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}

WANTED = {
    "string_type": "a string",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "bool_type": "true or false",
}


class Rejection(Value):
    """A message that can't be accepted, now or later."""

    reason: str


class Refusal(Exception):
    """Raised while a message is read; its text is the sentence for the dead letter."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason[:MAX_REASON])


def named(text: str, limit: int = 80) -> str:
    """Make a publisher's word fit to print: bounded, one line, plain characters."""
    short = text if len(text) <= limit else text[:limit] + "…"
    return "".join(char if char.isprintable() else "?" for char in short)


def json_type(value: Any) -> str:
    """Name a JSON value's type as its publisher would."""
    return JSON_NAMES.get(type(value), "a number")


def sentence_of(error: ValidationError) -> str:
    """Say what the first mismatch is and what to do; count the others."""
    details = error.errors(include_url=False)
    others = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return _sentence(details[0])[: MAX_REASON - len(others)] + others


def _sentence(detail: ErrorDetails, prefix: tuple[int | str, ...] = ()) -> str:
    where = prefix + tuple(detail["loc"])
    inner = (detail.get("ctx") or {}).get("error")
    if isinstance(inner, ValidationError):
        return _sentence(inner.errors(include_url=False)[0], where)
    return f"field {_path(where)} {_complaint(detail)}"


def _path(where: tuple[int | str, ...]) -> str:
    return named(".".join(str(part) for part in where)) or "(the whole message)"


def _complaint(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx") or {}
    if kind == "missing":
        return "is missing; add it"
    if kind in ("string_too_short", "string_pattern_mismatch"):
        return "is empty; give it a value or leave the message unsent"
    if kind == "string_too_long":
        return f"is longer than {context['max_length']} characters; shorten it"
    if kind == "too_long":
        return f"has more than {context['max_length']} entries; send fewer"
    if kind in WANTED:
        return f"must be {WANTED[kind]}, not {json_type(detail['input'])}; correct it and send it again"
    message = detail["msg"].removeprefix("Value error, ").split("\n")[0]
    return f"{message[:1].lower()}{message[1:]}; correct it and send it again"
