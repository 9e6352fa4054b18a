"""`conclave approve`: publish a plan's approval as any publisher would."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.intake import read
from bridge.message import InboundMessage
from bridge.rejection import MessageRejected, Rejection, other_content
from bridge.strict_json import parse_object
from bridge.subjects import PLAN_APPROVED
from domain.council import Council, council_of
from domain.identity import deliberation_id
from domain.inbound import plan_approved
from domain.limits import CONTRACT, Limits
from domain.plan import PlanRequest
from domain.validation.words import listing
from workers.cli.cli_error import BadInput, CliError
from workers.cli.council import read_text
from workers.cli.environment import open_ports, read_settings
from workers.cli.output import AS_JSON, print_json, say
from workers.settings import Settings


def approve(
    plan: Annotated[Path, typer.Argument(help="The plan as a JSON object; `-` reads standard input.")],
    role: Annotated[
        list[str] | None, typer.Option(help="Ask this role instead of those in the file; may be repeated.")
    ] = None,
    approved_by: Annotated[
        str | None, typer.Option(help="Who approves; default: what the file says, else your user name.")
    ] = None,
    as_json: AS_JSON = False,
) -> None:
    """Publish a plan's approval to NATS, and print what will follow from it.

    The file needs `story_id` and `plan_id`; without `roles`, those of CONCLAVE_DEFAULT_ROLES are asked. Without a
    `timestamp` each call is a new approval; with one, approving twice is the same approval and starts nothing
    new, and approving something else under it is refused.

    Examples:

        conclave approve plan.json --role DEV --role QA

        generate-plan | conclave approve - --approved-by release-board
    """
    from workers.cli.nats_session import NatsSession

    settings = read_settings()
    payload = approval(read_text(plan), source=str(plan), roles=role or (), approved_by=approved_by)
    request = validated(
        payload,
        source=str(plan),
        max_bytes=settings.max_message_bytes,
        limits=settings.policy.limits,
        default_roles=settings.default_roles,
    )
    refuse_other_content(request, source=str(plan), settings=settings)
    request = as_councils_write(request, settings)
    with NatsSession.to(settings) as wire:
        wire.approve(payload)
    if as_json:
        print_json(announced(request))
    else:
        print_request(request)


def approval(text: str, *, source: str, roles: Sequence[str], approved_by: str | None) -> bytes:
    """Turn a plan file into the message: approver, time and roles are filled in, an envelope stays as it is."""
    try:
        plan = parse_object(text.encode("utf-8", "surrogatepass"))
    except MessageRejected as error:
        raise BadInput(f"{source} can't be approved: {error}") from error
    if "specversion" not in plan and not {"payload", "event_type"} <= plan.keys():
        plan = _filled_in(plan, roles, approved_by)
    elif roles or approved_by:
        raise BadInput(
            f"{source} is an event in an envelope, which stays as it is: leave out --role, --approved-by"
        )
    return json.dumps(plan, ensure_ascii=False).encode()


def validated(
    payload: bytes, *, source: str, max_bytes: int, limits: Limits = CONTRACT, default_roles: tuple[str, ...] = ()
) -> PlanRequest:
    """Read the message as a bridge will. Raises BadInput with every mistake that it would be rejected for."""
    message = InboundMessage(subject=PLAN_APPROVED, data=payload, received_at=time.time())
    translate = partial(plan_approved, default_roles=default_roles)
    intake = read(message, translate=translate, max_bytes=max_bytes, limits=limits)
    if isinstance(intake, Rejection):
        raise BadInput(listing(f"{source} can't be approved:", intake.mistakes, unlisted=intake.unlisted))
    return intake.requests[0]


def refuse_other_content(request: PlanRequest, *, source: str, settings: Settings) -> None:
    """Raise BadInput where the store keeps another content under the key, which the bridge would reject.

    A publisher needs NATS alone: where the store can't be asked, the bridge's dead letter tells it.
    """
    kept = request
    with suppress(CliError, LookupError), open_ports(settings) as ports:
        kept = ports.plans.load(request.request_id)
    if not request.asks_as(kept):
        raise BadInput(f"{source} can't be approved: {other_content(request, kept)}")


def as_councils_write(request: PlanRequest, settings: Settings) -> PlanRequest:
    """Return the request with its roles in their councils' spelling, as far as the store can be asked."""
    by_role: dict[str, Council] = {}
    with suppress(CliError), open_ports(settings) as ports:
        by_role = {council.role: council for council in ports.councils.all()}
    found = {role: council_of(role, by_role) for role in request.plan.roles}
    roles = tuple(council.role if council else role for role, council in found.items())
    return request.model_copy(update={"plan": request.plan.model_copy(update={"roles": roles})})


def announced(request: PlanRequest) -> dict[str, Any]:
    """Name the request and the deliberations that will be opened, as JSON."""
    plan = request.plan
    return {
        "request_id": request.request_id,
        "plan_id": plan.plan_id,
        "revision": request.revision,
        "deliberations": [
            {"role": role, "deliberation_id": deliberation_id(plan.plan_id, role, request.revision)}
            for role in plan.roles
        ],
    }


def print_request(request: PlanRequest) -> None:
    """Print the request's id and one line per deliberation."""
    say(f"{request.request_id}  plan {request.plan.plan_id} approved")
    for deliberation in announced(request)["deliberations"]:
        say(f"{deliberation['deliberation_id']}  {deliberation['role']}")
    if not request.plan.roles:
        say("the plan names no roles, so no deliberation will start; name some with --role")


def _filled_in(plan: dict[str, Any], roles: Sequence[str], approved_by: str | None) -> dict[str, Any]:
    filled: dict[str, Any] = {"roles": list(roles)} if roles else {}
    if approved_by or "approved_by" not in plan:
        filled["approved_by"] = approved_by or user_name("--approved-by")
    if not plan.keys() & {"timestamp", "approved_at"}:
        filled["timestamp"] = datetime.now(UTC).isoformat()
    return plan | filled


def user_name(option: str) -> str:
    """Return the user's name on this host. Raises BadInput naming the option that says it, where there is none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise BadInput(f"your user has no name here; give one with {option}") from error
