"""Rows of the list, newest first: found by what somebody looks for, a bounded number of records at a time."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from domain.record import Record
from domain.views.listing import ListedDeliberation, ListFilter, listed
from web.ports import WebPorts

PAGE = 25
MOST_READ = 400
"""Records that one request reads in search of rows; a link goes on from there."""
MOST_IN_CHAIN = 100
"""Deliberations of a plan, its newest, that are looked at for those of one role."""
MOST_CACHED = 5_000


@dataclass(frozen=True)
class Found:
    """A page of rows."""

    rows: tuple[ListedDeliberation, ...]
    older: int | None
    """How many of the newest to skip for the next page; None after the last."""
    read: int
    """How many deliberations were looked at."""
    before: float = inf
    oldest: float = -inf
    """The span of time, in epoch seconds, of which these rows are all; the first itself is no part of it."""


class Listing:
    """Finds rows. What has ended does not change, so its row is computed once, while memory lasts."""

    def __init__(self, ports: WebPorts) -> None:
        self._ports = ports
        self._ended: OrderedDict[str, ListedDeliberation] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, wanted: ListFilter, *, skip: int = 0) -> Found:
        """Return the next rows after skipping so many deliberations, newest first."""
        store = self._ports.deliberations
        most = skip + MOST_READ + 1
        known = (store.of_plan(wanted.plan) if wanted.plan else store.newest(most))[:most]
        ids, now = known[skip:], self._ports.clock.now()
        rows: list[ListedDeliberation] = []
        read = 0
        while read < min(len(ids), MOST_READ) and len(rows) < PAGE:
            row = self._row(ids[read], now)
            read += 1
            if row is not None and wanted.matches(row):
                rows.append(row)
        return Found(
            rows=tuple(rows),
            older=skip + read if read < len(ids) else None,
            read=read,
            before=self._opened_at(known[skip - 1 : skip], now, inf) if skip else inf,
            oldest=self._opened_at(ids[read - 1 : read], now, -inf) if 0 < read < len(ids) else -inf,
        )

    def _opened_at(self, ids: Sequence[str], now: float, otherwise: float) -> float:
        """Return when the only one of these was opened."""
        row = self._row(ids[0], now) if ids else None
        return row.opened_at if row else otherwise

    def chain(self, record: Record) -> tuple[ListedDeliberation, ...]:
        """Return the deliberations of a record's plan and role, oldest first, the newest hundred at most."""
        of_plan = self._ports.deliberations.of_plan(record.deliberation.plan.plan_id)[:MOST_IN_CHAIN]
        now = self._ports.clock.now()
        rows = [self._row(deliberation_id, now) for deliberation_id in reversed(of_plan)]
        return tuple(row for row in rows if row is not None and row.role == record.deliberation.role)

    def _row(self, deliberation_id: str, now: float) -> ListedDeliberation | None:
        ended = self._ended.get(deliberation_id)
        if ended is not None:
            return ended
        # Its retention may end between the index and the store.
        with contextlib.suppress(LookupError):
            return self._listed(self._ports.deliberations.load(deliberation_id), now)
        return None

    def _listed(self, record: Record, now: float) -> ListedDeliberation:
        row = listed(record, now)
        if record.closed is not None:
            with self._lock:
                self._ended[row.deliberation_id] = row
                while len(self._ended) > MOST_CACHED:
                    self._ended.popitem(last=False)
        return row
