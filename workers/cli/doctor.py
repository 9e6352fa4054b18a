"""`conclave doctor`: one line for everything that a deliberation needs."""

from __future__ import annotations

from textwrap import wrap

import typer

from domain.finding import Finding, Findings, Level, serious
from workers.cli.environment import read_settings
from workers.cli.output import AS_JSON, console, print_json
from workers.printer import PlainText
from workers.settings import Settings

COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


def doctor(as_json: AS_JSON = False) -> None:
    """Look at settings, NATS, Valkey, engines, councils, GPUs; exit 1 if something would break a deliberation."""
    settings = read_settings()
    found = list(_everything(settings))
    if as_json:
        print_json([finding.model_dump(mode="json") for finding in found])
    else:
        out = console()
        for finding in found:
            out.print(_drawn(finding, out.width))
    if serious(found):
        raise typer.Exit(1)


def _drawn(finding: Finding, width: int) -> PlainText:
    """Draw a finding, its further lines below its subject."""
    level = f"{finding.level:>4} "
    said = f"{level}{finding.subject}: {finding.text}"
    lines = wrap(said, width, subsequent_indent=" " * len(level), break_on_hyphens=False)
    text = PlainText("\n".join(lines))
    text.stylize(COLOURS[finding.level], 0, len(level))
    text.stylize("bold", len(level), len(level) + len(finding.subject))
    return text


def _everything(settings: Settings) -> Findings:
    from workers.composition import Composition, key_of
    from workers.doctor.engines import examine_engines, examine_gpus
    from workers.doctor.examination import examine

    ports = Composition(settings)

    def engines() -> Findings:
        yield from examine_engines(
            engines=ports.engines,
            councils=ports.councils,
            model=ports.model,
            policy=settings.effective_policy,
            key=key_of(settings),
            clock=ports.clock,
        )

    try:
        yield from examine(settings, ports, engines)
    finally:
        ports.portal.close()
    yield from examine_gpus()
