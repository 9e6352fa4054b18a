"""`conclave deliberation accept|reject|prefer`: publish what a person says of a decision, as a publisher would."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from bridge.intake import read
from bridge.message import InboundMessage
from bridge.rejection import Rejection
from bridge.subjects import DELIBERATION_JUDGED
from domain.errors import CannotJudge
from domain.inbound import deliberation_judged
from domain.record import Record
from domain.steps.judge import decision_to_judge, resolved
from domain.validation.words import listing
from domain.verdict import Opinion, SaidVerdict
from workers.cli.approve import user_name
from workers.cli.cli_error import BadInput, CliError
from workers.cli.deliberation import ID, loaded
from workers.cli.environment import open_ports, read_settings
from workers.cli.output import AS_JSON, print_json, say
from workers.settings import Settings

BY = Annotated[str | None, typer.Option(metavar="NAME", help="Who says so; default: your user name.")]
REASON = Annotated[str, typer.Option(help="Why; goes into the event.")]


def accept(deliberation_id: ID, by: BY = None, reason: REASON = "", as_json: AS_JSON = False) -> None:
    """Say that a decision is right; a decision that awaits a verdict counts then.

    Your later verdict replaces this one. Other people's stand beside it.
    """
    _judge("accept", deliberation_id, by=by, reason=reason, as_json=as_json)


def reject(deliberation_id: ID, by: BY = None, reason: REASON = "", as_json: AS_JSON = False) -> None:
    """Say that a decision is wrong; a decision that awaits a verdict does not count then."""
    _judge("reject", deliberation_id, by=by, reason=reason, as_json=as_json)


def prefer(
    deliberation_id: ID,
    proposal: Annotated[
        str, typer.Option(metavar="PROPOSAL", help="A proposal's id, or the agent that wrote it.")
    ],
    by: BY = None,
    reason: REASON = "",
    as_json: AS_JSON = False,
) -> None:
    """Say that another proposal is better; of a decision that awaits a verdict, that one counts then.

    Example:

        conclave deliberation prefer ID --proposal dev-2 --by ada --reason "it can be undone"
    """
    _judge("prefer", deliberation_id, by=by, reason=reason, as_json=as_json, proposal=proposal)


def _judge(
    verdict: Opinion,
    deliberation_id: str,
    *,
    by: str | None,
    reason: str,
    as_json: bool,
    proposal: str | None = None,
) -> None:
    from workers.cli.nats_session import NatsSession

    settings = read_settings()
    fields = {
        "deliberation_id": deliberation_id,
        "verdict": verdict,
        "by": user_name("--by") if by is None else by,
        "reason": reason,
        "timestamp": datetime.now(UTC).isoformat(),
    }
    payload = json.dumps(fields if proposal is None else fields | {"proposal": proposal}).encode()
    said = _validated(payload, settings)
    _refuse_what_no_bridge_takes(said, settings)
    with NatsSession.to(settings) as wire:
        wire.judge(payload)
    if as_json:
        print_json(fields | {"verdict_id": said.verdict_id, "proposal": proposal})
    else:
        say(f"{said.verdict_id}  {verdict} {deliberation_id}, by {said.by}")


def _validated(payload: bytes, settings: Settings) -> SaidVerdict:
    """Read the message as a bridge will. Raises BadInput with every mistake that it would be rejected for."""
    message = InboundMessage(subject=DELIBERATION_JUDGED, data=payload, received_at=time.time())
    intake = read(message, translate=deliberation_judged, max_bytes=settings.max_message_bytes)
    if isinstance(intake, Rejection):
        raise BadInput(listing("this can't be said of a decision:", intake.mistakes, unlisted=intake.unlisted))
    return intake.verdicts[0]


def _refuse_what_no_bridge_takes(said: SaidVerdict, settings: Settings) -> None:
    """Raise CliError where the store shows that the verdict would be a dead letter.

    A publisher needs NATS alone: where the store can't be asked, the bridge's answer tells it.
    """
    record = _stored(said.deliberation_id, settings)
    if record is None:
        return
    try:
        decision_to_judge(record)
    except CannotJudge as error:
        raise CliError(str(error)) from error
    try:
        resolved(said, record, at=said.said_at)
    except CannotJudge as error:
        raise BadInput(str(error)) from error


def _stored(deliberation_id: str, settings: Settings) -> Record | None:
    try:
        with open_ports(settings) as ports:
            return loaded(deliberation_id, ports.deliberations)
    except BadInput:
        raise
    except CliError:
        return None
