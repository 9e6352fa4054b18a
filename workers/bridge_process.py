"""The bridge as a running process: a Bridge with its Dispatcher, its metrics and its end on a signal."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from importlib.metadata import version

import structlog
from prometheus_client import CollectorRegistry

from bridge.bridge import Bridge
from bridge.options import BridgeOptions
from domain.services import Services
from domain.steps.judge import judge_decision
from domain.verdict import SaidVerdict, Verdict
from workers import logs
from workers.app import make_app
from workers.composition import Composition
from workers.doctor.store_server import warn_of_eviction
from workers.garbage import pass_over_what_is_there
from workers.metrics.endpoint import serve_metrics
from workers.metrics.readings import Reading, ReadingCollector, bridge_readings, store_readings, supply_readings
from workers.settings import Settings, unknown_settings
from workers.skew import SkewWatch, refuse_skewed
from workers.store_ports import CLOCK_PATIENCE_S, StorePorts, store_client, store_clock
from workers.tracing.dispatcher import TracedDispatcher

log = structlog.get_logger("bridge")

END_WITHIN_S = 15.0
"""For how long a stopping bridge finishes what it has in hand and closes: longer than `drain_s`, and less than
compose and `conclave up` wait before they kill it."""
MOST_WAITING = 10
"""Plans that wait in the store for each open deliberation allowed; beyond that they wait in JetStream."""
SCRAPE_PATIENCE_S = 1.0
"""Prometheus waits ten seconds for a scrape by default."""


def serve_bridge(settings: Settings) -> None:
    """Run a bridge until SIGTERM or SIGINT, then finish what it has begun."""
    logs.configure(level=settings.log_level, as_json=settings.log_json)
    for unknown in unknown_settings():
        log.warning(unknown)
    clock = store_clock(settings, observe=SkewWatch())
    refuse_skewed(clock)
    warn_of_eviction(store_client(settings, patience_s=CLOCK_PATIENCE_S))
    app = make_app(settings)
    app.store_clock = lambda: clock
    ports = Composition(settings, clock=clock)
    services = ports.services(app)  # all of them: a check that can't be used stops a bridge as well
    dispatcher = TracedDispatcher(services.dispatcher, services.tracer)
    bridge = Bridge(
        options_of(settings),
        dispatcher=dispatcher,
        judge=judge_with(services),
        capacity=capacity_of(settings, ports),
    )
    registry = CollectorRegistry()
    registry.register(ReadingCollector(bridge_readings(bridge.statistics), *_store_figures(settings)))
    serve_metrics(registry, host=settings.metrics.host, port=settings.metrics.port)
    pass_over_what_is_there()
    asyncio.run(_until_signalled(bridge))


def options_of(settings: Settings) -> BridgeOptions:
    """Put together what a bridge is made with."""
    return BridgeOptions(
        nats=settings.nats,
        consumer=settings.bridge,
        streams=settings.stream,
        max_message_bytes=settings.max_message_bytes,
        limits=settings.policy.limits,
        phases=settings.phase_roles,
        default_roles=settings.default_roles,
        events=settings.events,
        version=version("conclave-council"),
    )


def _store_figures(settings: Settings) -> tuple[Callable[[], list[Reading]], ...]:
    """Read the store with little patience: a scrape must end before Prometheus gives it up."""
    ports = StorePorts(settings, patience_s=SCRAPE_PATIENCE_S)
    return (
        store_readings(
            ports.deliberations, ports.places, ports.verdicts, ports.outbox, ports.parking, ports.clock
        ),
        supply_readings(ports.councils, ports.engines, ports.queue_lengths.waiting, default_model=settings.model),
    )


def capacity_of(settings: Settings, ports: StorePorts) -> Callable[[], int]:
    """Return how many more plans may come in: open deliberations and undispatched plans both count to the limit.

    Plans that wait for their publisher's place do not, so that they keep others from nothing until there are
    `MOST_WAITING` times as many.
    """

    def capacity() -> int:
        free = settings.max_open - ports.deliberations.count_open() - ports.plans.count_undispatched()
        if not ports.places.bounded:
            return free
        return min(free, MOST_WAITING * settings.max_open - ports.places.count_waiting())

    return capacity


def judge_with(services: Services) -> Callable[[SaidVerdict], Verdict]:
    """Return what records a verdict, with the ports that it takes."""
    return partial(
        judge_decision,
        deliberations=services.deliberations,
        verdicts=services.verdicts,
        continuity=services.continuity,
        outbox=services.outbox,
        publisher=services.publisher,
        clock=services.clock,
    )


async def _until_signalled(bridge: Bridge) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, stop)
    await bridge.serve(stop)


def _stop(stop: asyncio.Event) -> None:
    stop.set()
    # Python awaits its threads at the end, and one that waits for a silent server can't be stopped.
    last_resort = threading.Timer(END_WITHIN_S, _leave)
    last_resort.daemon = True
    last_resort.start()


def _leave() -> None:
    """End the process as it is. Nothing is lost: what was not acknowledged is delivered again."""
    log.warning("bridge ended while a server was awaited", after_s=END_WITHIN_S)
    os._exit(0)
