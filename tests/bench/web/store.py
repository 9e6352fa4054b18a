"""A store full of decisions: one that was played, under ten thousand ids."""

from __future__ import annotations

from collections.abc import Iterator

from redis import Redis

from domain import keys
from domain.entry import Entry
from domain.policy import Policy
from tests.support import factories as make
from tests.support.in_memory.clock import MemoryClock
from tests.support.stage import Stage
from workers.adapters.redis.deliberation_store import RedisDeliberationStore
from workers.adapters.redis.encoding import encode
from workers.adapters.redis.keys import Keys

RETENTION_S = 1e9


def fill(client: Redis, count: int) -> tuple[str, ...]:
    """Store so many decisions and return their ids, the oldest first."""
    clock = MemoryClock()
    store = RedisDeliberationStore(client, clock=clock, retention_s=RETENTION_S)
    template = _template()
    ids = tuple(f"d-{number:024x}" for number in range(count))
    for deliberation_id in ids:
        clock.advance(1.0)
        _store(store, client, deliberation_id, list(_renamed(template, deliberation_id)))
    return ids


def _template() -> list[Entry]:
    judges = (make.agent("qa-1", persona="Test."), make.agent("qa-2", persona="Break."))
    stage = Stage(make.council("DEV"), make.council("QA", agents=judges), policy=Policy(model="tiny", judges=1))
    return list(stage.play().entries.values())


def _renamed(template: list[Entry], deliberation_id: str) -> Iterator[Entry]:
    """Yield the template's entries as those of another deliberation, of another plan."""
    opened = next(entry for entry in template if entry.kind == "opened")
    old = opened.deliberation
    for entry in template:
        raw = entry.model_dump_json().replace(old.deliberation_id, deliberation_id)
        yield type(entry).model_validate_json(raw.replace(old.plan.plan_id, f"plan-of-{deliberation_id}"))


def _store(store: RedisDeliberationStore, client: Redis, deliberation_id: str, entries: list[Entry]) -> None:
    """Open and close it by the store, which keeps the index; what lies between goes in one command."""
    by_key = {entry.key: entry for entry in entries}
    store.record(deliberation_id, by_key.pop(keys.OPENED))
    closed = by_key.pop(keys.CLOSED)
    written = [part for key, entry in by_key.items() for part in (key, encode(entry))]
    client.hset(Keys().deliberation(deliberation_id), items=written)
    store.record(deliberation_id, closed)
