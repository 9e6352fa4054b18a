"""The list of deliberations and one of them."""

from __future__ import annotations

import contextlib
from typing import Any

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from domain.entry import BallotCast
from domain.keys import ballot_key
from domain.record import DeliberationState, Record
from domain.rights import Right
from domain.text.visible import escaped
from domain.views.listing import ListedDeliberation, listed
from domain.views.matrix import matrix
from domain.views.remarks import failure_line, telling_checks
from domain.views.review import ballot_views, shown_sheet
from domain.views.summary import details
from domain.views.timeline import timeline
from domain.views.verdicts import verdict_lines
from domain.views.why import why
from web.filters import ChosenFilter, Skip
from web.lanes import draw
from web.listing import Listing
from web.loading import loaded
from web.ports import WebPorts
from web.rendering import page
from web.security.rights import needs


def deliberation_routes(ports: WebPorts, listing: Listing) -> APIRouter:
    """Return the pages about deliberations."""
    routes = APIRouter(include_in_schema=False, dependencies=[needs(Right.READ)])

    @routes.get("/")
    def home() -> Response:
        return RedirectResponse("/deliberations", status_code=303)

    @routes.get("/deliberations")
    def list_(request: Request, chosen: ChosenFilter, skip: Skip = 0) -> Response:
        found = listing.find(chosen.wanted, skip=skip)
        roles = {council.role for council in ports.councils.all()} | ({chosen.role} if chosen.role else set())
        return page(
            request,
            "deliberations.html",
            found=found,
            chosen=chosen.model_dump(),
            skip=skip,
            roles=sorted(roles),
            states=list(DeliberationState),
        )

    @routes.get("/deliberations/{deliberation_id}")
    def one(request: Request, deliberation_id: str) -> Response:
        return page(request, "deliberation.html", **_values(loaded(ports, deliberation_id), ports))

    @routes.get("/deliberations/{deliberation_id}/proposals/{proposal_id}")
    def proposal(deliberation_id: str, proposal_id: str) -> Response:
        """Return a proposal whole, as text."""
        for entry in loaded(ports, deliberation_id).entries.values():
            if getattr(entry, "kind", "") == "proposal" and getattr(entry, "proposal_id", "") == proposal_id:
                return _plain(getattr(entry, "text", ""))
        raise HTTPException(404)

    @routes.get("/deliberations/{deliberation_id}/ballots/{round_}/{pass_}/{reviewer:path}")
    def ballot(deliberation_id: str, round_: int, pass_: int, reviewer: str) -> Response:
        """Return what a reviewer read, as text."""
        record = loaded(ports, deliberation_id)
        entry = record.entries.get(ballot_key(round_, pass_, reviewer))
        if not isinstance(entry, BallotCast):
            raise HTTPException(404)
        with contextlib.suppress(LookupError, ValueError):
            return _plain(shown_sheet(record, entry))
        raise HTTPException(404)

    return routes


def _values(record: Record, ports: WebPorts) -> dict[str, Any]:
    """Return what the template of one deliberation shows."""
    now = ports.clock.now()
    deliberation_id = record.deliberation.deliberation_id
    verdicts = ports.verdicts.of(deliberation_id)
    decision = record.closed.decision if record.closed else None
    return {
        "row": listed(record, now),
        "about": details(record, verdicts, now),
        "deliberation": record.deliberation,
        "decision": decision,
        "result": record.closed.result if record.closed else None,
        "lanes": draw(timeline(record, now)),
        "why": why(decision) if decision else [],
        "matrix": matrix(decision.ranking) if decision else (),
        "entries": {entry.proposal: entry for entry in decision.ranking.entries} if decision else {},
        "proposals": record.proposals(),
        "ballots": ballot_views(record),
        "failures": [failure_line(row) for row in decision.failures] if decision else [],
        "checks": list(telling_checks(decision)) if decision else [],
        "said": verdict_lines(decision, verdicts) if decision else [],
        "chain": _chain(record, ports, now),
    }


def _chain(record: Record, ports: WebPorts, now: float) -> list[ListedDeliberation]:
    """Return all deliberations of the same plan and role, oldest first, where there are several."""
    deliberation = record.deliberation
    chain = []
    for other_id in ports.deliberations.of_plan(deliberation.plan.plan_id)[:100]:
        with contextlib.suppress(LookupError):
            other = ports.deliberations.load(other_id)
            if other.deliberation.role == deliberation.role:
                chain.append(listed(other, now))
    return chain[::-1] if len(chain) > 1 else []


def _plain(text: str) -> Response:
    return PlainTextResponse(escaped(text).encode("utf-8", "replace"))
