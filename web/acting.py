"""What people and programs order: an end, or another deliberation; workers follow (`DeliberationControl`)."""

from __future__ import annotations

from starlette.exceptions import HTTPException

from domain.errors import CannotRepeat
from domain.identity import deliberation_id
from domain.record import Record
from domain.redeliberation import RepeatChoice
from domain.steps.redeliberate import council_again
from web.loading import loaded
from web.ports import WebPorts
from web.security.rights import Caller

MOST_REASON = 1000


def cancel(identity: str, reason: str, caller: Caller, ports: WebPorts) -> None:
    """Order the end of a deliberation. Raises HTTPException where there is none, or it has ended."""
    record = loaded(ports, identity)
    if record.closed is not None:
        raise HTTPException(409, f"It has ended already: it is {record.state}.")
    said = f"cancelled by {caller.signature}"
    ports.control.cancel(identity, f"{said}: {reason.strip()[:MOST_REASON]}" if reason.strip() else said)


def redeliberate(identity: str, choice: RepeatChoice, ports: WebPorts) -> Record | str:
    """Order the deliberation that follows this one; return the id that it will have, or itself if it is open.

    Raises HTTPException where there is none to follow, or it can't be followed.
    """
    record = loaded(ports, identity)
    by_role = {council.role: council for council in ports.councils.all()}
    try:
        role = council_again(record, by_role, choice).role
    except CannotRepeat as error:
        raise HTTPException(409, str(error)) from error
    earlier = record.deliberation
    following = deliberation_id(earlier.plan.plan_id, role, earlier.revision, earlier.repeat + 1)
    try:
        return ports.deliberations.load(following)
    except LookupError:
        ports.control.redeliberate(identity, choice)
        return following
