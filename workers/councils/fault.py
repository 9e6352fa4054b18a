"""One sentence out of pydantic's list of errors."""

from __future__ import annotations

from pydantic import ValidationError


def fault(error: ValidationError) -> str:
    """Name the place and the reason of the first error, and how many more there are."""
    first = error.errors(include_url=False)[0]
    reason = first["msg"].removeprefix("Value error, ")
    place = _place(first["loc"])
    more = error.error_count() - 1
    rest = f" (and {more} more)" if more else ""
    return f"{place}: {reason}{rest}" if place else f"{reason}{rest}"


def _place(loc: tuple[int | str, ...]) -> str:
    """Write ("agents", 0, "seed") as agents[0].seed."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return "".join(parts).removeprefix(".")
