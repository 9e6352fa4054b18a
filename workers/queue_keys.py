"""Suffixes and names of the broker's keys, apart from the broker layer: what looks at them loads no Celery."""

from __future__ import annotations

NOTIFY_SUFFIX = ".bell"
"""A queue's notify key is its name with this suffix. The word is older than this file's: workers and publishers of
two releases share a broker during an upgrade, and access rules name the key."""
NOTIFY_LASTS_S = 60
"""Seconds after which the notify key of a queue without such consumers is gone."""
REPLY_SUFFIX = ".reply.celery.pidbox"
"""A process that asks workers something awaits their answers in a queue of such a name; access rules name it."""
REPLIES_LAST_S = 10
"""Seconds after the last answer by which such a queue is gone; a process waits for one or two."""
PARKED = "parked"
"""Hash: id of what is parked → JSON with the fields of `domain.parked.Parked`."""
