"""Texts beside a plan's own, in whatever form its publisher keeps them."""

from __future__ import annotations

from pydantic import JsonValue

TEXT_FIELDS = ("title", "text", "description", "content")
"""Where an object of a list of notes has its text, in the order in which they are read."""


def texts_of(value: JsonValue) -> tuple[str, ...]:
    """Return the texts of a text, an object, or a list of both; none for what holds none, and no blank one."""
    entries = value if isinstance(value, list) else [value]
    return tuple(text for text in map(_text_of, entries) if text)


def _text_of(entry: JsonValue) -> str:
    if isinstance(entry, str):
        return entry.strip()
    if not isinstance(entry, dict):
        return ""
    texts = (_text_of(entry[field]) for field in TEXT_FIELDS if isinstance(entry.get(field), str))
    return ": ".join(text for text in texts if text)
