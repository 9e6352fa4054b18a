"""From a message to what it asks for: which payload each subject carries, and the refusal of everything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from pydantic import ValidationError

from bridge.envelope import open_envelope
from bridge.message import InboundMessage
from bridge.rejection import Refusal, Rejection, sentence_of
from bridge.strict_json import MAX_BYTES
from bridge.subjects import DELIBERATION_REQUESTED, PLAN_APPROVED, STORY_TRANSITIONED
from domain.inbound import Arrival, Intake, deliberation_requested, plan_approved, story_transitioned
from domain.limits import CONTRACT, Limits

Reader = Callable[[InboundMessage], Intake | Rejection]
"""Says what a message comes to; raises nothing that depends on the message."""


def readers(
    *, phases: Mapping[str, tuple[str, ...]], max_bytes: int = MAX_BYTES, limits: Limits = CONTRACT
) -> dict[str, Reader]:
    """Return the reader of every subject; `phases` names the roles asked when a story enters a phase."""
    translations: dict[str, Callable[[Arrival], Intake]] = {
        PLAN_APPROVED: plan_approved,
        DELIBERATION_REQUESTED: deliberation_requested,
        STORY_TRANSITIONED: partial(story_transitioned, phases=phases),
    }
    return {
        subject: partial(read, translate=translate, max_bytes=max_bytes, limits=limits)
        for subject, translate in translations.items()
    }


def read(
    message: InboundMessage,
    *,
    translate: Callable[[Arrival], Intake],
    max_bytes: int = MAX_BYTES,
    limits: Limits = CONTRACT,
) -> Intake | Rejection:
    """Say what a message comes to. The same message comes to the same, however often it is delivered."""
    try:
        intake = translate(open_envelope(message, max_bytes=max_bytes))
    except Refusal as refused:
        return Rejection(reason=str(refused))
    except ValidationError as error:
        return Rejection(reason=sentence_of(error))
    refusals = (limits.refusal(request.plan) for request in intake.requests)
    refusal = next(filter(None, refusals), "")
    return Rejection(reason=refusal) if refusal else intake
