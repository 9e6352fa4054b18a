"""The list of deliberations, and among them the messages that came to none."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from domain.record import DeliberationState
from domain.rights import Right
from domain.views.refused import among
from web.filters import REFUSED, Chosen, ChosenFilter, Skip
from web.listing import Found, Listing
from web.ports import WebPorts
from web.refusals import Refusals
from web.rendering import page
from web.security.rights import needs


def deliberation_list_routes(ports: WebPorts, listing: Listing) -> APIRouter:
    """Return the page that lists, and the way to it."""
    routes = APIRouter(include_in_schema=False, dependencies=[needs(Right.READ)])
    refusals = Refusals(ports.dead_letters)

    @routes.get("/")
    def home() -> Response:
        return RedirectResponse("/deliberations", status_code=303)

    @routes.get("/deliberations")
    async def list_(request: Request, chosen: ChosenFilter, skip: Skip = 0) -> Response:
        wanted = chosen.of_messages
        found = await run_in_threadpool(_found, listing, chosen, skip)
        refused = await refusals.newest()
        ours = [row for row in refused.rows if row.matches(wanted) and found.oldest <= row.at < found.before]
        return page(
            request,
            "deliberations.html",
            found=found,
            rows=among(found.rows, ours),
            missing=refused.problem,
            chosen=chosen.model_dump(),
            skip=skip,
            roles=await run_in_threadpool(_roles, ports, chosen),
            states=[*map(str, DeliberationState), REFUSED],
        )

    return routes


def _found(listing: Listing, chosen: Chosen, skip: int) -> Found:
    return Found((), None, 0) if chosen.state == REFUSED else listing.find(chosen.wanted, skip=skip)


def _roles(ports: WebPorts, chosen: Chosen) -> list[str]:
    return sorted({council.role for council in ports.councils.all()} | ({chosen.role} if chosen.role else set()))
