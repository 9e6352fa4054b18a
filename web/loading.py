"""A deliberation by its id, for pages and programs alike."""

from __future__ import annotations

from starlette.exceptions import HTTPException

from domain.record import Record
from web.ports import WebPorts


def loaded(ports: WebPorts, deliberation_id: str) -> Record:
    """Return a record. Raises HTTPException where there is none."""
    try:
        return ports.deliberations.load(deliberation_id)
    except LookupError as error:
        raise HTTPException(404, "There is no such deliberation, or its retention has ended.") from error
