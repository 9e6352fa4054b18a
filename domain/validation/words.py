"""What pydantic finds wrong with a value, in words for whom the value is from; its content is never quoted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from pydantic_core import ErrorDetails

from domain.text.visible import as_python

MAX_WORD = 80
MAX_PROBLEM = 220
"""Characters."""

JSON_TYPES = {
    dict: "an object",
    list: "a list",
    tuple: "a list",
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}
EXPECTED_TYPES = {
    "string_type": "a string",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "int_type": "an integer",
    "int_parsing": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
}
"""The type that the field takes, by the kind of error."""


def json_type(value: object) -> str:
    """Name a value's type as JSON has it; YAML has dates, too."""
    return JSON_TYPES.get(type(value)) or ("a date" if isinstance(value, date) else "something else")


def printable(text: str, limit: int = MAX_WORD) -> str:
    """Make a foreign word fit to print: bounded, one line, what is not printable by its escape."""
    plain = "".join(char if char.isprintable() else as_python(char) for char in text[: limit + 1])
    return plain if len(plain) <= limit else plain[:limit] + "…"


def path(place: Iterable[int | str]) -> str:
    """Write ("agents", 0, "seed") as agents[0].seed."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return printable("".join(parts).removeprefix("."))


def listing(heading: str, sentences: Sequence[str], *, unlisted: int = 0) -> str:
    """Write a single sentence behind the heading, several below it, one a line; `unlisted` more are counted."""
    if len(sentences) == 1 and not unlisted:
        return f"{heading} {sentences[0]}"
    more = [f"{unlisted} more"] if unlisted else []
    return "\n  ".join([heading, *sentences, *more])


def problem_of(details: Sequence[ErrorDetails]) -> str:
    """Say what is wrong with one value and what to do about it.

    Several details are of the branches of a union: the branch of the value's own type judges, if there is one.
    """
    detail = next((detail for detail in details if detail["type"] not in EXPECTED_TYPES), None)
    if detail is not None:
        return _known_problem(detail) or _in_our_words(detail["msg"])
    expected = " or ".join(dict.fromkeys(EXPECTED_TYPES[detail["type"]] for detail in details))
    return f"must be {expected}, not {json_type(details[0]['input'])}; correct it"


def _known_problem(detail: ErrorDetails) -> str:
    context, value = detail.get("ctx") or {}, detail["input"]
    match detail["type"]:
        case "missing":
            return "is missing; add it"
        case "string_too_short" | "string_pattern_mismatch" if not str(value).strip():
            return "is empty; give it a value"
        case "string_too_short":
            return f"is shorter than {context['min_length']} characters; lengthen it"
        case "string_pattern_mismatch":
            return f"must match {context['pattern']}; correct it"
        case "string_too_long":
            return f"is longer than {context['max_length']} characters; shorten it"
        case "too_long":
            return f"has more than {context['max_length']} entries; leave some out"
        case "too_short" if not value:
            return "is empty; add an entry"
        case "too_short":
            return f"has fewer than {context['min_length']} entries; add some"
        case "invalid_key":
            return "must have a string as its name; put the name in quotation marks"
    return ""


def _in_our_words(message: str) -> str:
    """Reword what pydantic says, or take what a validator of ours says, which may name a remedy of its own."""
    text = message.split("\n")[0].removeprefix("Value error, ")
    begin, input_should, rest = text.partition("Input should")
    text = f"must{rest}" if input_should and not begin else text[:1].lower() + text[1:]
    return printable(text if ";" in text else f"{text}; correct it", MAX_PROBLEM)
