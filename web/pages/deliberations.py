"""One deliberation, and what hangs on it."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from domain.contract import CompletedBody, FailedBody
from domain.entry import BallotCast
from domain.keys import ballot_key
from domain.record import Record
from domain.rights import Right
from domain.text.visible import escaped
from domain.views.listing import listed
from domain.views.matrix import matrix
from domain.views.minutes import minutes
from domain.views.remarks import failure_line, telling_checks
from domain.views.review import ballot_views, shown_sheet
from domain.views.summary import details
from domain.views.timeline import timeline
from domain.views.verdicts import verdict_lines
from domain.views.why import why
from web.elsewhere import elsewhere
from web.lanes import draw
from web.listing import Listing
from web.loading import loaded
from web.options import WebOptions
from web.ports import WebPorts
from web.rendering import page
from web.security.rights import needs


def deliberation_routes(ports: WebPorts, listing: Listing, options: WebOptions) -> APIRouter:
    """Return the pages about one deliberation."""
    routes = APIRouter(include_in_schema=False, dependencies=[needs(Right.READ)])

    @routes.get("/deliberations/{deliberation_id}")
    def one(request: Request, deliberation_id: str) -> Response:
        record = loaded(ports, deliberation_id)
        links = elsewhere(record.deliberation, options)
        return page(request, "deliberation.html", links=links, **_values(record, ports, listing))

    # Ids that people and models chose stand in the query: a browser would take `..` and `/` in a path for its own.
    @routes.get("/deliberations/{deliberation_id}/proposal")
    def proposal(deliberation_id: str, proposal_id: Annotated[str, Query(alias="id")]) -> Response:
        """Return a proposal whole, as text."""
        for entry in loaded(ports, deliberation_id).entries.values():
            if getattr(entry, "kind", "") == "proposal" and getattr(entry, "proposal_id", "") == proposal_id:
                return _plain(getattr(entry, "text", ""))
        raise HTTPException(404)

    @routes.get("/deliberations/{deliberation_id}/ballot")
    def ballot(
        deliberation_id: str,
        reviewer: str,
        round_: Annotated[int, Query(alias="round")] = 0,
        pass_: Annotated[int, Query(alias="pass")] = 0,
    ) -> Response:
        """Return what a reviewer read, as text."""
        record = loaded(ports, deliberation_id)
        entry = record.entries.get(ballot_key(round_, pass_, reviewer))
        if not isinstance(entry, BallotCast):
            raise HTTPException(404)
        with contextlib.suppress(LookupError, ValueError):
            return _plain(shown_sheet(record, entry))
        raise HTTPException(404)

    @routes.get("/deliberations/{deliberation_id}/minutes.md")
    def written(deliberation_id: str) -> Response:
        """Return the minutes as a file to keep."""
        record = loaded(ports, deliberation_id)
        name = f"minutes-{record.deliberation.deliberation_id}.md"
        return Response(
            minutes(record, ports.verdicts.of(deliberation_id)).encode(),
            media_type="text/markdown; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    return routes


def _values(record: Record, ports: WebPorts, listing: Listing) -> dict[str, Any]:
    """Return what the template of one deliberation shows."""
    now = ports.clock.now()
    deliberation_id = record.deliberation.deliberation_id
    verdicts = ports.verdicts.of(deliberation_id)
    result = record.closed.result if record.closed else None
    decision = result if isinstance(result, CompletedBody) else None
    failures = result.failures if isinstance(result, CompletedBody | FailedBody) else ()
    return {
        "row": listed(record, now),
        "about": details(record, verdicts, now),
        "deliberation": record.deliberation,
        "decision": decision,
        "result": result,
        "lanes": draw(timeline(record, now)),
        "why": why(decision) if decision else [],
        "matrix": matrix(decision.ranking) if decision else (),
        "entries": {entry.proposal: entry for entry in decision.ranking.entries} if decision else {},
        "proposals": record.proposals(),
        "ballots": ballot_views(record),
        "failures": [failure_line(row) for row in failures],
        "checks": list(telling_checks(decision)) if decision else [],
        "said": verdict_lines(decision, verdicts) if decision else [],
        "chain": listing.chain(record),
    }


def _plain(text: str) -> Response:
    return PlainTextResponse(escaped(text).encode("utf-8", "replace"))
