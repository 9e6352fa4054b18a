"""What is left when all work is done and every process has left: nothing that says that somebody holds it."""

from __future__ import annotations

import nats

from domain.services import Services
from tests.support.sections import Section, sections
from tests.support.streams import streams


async def leftovers(services: Services, *, nats_url: str, redis_url: str) -> dict[str, int]:
    """Count locks, marks, claims, leases and pieces of work by what they are; of an orphan there is one."""
    found = sections(redis_url)
    client = await nats.connect(nats_url)
    try:
        stored = await streams(client)
    finally:
        await client.close()
    return {
        **_in_broker(found["broker"]),
        "claims on a chord's callback": sum(
            found["results"].client.get(key) != "done" for key in found["results"].names() if key.endswith(".c")
        ),
        "chord keys that never expire": len(found["results"].without_expiry()),
        "locks of beat": sum(key.endswith(":lock") for key in found["store"].names()),
        "engines announced": len(services.engines.all()),
        "deliberations open": services.deliberations.count_open(),
        "plans not dispatched": services.plans.count_undispatched(),
        "events not published": services.outbox.count(),
        "deliveries not acknowledged": sum(one.unacknowledged for one in stored.values()),
    }


def chords_left(redis_url: str) -> int:
    """Count chords whose work was queued anew under another chord: their counters go when they expire."""
    names = sections(redis_url)["results"].names()
    return len({key.rpartition(".")[0] for key in names if key.endswith((".j", ".t", ".s"))})


def at_rest(redis_url: str) -> bool:
    """Whether the broker holds no message, neither in a queue nor in anybody's hands."""
    broker = sections(redis_url)["broker"]
    marks = (broker.key(name) for name in ("unacked", "unacked_index"))
    return not any(broker.client.exists(key) for key in marks) and not _queued(broker)


def _in_broker(broker: Section) -> dict[str, int]:
    client, key = broker.client, broker.key
    return {
        "messages marked as taken": int(client.hlen(key("unacked"))) + int(client.zcard(key("unacked_index"))),
        "locks of the broker's sweep": int(client.exists(key("unacked_mutex"))),
        "messages in queues": len(_queued(broker)),
    }


def _queued(broker: Section) -> list[str]:
    lists = [key for key in broker.names() if broker.client.type(key) == "list" and not key.endswith(".bell")]
    return [str(message) for key in lists for message in broker.client.lrange(key, 0, -1)]
