"""Everything that a deliberation needs, looked at in one go."""

from __future__ import annotations

from collections.abc import Callable

from redis.exceptions import NoPermissionError

from domain.finding import Finding, Findings, fail, serious, warn
from workers.adapters.redis.connection import login
from workers.doctor.jetstream import examine_nats
from workers.doctor.starting import examine_start
from workers.doctor.store_server import examine_valkey
from workers.doctor.time_bounds import examine_settings
from workers.doctor.waiting import examine_outbox, examine_parked, examine_plans
from workers.logins import VALKEY, may_not
from workers.settings import Settings
from workers.store_ports import StorePorts


def examine(settings: Settings, ports: StorePorts, engines: Callable[[], Findings]) -> Findings:
    """Go through settings, servers and what waits; then `engines`, if Valkey answers.

    What can't be looked at is a finding too.
    """
    url = settings.redis_url.get_secret_value()
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
        url,
    )
    valkey = list(examine_valkey(settings))
    yield from valkey
    if not serious(valkey[:1]):
        yield from _guarded("parked", lambda: examine_parked(ports.parking), url)
        yield from _guarded("accepted plans", lambda: examine_plans(ports.plans), url)
        yield from _guarded("outbox", lambda: examine_outbox(ports.outbox, ports.clock), url)
        yield from _guarded("engines", engines, url)


def _guarded(subject: str, look: Callable[[], Findings], url: str) -> list[Finding]:
    """Look at it. `url` is Valkey's, for the sentence where its login may not."""
    try:
        return list(look())
    except NoPermissionError as error:
        return [warn(subject, may_not(VALKEY, login(url), str(error).rstrip(".")))]
    except Exception as error:  # a doctor that dies tells nothing
        return [fail(subject, f"can't be looked at: {error!r}")]
