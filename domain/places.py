"""The places of open plans: what a plan that asks for one is told, and in which order plans wait for them."""

from __future__ import annotations

from enum import StrEnum

LEVEL_S = 600.0
"""Seconds of waiting that one level of priority is worth: the default deadline, the time of one deliberation."""
HIGHEST = 10
LEVELS = {"lowest": -2, "low": -1, "medium": 0, "normal": 0, "high": 1, "highest": 2, "urgent": 2, "critical": 2}


class Place(StrEnum):
    """What a plan is told that asks for a place."""

    TAKEN = "taken"
    """It has one, now or since before."""
    QUEUED = "queued"
    """Its publisher has none free; it waits from now on."""
    WAITING = "waiting"
    """It waits since before."""


def level_of(priority: str | int | None) -> int:
    """Return a plan's level from -10 to 10, higher ones first; 0 for none and for a word that is no level."""
    if isinstance(priority, str):
        return LEVELS.get(priority.strip().lower(), 0)
    return max(-HIGHEST, min(priority or 0, HIGHEST))


def order_of(priority: str | int | None, *, since: float) -> float:
    """Return where a plan stands among those that wait since a moment (epoch seconds); the lowest is first.

    A level counts as much as `LEVEL_S` of waiting, so that no plan is overtaken by those that come much later,
    however urgent they are: with time every plan is the first.
    """
    return since - LEVEL_S * level_of(priority)
