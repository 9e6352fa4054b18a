"""Routes below /api that read."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from domain.council import Council
from domain.people import PeopleFigures, people_figures
from domain.rights import Right
from domain.statistics import Statistics, statistics
from domain.value import Value
from domain.views.councils import CouncilView
from domain.views.listing import ListedDeliberation
from domain.views.refused import RefusedMessage
from domain.views.summary import DeliberationDetails, details
from domain.views.system import SystemState
from web.filters import ChosenFilter, Skip
from web.loading import loaded
from web.ports import WebPorts
from web.security.rights import needs
from web.standing import council_standing
from web.system import SystemLooks
from web.whole_list import WholeList


class Problem(Value):
    """Why there is no answer."""

    error: str


class DeliberationList(Value):
    """A page of deliberations, newest first."""

    deliberations: tuple[ListedDeliberation, ...]
    older: int | None
    """What to `skip` for the next page; null after the last."""
    read: int
    """How many deliberations were looked at for this page."""
    refused: tuple[RefusedMessage, ...] = ()
    """Messages that became dead letters within this page's span of time, of the newest fifty; newest first."""
    refused_problem: str = ""
    """Why those can't be read, in a sentence; empty if they were."""


class CouncilList(Value):
    """Every council, ordered by role."""

    councils: tuple[Council, ...]
    standing: tuple[CouncilView, ...] = ()
    """The same councils with who serves and who is at work now, and how they have done so far."""


class Stats(Value):
    """Figures over all deliberations since the store was made."""

    deliberations: Statistics
    people: PeopleFigures


PROBLEM: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Problem, "description": "Without a login or the right, not there, or not understood"}
}


def api_routes(ports: WebPorts, rows: WholeList, looks: SystemLooks, default_model: str) -> APIRouter:
    """Return the routes for programs."""
    routes = APIRouter(prefix="/api", responses=PROBLEM, dependencies=[needs(Right.READ)])

    @routes.get("/deliberations", summary="List deliberations")
    async def list_deliberations(chosen: ChosenFilter, skip: Skip = 0) -> DeliberationList:
        found, refused = await rows.find(chosen, skip=skip)
        return DeliberationList(
            deliberations=found.rows,
            older=found.older,
            read=found.read,
            refused=refused.rows,
            refused_problem=refused.problem,
        )

    @routes.get("/deliberations/{deliberation_id}", summary="Show one deliberation")
    def show_deliberation(deliberation_id: str) -> DeliberationDetails:
        record = loaded(ports, deliberation_id)
        return details(record, ports.verdicts.of(deliberation_id), ports.clock.now())

    @routes.get("/councils", summary="List councils")
    def list_councils() -> CouncilList:
        standing = council_standing(ports, ports.engines.all(), default_model)
        return CouncilList(councils=ports.councils.all(), standing=standing)

    @routes.get("/stats", summary="Count decisions, failures, tokens and agreement")
    def show_stats() -> Stats:
        return Stats(
            deliberations=statistics(ports.deliberations.counts()), people=people_figures(ports.verdicts.counts())
        )

    @routes.get("/system", summary="Look at servers, queues, workers, engines, and what lies aside")
    async def show_system() -> SystemState:
        return await looks.state()

    return routes
