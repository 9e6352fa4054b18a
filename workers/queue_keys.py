"""Suffixes and names of the broker's keys, apart from the broker layer: what looks at them loads no Celery."""

from __future__ import annotations

NOTIFY_SUFFIX = ".bell"
"""A queue's notify key is its name with this suffix. The word is older than this file's: workers and publishers of
two releases share a broker during an upgrade, and access rules name the key."""
NOTIFY_LASTS_S = 60
"""Seconds after which the notify key of a queue without such consumers is gone."""
PARKED = "parked"
"""Hash: id of what is parked → JSON with the fields of `domain.parked.Parked`."""
