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
from web.ports import WebPorts
from web.rendering import page
from web.security.rights import needs
from web.whole_list import WholeList


def deliberation_list_routes(ports: WebPorts, rows: WholeList) -> APIRouter:
    """Return the page that lists, and the way to it."""
    routes = APIRouter(include_in_schema=False, dependencies=[needs(Right.READ)])

    @routes.get("/")
    def home() -> Response:
        return RedirectResponse("/deliberations", status_code=303)

    @routes.get("/deliberations")
    async def list_(request: Request, chosen: ChosenFilter, skip: Skip = 0) -> Response:
        found, refused = await rows.find(chosen, skip=skip)
        return page(
            request,
            "deliberations.html",
            found=found,
            rows=among(found.rows, refused.rows),
            missing=refused.problem,
            chosen=chosen.model_dump(),
            skip=skip,
            roles=await run_in_threadpool(_roles, ports, chosen),
            states=[*map(str, DeliberationState), REFUSED],
        )

    return routes


def _roles(ports: WebPorts, chosen: Chosen) -> list[str]:
    return sorted({council.role for council in ports.councils.all()} | ({chosen.role} if chosen.role else set()))
