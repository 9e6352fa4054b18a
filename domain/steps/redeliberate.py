"""Deliberate again: because a rule, a schedule or a person says so."""

from __future__ import annotations

from collections.abc import Mapping

from domain.council import Council, council_of, no_council
from domain.errors import CannotRepeat
from domain.policy import Policy
from domain.ports.clock import Clock
from domain.ports.council_registry import CouncilRegistry
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.dispatcher import Dispatcher
from domain.ports.engine_directory import EngineDirectory
from domain.ports.event_publisher import EventPublisher
from domain.ports.outbox import Outbox
from domain.record import Record
from domain.redeliberation import AS_IT_IS, RedeliberationPolicy, RepeatChoice, reason_to_repeat, repeat_of
from domain.steps.opening import start

LOOK_AT = 500
"""Newest deliberations that one run of the rules reads."""


def redeliberate(
    deliberation_id: str,
    *,
    deliberations: DeliberationStore,
    councils: CouncilRegistry,
    engines: EngineDirectory,
    outbox: Outbox,
    publisher: EventPublisher,
    dispatcher: Dispatcher,
    clock: Clock,
    policy: Policy,
    redeliberation: RedeliberationPolicy,
    choice: RepeatChoice = AS_IT_IS,
) -> str:
    """Open the deliberation that follows this one, or find it open; return its id.

    Raises LookupError for an unknown id, CannotRepeat for one that is open, has no council, or whose plan the
    store has lost. One that was followed already stays so, whatever the choice is now.
    """
    record = deliberations.load(deliberation_id)
    by_role = {council.role: council for council in councils.all()}
    council = council_again(record, by_role, choice)
    taking_part = {record.deliberation.role.casefold(), choice.council.casefold()}
    following = repeat_of(
        record,
        council,
        [other for role, other in sorted(by_role.items()) if role.casefold() not in taking_part],
        policy,
        with_prior_winner=redeliberation.with_prior_winner,
        now=clock.now(),
        served={engine.model for engine in engines.all()},
    )
    _, told = start([following], deliberations=deliberations, publisher=publisher, dispatcher=dispatcher)
    outbox.published([event.event_id for event in told])
    return following.deliberation_id


def council_again(record: Record, by_role: Mapping[str, Council], choice: RepeatChoice = AS_IT_IS) -> Council:
    """Return the council that a repetition would have. Raises CannotRepeat where there can be none."""
    earlier = record.deliberation
    if record.closed is None:
        raise CannotRepeat(f"{earlier.deliberation_id} is still {record.state}; wait for its end or cancel it")
    if "plan" in earlier.lost:
        raise CannotRepeat(f"the store has lost the plan of {earlier.deliberation_id}; approve it again")
    asked = choice.council or earlier.role
    council = council_of(asked, by_role)
    if council is None:
        raise CannotRepeat(no_council(asked, by_role))
    return choice.applied_to(council, earlier.role if choice.council else council.role)


def apply_rules(
    *,
    deliberations: DeliberationStore,
    councils: CouncilRegistry,
    engines: EngineDirectory,
    outbox: Outbox,
    publisher: EventPublisher,
    dispatcher: Dispatcher,
    clock: Clock,
    policy: Policy,
    redeliberation: RedeliberationPolicy,
) -> tuple[str, ...]:
    """Repeat what the rules want repeated, oldest first, within their budget; return the new ids."""
    if not redeliberation.active:
        return ()
    by_role = {council.role: council for council in councils.all()}
    begun: list[str] = []
    for record in _latest(deliberations):
        if len(begun) >= redeliberation.per_run:
            break
        council = council_of(record.deliberation.role, by_role)
        if reason_to_repeat(record, council, redeliberation, policy=policy, now=clock.now()):
            following = redeliberate(
                record.deliberation.deliberation_id,
                deliberations=deliberations,
                councils=councils,
                engines=engines,
                outbox=outbox,
                publisher=publisher,
                dispatcher=dispatcher,
                clock=clock,
                policy=policy,
                redeliberation=redeliberation,
            )
            begun.append(following)
    return tuple(begun)


def _latest(deliberations: DeliberationStore) -> list[Record]:
    """Return the records that no other supersedes, oldest first."""
    records = []
    superseded: set[str | None] = set()
    for deliberation_id in deliberations.newest(LOOK_AT):
        try:
            record = deliberations.load(deliberation_id)
        except LookupError:  # past retention since the index was read
            continue
        superseded.add(record.deliberation.supersedes)
        records.append(record)
    return [record for record in reversed(records) if record.deliberation.deliberation_id not in superseded]
