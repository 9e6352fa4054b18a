"""Everything that a deliberation needs, looked at in one go."""

from __future__ import annotations

from collections.abc import Callable

from domain.finding import Finding, Findings, fail, serious
from workers.doctor.jetstream import examine_nats
from workers.doctor.starting import examine_start
from workers.doctor.store_server import examine_valkey
from workers.doctor.time_bounds import examine_settings
from workers.doctor.waiting import examine_outbox, examine_parked, examine_plans
from workers.settings import Settings
from workers.store_ports import StorePorts


def examine(settings: Settings, ports: StorePorts, engines: Callable[[], Findings]) -> Findings:
    """Go through settings, servers and what waits; then `engines`, if Valkey answers.

    What can't be looked at is a finding too.
    """
    yield from examine_settings(settings)
    yield from examine_start(settings)
    yield from _guarded(
        "nats",
        lambda: examine_nats(
            settings.nats,
            duplicate_window_s=settings.stream.duplicate_window_s,
            max_message_bytes=settings.max_message_bytes,
            durables=settings.bridge.durables,
        ),
    )
    valkey = list(examine_valkey(settings))
    yield from valkey
    if not serious(valkey[:1]):
        yield from _guarded("waiting work", lambda: _waiting(ports))
        yield from _guarded("engines", engines)


def _waiting(ports: StorePorts) -> Findings:
    yield from examine_parked(ports.parking)
    yield from examine_plans(ports.plans)
    yield from examine_outbox(ports.outbox, ports.clock)


def _guarded(subject: str, look: Callable[[], Findings]) -> list[Finding]:
    try:
        return list(look())
    except Exception as error:  # a doctor that dies tells nothing
        return [fail(subject, f"can't be looked at: {error!r}")]
