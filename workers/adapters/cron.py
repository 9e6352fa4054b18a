"""Cron expressions, read as Celery reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from celery.schedules import crontab

from domain.errors import InvalidCron

FIELDS = 5


def parse_cron(text: str) -> crontab:
    """Read minute, hour, day of month, month and day of week. Raises InvalidCron."""
    parts = text.split()
    if len(parts) != FIELDS:
        wanted = 'minute, hour, day of month, month and day of week, such as "0 6 * * *"'
        raise InvalidCron(f"cron {text!r} has {len(parts)} fields: it needs {FIELDS}, {wanted}")
    try:
        return crontab.from_string(text)
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidCron(f"cron {text!r} can't be read: {str(error).rstrip('.')}") from error


def next_run(cron: str) -> datetime:
    """Return when a cron expression comes next, in UTC. Raises InvalidCron."""
    now = datetime.now(UTC)
    about = now + parse_cron(cron).remaining_estimate(now)
    # Celery counts from a moment of its own, a little later; what comes is a full minute.
    return (about + timedelta(seconds=30)).replace(second=0, microsecond=0)
