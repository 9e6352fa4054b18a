"""The Lua scripts beside this file: each is one atomic step of the store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from redis import Redis

from domain.event import Event
from workers.adapters.redis.encoding import encode

LONGEST_EXPIRY_MS = 2**53
"""Beyond it a number loses digits on its way through Lua; it is 285,000 years."""

# No escapes: Lua's decoder refuses those of lone surrogates, and encoding to UTF-8 refuses them before that.
_AS_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Script:
    """The script in `name`.lua, bound to a client; `functions` names the files of the functions that it calls.

    Sent by its digest, with its text only to a server that doesn't know it; nothing is sent before the first call.
    """

    def __init__(self, client: Redis, name: str, *, functions: Sequence[str] = ()) -> None:
        folder = files(__package__)
        texts = [folder.joinpath(f"{part}.lua").read_text(encoding="utf-8") for part in (*functions, name)]
        self._run = client.register_script("\n".join(texts))

    def __call__(self, keys: Sequence[str], *, pipeline: Redis | None = None, **arguments: object) -> Any:
        """Run it and return its answer, or queue it on the pipeline. The script gets one argument: the named ones
        as a JSON object. Raises ResponseError with what it refuses, nothing being written then."""
        return self._run(keys, [_AS_JSON(arguments)], client=pipeline)


def score(moment: float) -> str:
    """Return a time as scripts pass it on to a sorted set: as text, which keeps every digit."""
    return repr(float(moment))


def expiry_ms(retention_s: float) -> int:
    """Return a retention as milliseconds. Raises ValueError for one that Redis could not add to its clock."""
    milliseconds = round(retention_s * 1000)
    if milliseconds > LONGEST_EXPIRY_MS:
        raise ValueError(f"a retention of {retention_s:g} s is longer than Redis can count")
    return milliseconds


def event_arguments(events: Sequence[Event]) -> list[dict[str, str]]:
    """Return events as `add_events.lua` takes them."""
    return [
        {"id": event.event_id, "occurred_at": score(event.occurred_at), "body": encode(event)} for event in events
    ]
