"""The list of deliberations with the messages that came to none, for pages and programs alike."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from domain.views.refused import RefusedMessage
from domain.views.system import Part
from web.filters import REFUSED, Chosen
from web.listing import Found, Listing
from web.ports import WebPorts
from web.refusals import Refusals


class WholeList:
    """Finds both kinds of row. A refused message stands on the part of the list whose time is its own."""

    def __init__(self, ports: WebPorts, listing: Listing) -> None:
        self._listing = listing
        self._refusals = Refusals(ports.dead_letters)

    async def find(self, chosen: Chosen, *, skip: int) -> tuple[Found, Part[RefusedMessage]]:
        """Return the next rows after skipping so many deliberations, and the messages among them; newest first."""
        wanted = chosen.of_messages
        found = await run_in_threadpool(self._found, chosen, skip)
        refused = await self._refusals.newest()
        among = [row for row in refused.rows if row.matches(wanted) and found.oldest <= row.at < found.before]
        return found, refused.model_copy(update={"rows": tuple(among)})

    def _found(self, chosen: Chosen, skip: int) -> Found:
        return Found((), None, 0) if chosen.state == REFUSED else self._listing.find(chosen.wanted, skip=skip)
