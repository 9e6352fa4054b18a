"""The Lua scripts beside this file: each is one atomic step of the store."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Protocol

from redis import Redis

from domain.event import Event
from workers.adapters.redis.encoding import encode


class Script(Protocol):
    """A script bound to a client: sent by its digest, with its text only to a server that doesn't know it."""

    def __call__(self, keys: Sequence[str], args: Sequence[str | int | float], client: Redis | None = None) -> Any:
        """Run it and return its answer; with a pipeline as `client`, queue it there."""
        ...


def script(client: Redis, name: str) -> Script:
    """Return the script in `name`.lua for this client; nothing is sent before it is called."""
    source = files(__package__).joinpath(f"{name}.lua").read_text(encoding="utf-8")
    run: Script = client.register_script(source)
    return run


def event_arguments(events: Sequence[Event]) -> list[str | float]:
    """Flatten events to (id, epoch seconds, JSON) as the scripts expect them at their end."""
    return [part for event in events for part in (event.event_id, event.occurred_at, encode(event))]
