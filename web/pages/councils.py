"""Who deliberates for which role, and what serves them now."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from domain.rights import Right
from web.ports import WebPorts
from web.rendering import page
from web.security.rights import needs


def council_routes(ports: WebPorts, default_model: str) -> APIRouter:
    """Return the page of councils."""
    routes = APIRouter(include_in_schema=False, dependencies=[needs(Right.READ)])

    @routes.get("/councils")
    def councils(request: Request) -> Response:
        return page(
            request,
            "councils.html",
            councils=ports.councils.all(),
            engines=ports.engines.all(),
            default_model=default_model,
        )

    return routes
