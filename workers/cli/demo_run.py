"""One deliberation on a stack of its own: what `conclave demo` does, apart from how it looks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue

from domain import event_types
from domain.identity import deliberation_id
from domain.plan import PlanRequest
from domain.record import Record
from workers.cli.cli_error import CliError
from workers.cli.deliberation import loaded, opened_within
from workers.cli.demo_council import VARIABLES, councils
from workers.cli.environment import open_ports
from workers.cli.follow import Screen, follow
from workers.cli.nats_session import NatsSession, ReceivedEvent
from workers.processes.command import ProcessCommand
from workers.processes.process_group import ProcessGroup
from workers.processes.stop_signals import StopSignals
from workers.processes.supervised_process import Report
from workers.settings import Settings
from workers.stack import layout
from workers.stack.layout import Addresses, StackOptions
from workers.stack.run import embedded_stack
from workers.variables import variable

READY_WITHIN = 60.0
"""Seconds from the first process to the last one's readiness."""
OPENED_WITHIN = 20.0
"""Seconds from the approval to an opened deliberation."""
GRACE = 15.0
"""Seconds past the deliberation's deadline before the demonstration gives up on it."""
HEARD_WITHIN = 10.0
"""Seconds from the decision in the store to its event from NATS."""
ENDINGS = frozenset({event_types.COMPLETED, event_types.FAILED, event_types.CANCELLED})


@dataclass(frozen=True)
class DemoResult:
    """How the deliberation ended: its record in the store, its event from NATS."""

    record: Record
    event: ReceivedEvent


def demonstrate(
    request: PlanRequest,
    payload: bytes,
    *,
    seed: int,
    state: Path,
    keep: bool,
    on: Screen,
    report: Report,
) -> DemoResult:
    """Start the stack, publish the approval of a plan with one role, follow it, and stop everything.

    The seed chooses what agents write. With `keep` the stack is stopped in good order, so that its data can be
    used again; else it is killed, which is quicker. Raises CliError, StackError; KeyboardInterrupt on SIGINT,
    SIGTERM and SIGHUP, after its end.
    """
    options = StackOptions()
    running = embedded_stack(state, options, processes=_services, report=report)
    with StopSignals(interrupt=True) as signals, running as (group, where):
        signals.kill = group.kill
        try:
            group.wait_ready(READY_WITHIN)
            result = _deliberate(request, payload, seed, group, _settings(where, options, state), on)
        except KeyboardInterrupt:
            group.kill()
            raise
        if not keep:
            group.kill()
        return result


def _deliberate(
    request: PlanRequest, payload: bytes, seed: int, stack: ProcessGroup, settings: Settings, on: Screen
) -> DemoResult:
    identity = deliberation_id(request.plan.plan_id, request.plan.roles[0], request.revision)
    endings: SimpleQueue[ReceivedEvent] = SimpleQueue()
    news = threading.Event()

    def hear(heard: ReceivedEvent) -> None:
        if heard.body.get("deliberation_id") == identity:
            if heard.subject in ENDINGS:
                endings.put(heard)
            news.set()

    with open_ports(settings) as of, NatsSession.to(settings) as wire:
        for council in councils(seed):
            of.councils.save(council)
        wire.consume("orchestration.deliberation.>", hear)
        wire.approve(payload)
        opened_within(OPENED_WITHIN, identity, of.deliberations)
        look = _watchman(stack, loaded(identity, of.deliberations).deliberation.deadline_at + GRACE)
        record = follow(lambda: loaded(identity, of.deliberations), on, news=news, look=look)
        return DemoResult(record, _first(endings))


def _services(where: Addresses, options: StackOptions, state: Path) -> Sequence[ProcessCommand]:
    """Describe all but Flower and the page, whose starts cost seconds: a demonstration is over before."""
    described = layout.services(where, options, state)
    needed = (command for command in described if command.name not in ("flower", "web"))
    return [replace(command, env={**command.env, **VARIABLES}) for command in needed]


def _settings(where: Addresses, options: StackOptions, state: Path) -> Settings:
    engine = {"url": where.engine_url, "key": where.engine_key}
    servers = {"redis_url": where.redis_url, "nats": {"url": where.nats_url}, "engine": engine}
    return Settings.model_validate({**servers, "model": options.model, "state": state})


def _watchman(stack: ProcessGroup, until: float) -> Callable[[], None]:
    """Return a look that raises when a part of the stack is given up, or past an epoch second."""

    def look() -> None:
        stack.check()
        if time.time() > until:
            more = f"{variable('policy', 'deadline_s')} gives a slow machine more seconds"
            raise CliError(f"the deliberation did not end by its deadline: its workers' logs say why; {more}")

    return look


def _first(endings: SimpleQueue[ReceivedEvent]) -> ReceivedEvent:
    try:
        return endings.get(timeout=HEARD_WITHIN)
    except Empty:
        raise CliError(f"the decision's event did not come from NATS within {HEARD_WITHIN:g} s") from None
