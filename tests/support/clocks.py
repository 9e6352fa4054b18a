"""Processes whose clock is wrong, by Debian's faketime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARY = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
"""None where Debian's package `faketime` is not installed."""
MISSING = "Debian's package faketime is not installed; the unit tests inject clocks instead"


def off_by(seconds: float) -> dict[str, Any]:
    """Return the variables that move a process's clock but its steady one, which no wrong host clock touches."""
    moved = {"LD_PRELOAD": str(LIBRARY), "FAKETIME": f"{seconds:+g}", "FAKETIME_DONT_RESET": "1"}
    return moved | {"DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
