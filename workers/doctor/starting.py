"""What would keep every bridge and worker with these settings from starting."""

from __future__ import annotations

from domain.finding import Findings, fail, ok
from workers.checks.isolated import IsolatedChecks
from workers.checks.registry import check_points
from workers.engines.spec import EngineSpec
from workers.errors import Unavailable
from workers.settings import Settings
from workers.tracing.chosen import tracer_for

REFUSED = "no bridge and no worker with this starts"


def examine_start(settings: Settings) -> Findings:
    """Make what a worker makes at its start."""
    try:
        count = len(IsolatedChecks(check_points(without=settings.checks.left_out), settings.checks).points)
        yield ok("checks", f"{count} can be used")
    except Unavailable as error:
        yield fail("checks", f"{REFUSED}: {error}")
    try:
        EngineSpec.of(settings.engine, model=settings.model)
    except Unavailable as error:
        yield fail("engine settings", f"{REFUSED}: {error}")
    try:
        tracer_for(settings.otlp_endpoint, service="conclave-doctor")
    except Unavailable as error:
        yield fail("tracing", f"{REFUSED}: {error}")
