"""From a message to what follows from it: which payload each subject carries, and the rejection of all others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from bridge.envelope import open_envelope
from bridge.message import InboundMessage
from bridge.rejection import MessageRejected, Rejection
from bridge.strict_json import MAX_BYTES
from bridge.subjects import DELIBERATION_JUDGED, DELIBERATION_REQUESTED, PLAN_APPROVED, STORY_TRANSITIONED
from domain.inbound import (
    InboundEvent,
    Intake,
    deliberation_judged,
    deliberation_requested,
    plan_approved,
    story_transitioned,
)
from domain.limits import CONTRACT, Limits
from domain.output_schema import schema_fault
from domain.plan import Plan
from domain.validation.validate import InvalidInput

Reader = Callable[[InboundMessage], Intake | Rejection]
"""Returns what follows from a message; raises nothing that depends on the message."""


def readers(
    *,
    phases: Mapping[str, tuple[str, ...]],
    default_roles: tuple[str, ...] = (),
    max_bytes: int = MAX_BYTES,
    limits: Limits = CONTRACT,
) -> dict[str, Reader]:
    """Return the reader of every subject.

    `phases` names the roles asked when a story enters a phase, `default_roles` those of a plan that has none.
    """
    translations: dict[str, Callable[[InboundEvent], Intake]] = {
        PLAN_APPROVED: partial(plan_approved, default_roles=default_roles),
        DELIBERATION_REQUESTED: deliberation_requested,
        STORY_TRANSITIONED: partial(story_transitioned, phases=phases),
        DELIBERATION_JUDGED: deliberation_judged,
    }
    return {
        subject: partial(read, translate=translate, max_bytes=max_bytes, limits=limits)
        for subject, translate in translations.items()
    }


def read(
    message: InboundMessage,
    *,
    translate: Callable[[InboundEvent], Intake],
    max_bytes: int = MAX_BYTES,
    limits: Limits = CONTRACT,
) -> Intake | Rejection:
    """Return what follows from a message: the same at every delivery of it."""
    try:
        intake = translate(open_envelope(message, max_bytes=max_bytes))
    except MessageRejected as rejected:
        return Rejection(mistakes=(str(rejected),))
    except InvalidInput as error:
        sentences = tuple(mistake.sentence for mistake in error.mistakes)
        return Rejection(mistakes=sentences, unlisted=error.unlisted)
    refusals = tuple(refusal for request in intake.requests for refusal in _refusals(request.plan, limits))
    return Rejection(mistakes=refusals) if refusals else intake


def _refusals(plan: Plan, limits: Limits) -> Iterator[str]:
    yield from limits.refusals(plan)
    schema = plan.constraints.output_schema
    if schema is not None and (fault := schema_fault(schema)) is not None:
        yield f"field constraints.output_schema {fault}"
