"""The bridge as a running process: a Bridge with its Dispatcher, its metrics and its end on a signal."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from prometheus_client import CollectorRegistry

from bridge.bridge import Bridge
from workers import logs
from workers.app import make_app
from workers.composition import Composition, bridge_options
from workers.metrics.endpoint import serve_metrics
from workers.metrics.readings import Reading, ReadingCollector, bridge_readings, store_readings, supply_readings
from workers.settings import Settings
from workers.store_ports import StorePorts
from workers.tracing.dispatcher import TracedDispatcher

SCRAPE_PATIENCE_S = 1.0
"""Prometheus waits ten seconds for a scrape by default."""


def serve_bridge(settings: Settings) -> None:
    """Run a bridge until SIGTERM or SIGINT, then finish what it has begun."""
    logs.configure(level=settings.log_level, as_json=settings.log_json)
    ports = Composition(settings)
    dispatcher = TracedDispatcher(ports.dispatcher(make_app(settings)), ports.tracer)
    bridge = Bridge(bridge_options(settings), dispatcher=dispatcher, capacity=_capacity(ports, settings.max_open))
    registry = CollectorRegistry()
    registry.register(ReadingCollector(bridge_readings(bridge.statistics), *_store_figures(settings)))
    serve_metrics(registry, host=settings.metrics_host, port=settings.metrics_port)
    asyncio.run(_until_signalled(bridge))


def _store_figures(settings: Settings) -> tuple[Callable[[], list[Reading]], ...]:
    """Read the store with little patience: a scrape must end before Prometheus gives it up."""
    ports = StorePorts(settings, patience_s=SCRAPE_PATIENCE_S)
    return (
        store_readings(ports.deliberations, ports.outbox, ports.clock),
        supply_readings(ports.councils, ports.engines, default_model=settings.model),
    )


def _capacity(ports: StorePorts, max_open: int) -> Callable[[], int]:
    """Return how many more plans may come in: open deliberations and waiting plans both count to the limit."""
    return lambda: max_open - ports.deliberations.count_open() - ports.plans.count_undispatched()


async def _until_signalled(bridge: Bridge) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await bridge.serve(stop)
