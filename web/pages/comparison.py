"""Two deliberations of one plan and role, side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from domain.keys import PRIOR
from domain.rights import Right
from domain.text.differences import MOST_LINES
from domain.views.comparison import comparable, compare
from web.loading import loaded
from web.ports import WebPorts
from web.rendering import page
from web.security.rights import needs


def comparison_routes(ports: WebPorts) -> APIRouter:
    """Return the page that compares."""
    routes = APIRouter(include_in_schema=False, dependencies=[needs(Right.READ)])

    @routes.get("/deliberations/{deliberation_id}/compare/{other_id}")
    def comparison(
        request: Request, deliberation_id: str, other_id: str, author: Annotated[str, Query(max_length=200)] = ""
    ) -> Response:
        first, second = loaded(ports, deliberation_id), loaded(ports, other_id)
        if not comparable(first, second):
            raise HTTPException(400, "These two deliberations are not of one plan and role.")
        return page(
            request,
            "comparison.html",
            compared=compare(first, second, ports.clock.now(), author=author),
            chosen=author,
            prior=PRIOR,
            most_lines=MOST_LINES,
        )

    return routes
