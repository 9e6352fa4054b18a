"""The state of the installation, and what an operator does with messages that lie aside."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from domain.errors import NoSuchDeadLetter, NotReplayable, SystemUnreadable
from domain.parked import Parked
from domain.rights import Right
from domain.views.system import dead_letter_row, parked_row
from web.ports import WebPorts
from web.rendering import page
from web.security.rights import needs
from web.system import SystemLooks

T = TypeVar("T")

PAGE = 50
MOST_NUMBER = 2**63 - 1
"""A stream's sequence numbers begin with 1; a server answers nothing to one that it can't read."""
Number = Annotated[int, Path(ge=1, le=MOST_NUMBER)]
READ, OPERATE = [needs(Right.READ)], [needs(Right.OPERATE)]
DONE = {
    "replayed": "The message was sent again.",
    "purged": "The dead letter was deleted.",
    "release": "A control worker was told to let it go; it leaves the list once one has.",
    "drop": "A control worker was told to drop it; it leaves the list once one has.",
}
"""What the page says after an action, by the word in its address."""


def system_routes(ports: WebPorts, looks: SystemLooks) -> APIRouter:
    """Return the page of the system, and those of what lies aside."""
    routes = APIRouter(include_in_schema=False)
    routes.include_router(_letter_routes(ports, looks))
    routes.include_router(_parked_routes(ports, looks))

    @routes.get("/system", dependencies=READ)
    async def system(request: Request, done: str = "") -> Response:
        return page(request, "system.html", state=await looks.state(), done=DONE.get(done, ""))

    return routes


def _letter_routes(ports: WebPorts, looks: SystemLooks) -> APIRouter:
    routes = APIRouter(prefix="/system/dead-letters")
    desk = ports.dead_letters

    @routes.get("", dependencies=READ)
    async def letters(request: Request, after: Annotated[int, Query(ge=0, le=MOST_NUMBER)] = 0) -> Response:
        found = await _told(desk.list(after, PAGE))
        more = found[-1].sequence if len(found) == PAGE else None
        return page(request, "dead_letters.html", rows=[dead_letter_row(one) for one in found], more=more)

    @routes.get("/{number}", dependencies=READ)
    async def letter(request: Request, number: Number) -> Response:
        return page(request, "dead_letter.html", letter=await _told(desk.show(number)))

    @routes.post("/{number}/replay", dependencies=OPERATE)
    async def replay(number: Number) -> Response:
        await _told(desk.replay(number))
        return _done(looks, "replayed")

    @routes.post("/{number}/purge", dependencies=OPERATE)
    async def purge(number: Number) -> Response:
        await _told(desk.purge(number))
        return _done(looks, "purged")

    return routes


def _parked_routes(ports: WebPorts, looks: SystemLooks) -> APIRouter:
    routes = APIRouter(prefix="/system/parked/{parked_id}")

    @routes.get("", dependencies=READ)
    def parked(request: Request, parked_id: str) -> Response:
        found = _parked(ports, parked_id)
        message = bytes.fromhex(found.message).decode("utf-8", "backslashreplace")
        return page(request, "parked.html", row=parked_row(found), message=message)

    @routes.post("/release", dependencies=OPERATE)
    def release(parked_id: str) -> Response:
        ports.parking_control.release(_parked(ports, parked_id).parked_id)
        return _done(looks, "release")

    @routes.post("/drop", dependencies=OPERATE)
    def drop(parked_id: str) -> Response:
        ports.parking_control.drop(_parked(ports, parked_id).parked_id)
        return _done(looks, "drop")

    return routes


async def _told(asked: Awaitable[T]) -> T:
    """Wait for the desk, and say as HTTP does why there is no answer."""
    try:
        return await asked
    except NoSuchDeadLetter as error:
        raise HTTPException(404, "There is no such dead letter any more.") from error
    except NotReplayable as error:
        raise HTTPException(409, str(error)) from error
    except SystemUnreadable as error:
        raise HTTPException(503, str(error)) from error


def _parked(ports: WebPorts, parked_id: str) -> Parked:
    for parked in ports.parking.all():
        if parked.parked_id == parked_id:
            return parked
    raise HTTPException(404, "Nothing of that id lies aside any more.")


def _done(looks: SystemLooks, word: str) -> Response:
    looks.forget()
    return RedirectResponse(f"/system?done={word}", status_code=303)
