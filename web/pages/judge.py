"""Decisions that wait for a person, and how far people and councils agree."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from domain.people import people_figures
from domain.record import DeliberationState
from domain.rights import Right
from domain.verdict import Verdict
from domain.views.agreement import weeks
from domain.views.listing import ListedDeliberation, ListFilter, listed
from web.listing import Listing
from web.ports import WebPorts
from web.rendering import page
from web.security.rights import needs

MOST_AWAITED = 50
MOST_LOOKED_AT = 200
"""Decisions whose verdicts are read for one page, newest first."""
AT_LATEST_S = 400 * 86_400.0
"""Later than any verdict is due: a decision waits a year for it at most."""

Judged = tuple[ListedDeliberation, Sequence[Verdict]]


def judge_routes(ports: WebPorts, listing: Listing) -> APIRouter:
    """Return the queue of decisions to be judged."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/judge", dependencies=[needs(Right.JUDGE)])
    def queue(request: Request) -> Response:
        now = ports.clock.now()
        awaited = _awaited(ports, now)
        newest = _newest(ports, listing)
        known = {row.deliberation_id for row in awaited}
        return page(
            request,
            "judge.html",
            awaited=awaited,
            unjudged=[row for row, said in newest if not said and row.deliberation_id not in known][:25],
            weeks=weeks(((row.proposal_id, said) for row, said in newest), now),
            looked_at=len(newest),
            people=people_figures(ports.verdicts.counts()),
        )

    return routes


def _awaited(ports: WebPorts, now: float) -> list[ListedDeliberation]:
    """Return the decisions that count only once a person judges them, longest due first."""
    rows = []
    for identity in ports.verdicts.overdue(now + AT_LATEST_S, MOST_AWAITED):
        # Its retention may end between the index and the store.
        with contextlib.suppress(LookupError):
            rows.append(listed(ports.deliberations.load(identity), now))
    return rows


def _newest(ports: WebPorts, listing: Listing) -> list[Judged]:
    found: list[Judged] = []
    skip: int | None = 0
    while skip is not None and skip < 10 * MOST_LOOKED_AT and len(found) < MOST_LOOKED_AT:
        part = listing.find(ListFilter(state=DeliberationState.DECIDED), skip=skip)
        found += [(row, ports.verdicts.of(row.deliberation_id)) for row in part.rows if row.proposal_id]
        skip = part.older
    return found
