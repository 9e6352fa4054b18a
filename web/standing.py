"""Councils with who serves them and who is at work, for pages and programs alike."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from math import inf

from domain.engine import EngineRecord
from domain.record import Record
from domain.views.councils import CouncilView, busy_agents, council_views
from web.ports import WebPorts

MOST_OPEN = 100
"""Open deliberations that are read to see who is at work, those that changed longest ago first."""


def council_standing(
    ports: WebPorts, engines: Sequence[EngineRecord], default_model: str
) -> tuple[CouncilView, ...]:
    """Return every council, ordered by role."""
    return council_views(
        ports.councils.all(),
        engines,
        counts=ports.deliberations.counts(),
        verdict_counts=ports.verdicts.counts(),
        busy=busy_agents(_open(ports), ports.clock.now()),
        default_model=default_model,
    )


def _open(ports: WebPorts) -> Iterator[Record]:
    for deliberation_id in ports.deliberations.open_untouched_since(inf, MOST_OPEN):
        with contextlib.suppress(LookupError):
            yield ports.deliberations.load(deliberation_id)
