"""Values as JSON text in the store and back, strictly: what can't be read is an error, never a guess."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from domain.entry import Entry
from domain.errors import NewerRecord
from domain.value import Value

V = TypeVar("V", bound=Value)
Stored = str | bytes

_NOT_KNOWN_HERE = frozenset({"extra_forbidden", "union_tag_invalid", "enum", "literal_error"})
"""What pydantic calls the faults of a record that a newer version wrote."""
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


class Unreadable(Exception):
    """What the store holds is not what this version writes; the text says where and what to do."""


class UnreadableHere(Unreadable, NewerRecord):
    """The store holds a field, a kind or a named value that this version does not know."""


def encode(value: Value) -> str:
    """Return the value as compact JSON.

    Raises ValueError for what could not be read back (a time that is not a number, a lone surrogate): better no
    entry than one that stops every later reader.
    """
    raw = value.model_dump_json()
    type(value).model_validate_json(raw, strict=True)
    return raw


def decode(kind: type[V], raw: Stored, *, where: str) -> V:
    """Read a value back; raises Unreadable naming `where`."""
    with _named(where):
        return kind.model_validate_json(raw, strict=True)


def decode_entry(raw: Stored, *, where: str) -> Entry:
    """Read an entry of any kind back; raises Unreadable naming `where`."""
    with _named(where):
        return _ENTRY.validate_json(raw, strict=True)


def text(raw: Stored) -> str:
    """Return what a client with or without `decode_responses` read as text."""
    return raw.decode() if isinstance(raw, bytes) else raw


def texts(raws: Iterable[Any]) -> tuple[str, ...]:
    """Return every member of a reply as text."""
    return tuple(text(raw) for raw in raws)


@contextmanager
def _named(where: str) -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        faults = {fault["type"] for fault in error.errors(include_url=False, include_input=False)}
        kind = UnreadableHere if faults <= _NOT_KNOWN_HERE else Unreadable
        raise kind(f"{where} can't be read: {_what(error)}") from None


def _what(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "union_tag_invalid":
        return f"unknown kind {first['ctx']['tag']!r}; a newer version wrote it, so upgrade this process"
    if first["type"] == "json_invalid":
        return "it is not JSON; something else wrote there"
    place = ".".join(str(part) for part in first["loc"]) or "the value"
    return f"{place}: {first['msg']}; another version or another program wrote it"
