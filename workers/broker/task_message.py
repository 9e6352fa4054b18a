"""Whether a message is one that a worker's tasks can be run by; looked at before Celery relies on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HEADERS: Mapping[str, type | tuple[type, ...]] = {
    "id": str,
    "root_id": (str, type(None)),
    "parent_id": (str, type(None)),
    "group": (str, type(None)),
    "group_index": (int, type(None)),
    "argsrepr": (str, type(None)),
    "kwargsrepr": (str, type(None)),
    "origin": (str, type(None)),
    "shadow": (str, type(None)),
    "retries": (int, type(None)),
    "ignore_result": (bool, type(None)),
    "eta": (str, type(None)),
    "expires": (str, type(None)),
    "timelimit": (list, type(None)),
    "stamped_headers": (list, type(None)),
    "stamps": (dict, type(None)),
}
"""What Celery takes for granted, without looking, of the headers that it reads."""
FOLLOWING = ("callbacks", "errbacks", "chain")
"""Lists of signatures in the third part of a body; `chord` beside them is one."""
SIGNATURE: Mapping[str, type] = {"task": str, "args": list, "kwargs": dict, "options": dict}
"""Parts that every signature has."""


def fault_of(message: Any, tasks: Mapping[str, Any]) -> str | None:
    """Return why a message can't be taken in, in a few words; None where it can."""
    headers = message.headers
    if not isinstance(headers, dict) or "task" not in headers:
        return "it has no header `task`"
    name = headers["task"]
    if not isinstance(name, str) or name not in tasks:
        return f"no task is called {str(name)[:200]!r} here"
    if wrong := [key for key in HEADERS if not _is_usable(key, headers.get(key))]:
        return f"its header `{wrong[0]}` can't be used"
    try:
        body = message.payload
    except Exception as error:  # whatever a decoder raises
        return f"its body can't be decoded: {type(error).__name__}: {str(error)[:200]}"
    return _fault_of_body(body, tasks[name])


def _is_usable(key: str, value: Any) -> bool:
    if key == "id":
        return isinstance(value, str) and bool(value)
    limits = key != "timelimit" or value is None or (isinstance(value, list) and len(value) == 2)
    return limits and isinstance(value, HEADERS[key])


def _fault_of_body(body: Any, task: Any) -> str | None:
    if not isinstance(body, list) or [type(part) for part in body] != [list, dict, dict]:
        return "its body is no [args, kwargs, embed]"
    args, kwargs, embed = body
    if wrong := [key for key in (*FOLLOWING, "chord") if not _follows(key, embed.get(key))]:
        return f"`{wrong[0]}` in its body can't be used"
    try:
        task.__header__(*args, **kwargs)
    except TypeError as error:
        return f"its arguments do not fit the task: {str(error)[:200]}"
    return None


def _follows(key: str, value: Any) -> bool:
    """Whether Celery can send on what is to follow a task."""
    if not value:
        return value is None or value == []
    signatures = [value] if key == "chord" else value
    return isinstance(signatures, list) and all(map(_is_signature, signatures))


def _is_signature(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(part), kind) for part, kind in SIGNATURE.items())
