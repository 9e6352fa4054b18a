"""Deliberate again: because a rule, a schedule or a person says so."""

from __future__ import annotations

from domain.errors import CannotRepeat
from domain.record import Record
from domain.redeliberation import reason_to_repeat, repeat_of
from domain.services import Services
from domain.steps.dispatch import start

LOOK_AT = 500
"""Newest deliberations that one run of the rules reads."""


def redeliberate(deliberation_id: str, services: Services) -> str:
    """Open the deliberation that follows this one, or find it open; return its id.

    Raises LookupError for an unknown id, CannotRepeat for one that is open, was superseded, or has no council.
    """
    record = services.deliberations.load(deliberation_id)
    earlier = record.deliberation
    if record.closed is None:
        raise CannotRepeat(f"{deliberation_id} is still {record.state}; wait for its end or cancel it")
    councils = {council.role: council for council in services.councils.all()}
    if earlier.role not in councils:
        raise CannotRepeat(f"no council for role {earlier.role}; apply one with `conclave council apply FILE`")
    following = repeat_of(
        record,
        councils[earlier.role],
        [council for role, council in sorted(councils.items()) if role != earlier.role],
        services.policy,
        with_prior_winner=services.redeliberation.with_prior_winner,
        now=services.clock.now(),
    )
    start(following, services)
    return following.deliberation_id


def redeliberate_plan(plan_id: str, role: str, services: Services) -> str:
    """Repeat the newest deliberation of a plan's role. Raises LookupError if there is none, CannotRepeat."""
    for deliberation_id in services.index.of_plan(plan_id):
        if services.deliberations.load(deliberation_id).deliberation.role == role:
            return redeliberate(deliberation_id, services)
    raise LookupError(f"plan {plan_id} has no deliberation of role {role}; approve it first")


def apply_rules(services: Services) -> tuple[str, ...]:
    """Repeat what the rules want repeated, oldest first, within their budget; return the new ids."""
    rules = services.redeliberation
    if not rules.active:
        return ()
    councils = {council.role: council for council in services.councils.all()}
    begun: list[str] = []
    for record in _latest(services):
        if len(begun) >= rules.per_run:
            break
        council = councils.get(record.deliberation.role)
        model, now = services.policy.model, services.clock.now()
        if reason_to_repeat(record, council, rules, default_model=model, now=now) is not None:
            begun.append(redeliberate(record.deliberation.deliberation_id, services))
    return tuple(begun)


def _latest(services: Services) -> list[Record]:
    """Return the records that nothing has superseded, oldest first."""
    records = []
    superseded: set[str | None] = set()
    for deliberation_id in services.index.newest(LOOK_AT):
        try:
            record = services.deliberations.load(deliberation_id)
        except LookupError:  # past retention since the index was read
            continue
        superseded.add(record.deliberation.supersedes)
        records.append(record)
    return [one for one in reversed(records) if one.deliberation.deliberation_id not in superseded]
