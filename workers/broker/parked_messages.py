"""Messages that no worker can take in: parked with the reason, so that none of them ends a worker twice."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from kombu.transport import virtual
from kombu.utils.json import dumps

MOST_PARKED = 10_000
"""More is dropped with a line in the log: a broken publisher must not fill the memory of the broker."""
ID_DIGITS = 12
"""Of the SHA-1 of a message: the same one has the same id wherever it is parked."""

PARK = """
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
if redis.call('HLEN', KEYS[3]) >= tonumber(ARGV[4]) then return 0 end
redis.call('HSET', KEYS[3], ARGV[2], ARGV[3])
return 1
"""
"""KEYS: index and hash of unacknowledged messages, hash of what is parked. ARGV: delivery tag, id, record, how
much may be parked. Returns 0 where the message was dropped."""

PARK_UNREADABLE = f"""
local function park(key, raw, queue, at)
    if redis.call('HLEN', key) >= {MOST_PARKED} then return end
    local id = string.sub(redis.sha1hex(raw), 1, {ID_DIGITS})
    local hex = string.gsub(raw, '.', function(byte) return string.format('%02x', string.byte(byte)) end)
    local reason = 'it is no message of a task queue'
    local record = {{parked_id = id, at = tonumber(at), queue = queue, reason = reason, message = hex}}
    redis.call('HSET', key, id, cjson.encode(record))
end
"""
"""A function for scripts, which parks what a list held."""


class MalformedMessage(Exception):
    """A message whose parts can't be read; the text says why."""


class Message(virtual.Message):
    """kombu's message, which says so when it can't be made of what lay in the queue."""

    def __init__(self, payload: Any, channel: Any = None, **kwargs: Any) -> None:
        # No upstream issue known: a body that is no base64 raises in the event loop, and ends the worker.
        self.in_queue = payload
        try:
            super().__init__(payload, channel=channel, **kwargs)
        except Exception as error:
            raise MalformedMessage(f"it can't be decoded: {error!r}") from error


def parked_record(payload: Any, *, queue: str, reason: str, at: float) -> tuple[str, str]:
    """Return the id and the record of a message that is to be parked."""
    raw = dumps(payload).encode("utf-8", "surrogatepass")
    parked_id = hashlib.sha1(raw, usedforsecurity=False).hexdigest()[:ID_DIGITS]
    record = {"parked_id": parked_id, "at": at, "queue": queue, "reason": reason, "message": raw.hex()}
    return parked_id, json.dumps(record)
