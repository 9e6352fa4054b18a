"""An event as a feed hands it on: what was told, and its place in the order in which all was told."""

from __future__ import annotations

from domain.contract import DeliberationBody
from domain.value import Value


class FedEvent(Value):
    """One event about a deliberation."""

    sequence: int
    """Its place; later events have greater ones, not always the next."""
    body: DeliberationBody
