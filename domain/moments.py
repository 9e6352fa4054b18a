"""Times as publishers write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

ZONE_TWICE = re.compile(r"[+-]00:?00(?=Z$)")
"""Python's `isoformat() + "Z"` on a time that knows its zone already: both say UTC."""


def iso_8601(text: str) -> str:
    """Return the time as it is written, but for UTC named twice (`…+00:00Z`), which becomes `…Z`.

    Raises ValueError for what is not ISO 8601.
    """
    once = ZONE_TWICE.sub("", text)
    try:
        datetime.fromisoformat(once)
    except ValueError:
        raise ValueError("must be ISO 8601, like 2026-01-31T12:00:00Z") from None
    return once


def epoch_s(iso_8601: str) -> float:
    """Return a time as epoch seconds; one without a zone is UTC. Raises ValueError for a text that is none."""
    moment = datetime.fromisoformat(iso_8601)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
