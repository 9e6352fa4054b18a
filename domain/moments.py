"""Times as publishers write them."""

from __future__ import annotations

import re
from datetime import datetime

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
