"""JSON as RFC 8259 means it, from publishers of any kind: what parsers disagree about is rejected."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from pydantic import JsonValue

from bridge.rejection import MessageRejected
from domain.validation.words import json_type, printable

MAX_BYTES = 1 << 20
"""1 MiB, the payload limit of a NATS server with default settings."""
MAX_DEPTH = 64
"""Levels of objects and lists; a plan needs five."""
MAX_DIGITS = 25
"""Digits of an integer; a longer one is no number to count with, and conversion takes quadratic time."""

SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_object(data: bytes, *, max_bytes: int = MAX_BYTES) -> dict[str, JsonValue]:
    """Parse one JSON object. Raises MessageRejected with a sentence, and nothing else, for any other bytes."""
    if len(data) > max_bytes:
        raise MessageRejected(
            f"the message has {len(data)} bytes, {max_bytes} are allowed; send less or raise the limit"
        )
    text = _decode(data)
    value = _parse(text)
    if not isinstance(value, dict):
        raise MessageRejected(f"the message must be a JSON object, not {json_type(value)}; wrap it in braces")
    _check_depth(value)
    if SURROGATE.search(text):
        _check_surrogates(value)
    return value


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MessageRejected(f"the message is not UTF-8 at byte {error.start}; encode it as UTF-8") from None


def _parse(text: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise MessageRejected(
            f"the message is not JSON: {printable(error.msg)} at {where}; send a JSON object"
        ) from None
    except RecursionError:
        raise _too_deep() from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) != len(pairs):
        raise MessageRejected(f"field {printable(_doubled(pairs))} occurs twice in one object; send it once")
    return built


def _doubled(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            break
        seen.add(name)
    return name


def _constant(word: str) -> NoReturn:
    raise MessageRejected(f"the message holds {word}, which is not JSON; send null or a finite number")


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise MessageRejected(f"the message holds an integer of {len(digits)} digits; send it as a string")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise MessageRejected("the message holds a number too large for a double; send it as a string")
    return number


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise _too_deep()


def _children(parent: Any) -> list[Any]:
    within = parent.values() if isinstance(parent, dict) else parent
    return [child for child in within if isinstance(child, dict | list)]


def _too_deep() -> MessageRejected:
    return MessageRejected(f"the message is nested deeper than {MAX_DEPTH} levels; send it flatter")


def _check_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise MessageRejected(
            "the message holds half of a surrogate pair, which is no character; correct it"
        ) from None
