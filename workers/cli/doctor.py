"""`conclave doctor`: one line for everything that a deliberation needs."""

from __future__ import annotations

from collections.abc import Callable

import typer

from workers.cli.environment import open_ports, read_settings
from workers.cli.output import AS_JSON, console, print_json
from workers.doctor.finding import Finding, Findings, Level, fail, serious
from workers.printer import PlainText
from workers.settings import Settings

COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


def doctor(as_json: AS_JSON = False) -> None:
    """Look at settings, NATS, Valkey, engines, councils, GPUs; exit 1 if something would break a deliberation."""
    settings = read_settings()
    found = list(examine(settings))
    if as_json:
        print_json([finding.model_dump(mode="json") for finding in found])
    else:
        for finding in found:
            colour = COLOURS[finding.level]
            head = PlainText.assemble((f"{finding.level:>4}", colour), " ", (finding.subject, "bold"), ": ")
            console().print(head.append(finding.text))
    if serious(found):
        raise typer.Exit(1)


def examine(settings: Settings) -> Findings:
    """Go through everything; what can't be looked at is a finding too."""
    from workers.doctor.engines import examine_gpus
    from workers.doctor.jetstream import examine_nats
    from workers.doctor.starting import examine_start
    from workers.doctor.store_server import examine_valkey
    from workers.doctor.time_bounds import examine_settings

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
        yield from _guarded("waiting work", lambda: _waiting(settings))
        yield from _guarded("engines", lambda: _engines(settings))
    yield from examine_gpus()


def _waiting(settings: Settings) -> Findings:
    from workers.doctor.waiting import examine_outbox, examine_parked, examine_plans

    with open_ports(settings) as ports:
        yield from examine_parked(ports.parking)
        yield from examine_plans(ports.plans)
        yield from examine_outbox(ports.outbox, ports.clock)


def _engines(settings: Settings) -> Findings:
    from workers.composition import Composition, key_of
    from workers.doctor.engines import examine_engines

    with open_ports(settings) as ports:
        yield from examine_engines(
            engines=ports.engines,
            councils=ports.councils,
            model=Composition(settings).model,
            policy=settings.effective_policy,
            key=key_of(settings),
            clock=ports.clock,
        )


def _guarded(subject: str, look: Callable[[], Findings]) -> list[Finding]:
    try:
        return list(look())
    except Exception as error:  # a doctor that dies tells nothing
        return [fail(subject, f"can't be looked at: {error!r}")]
