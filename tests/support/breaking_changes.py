"""What a change of a schema would break for those who read our events, or write to us."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]


def breaking_changes(before: Schema, now: Schema, *, incoming: bool) -> list[str]:
    """Say in sentences what in `now` breaks programs made for `before`.

    Of an event we send (`incoming` False) a field may not go, stop being always there, or take new types; of a
    message we accept, nothing may become required, and no type may be refused that was taken.
    """
    return list(_compare(before, now, before, now, "", incoming=incoming, seen=frozenset()))


def _compare(
    before: Schema,
    now: Schema,
    old_root: Schema,
    new_root: Schema,
    path: str,
    *,
    incoming: bool,
    seen: frozenset[str],
) -> Iterator[str]:
    if "$ref" in before:
        if before["$ref"] in seen:
            return
        seen |= {before["$ref"]}
    old, new = _resolved(before, old_root), _resolved(now, new_root)
    lost, gained = _types(old) - _types(new), _types(new) - _types(old)
    wrong = lost if incoming else gained
    if wrong and _types(old):
        verb = "no longer takes" if incoming else "may now be"
        yield f"{path or 'the message'} {verb} {', '.join(sorted(wrong))}"
    yield from _fields(old, new, old_root, new_root, path, incoming=incoming, seen=seen)
    for part in ("items", "additionalProperties"):
        if isinstance(old.get(part), dict) and isinstance(new.get(part), dict):
            step = f"{path}[]"
            yield from _compare(old[part], new[part], old_root, new_root, step, incoming=incoming, seen=seen)


def _fields(
    old: Schema,
    new: Schema,
    old_root: Schema,
    new_root: Schema,
    path: str,
    *,
    incoming: bool,
    seen: frozenset[str],
) -> Iterator[str]:
    before, now = old.get("properties", {}), new.get("properties", {})
    was, is_ = set(old.get("required", ())), set(new.get("required", ()))
    if incoming:
        yield from (f"{_join(path, name)} is now required" for name in sorted(is_ - was))
    else:
        yield from (f"{_join(path, name)} is gone" for name in sorted(before.keys() - now.keys()))
        still = was & now.keys()
        yield from (f"{_join(path, name)} is not always there any more" for name in sorted(still - is_))
    for name in sorted(before.keys() & now.keys()):
        step = _join(path, name)
        yield from _compare(before[name], now[name], old_root, new_root, step, incoming=incoming, seen=seen)


def _resolved(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def _types(schema: Schema) -> set[str]:
    if "anyOf" in schema:
        return {name for option in schema["anyOf"] for name in _types(option)} or set()
    if "type" in schema:
        return {schema["type"]}
    return {"object"} if "$ref" in schema else set()


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
