"""`conclave approve`: publish a plan's approval as any publisher would."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.intake import read
from bridge.message import InboundMessage
from bridge.rejection import MessageRejected, Rejection
from bridge.strict_json import parse_object
from bridge.subjects import PLAN_APPROVED
from domain.identity import deliberation_id
from domain.inbound import plan_approved
from domain.limits import CONTRACT, Limits
from domain.plan import PlanRequest
from domain.record import Record
from domain.validation.words import listing
from domain.views.summary import details
from workers.cli.approve_supply import as_councils_write, lacks, refuse_other_content, supply_of
from workers.cli.cli_error import BadInput, CliError
from workers.cli.council import read_text
from workers.cli.deliberation import followed, opened_within, print_outcome, refuse_undecided
from workers.cli.environment import open_ports, read_settings
from workers.cli.follow import Screen, screen
from workers.cli.output import AS_JSON, complain, console, print_json, say
from workers.settings import Settings

if TYPE_CHECKING:
    from workers.store_ports import StorePorts

OPENED_WITHIN_S = 60.0
"""From the approval to an opened deliberation; longer means that a bridge or a control worker is missing."""


def approve(
    plan: Annotated[Path, typer.Argument(help="The plan as a JSON object; `-` reads standard input.")],
    role: Annotated[
        list[str] | None, typer.Option(help="Ask this role instead of those in the file; may be repeated.")
    ] = None,
    approved_by: Annotated[
        str | None, typer.Option(help="Who approves; default: what the file says, else your user name.")
    ] = None,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Show each deliberation live to its end, then what was decided and why."),
    ] = False,
    as_json: AS_JSON = False,
) -> None:
    """Publish a plan's approval to NATS, and print what will follow from it.

    The file needs `story_id` and `plan_id`; without `roles`, those of CONCLAVE_DEFAULT_ROLES are asked. Without a
    `timestamp` each call is a new approval; with one, approving twice is the same approval and starts nothing
    new, and approving something else under it is refused. A role without a council and a model that no engine
    serves are said on standard error. With --watch, exit code 1 if a deliberation ends without a decision.

    Examples:

        conclave approve plan.json --role DEV --watch

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
    supply = supply_of(settings)
    request = as_councils_write(request, supply)
    for sentence in lacks(request, supply, settings):
        complain(sentence)
    with NatsSession.to(settings) as wire:
        wire.approve(payload)
    if watch:
        watch_all(request, settings, as_json=as_json)
    elif as_json:
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


def watch_all(request: PlanRequest, settings: Settings, *, as_json: bool) -> None:
    """Follow one deliberation after another and print each outcome. Raises CliError where one has no decision."""
    out = console(stderr=as_json)
    if not as_json:
        print_request(request)
    with open_ports(settings) as ports:
        records = []
        for identity in ids_of(request).values():
            records.append(_opened_and_followed(identity, ports, settings, screen(out)))
            if not as_json:
                print_outcome(records[-1], (), out)
        if as_json:
            plain = [details(record, (), ports.clock.now()).model_dump(mode="json") for record in records]
            print_json(announced(request) | {"deliberations": plain})
    refuse_undecided(records)


def _opened_and_followed(identity: str, ports: StorePorts, settings: Settings, on: Screen) -> Record:
    try:
        opened_within(OPENED_WITHIN_S, identity, ports.deliberations)
    except BadInput as error:
        raise CliError(
            f"{identity} was not opened within {OPENED_WITHIN_S:g} s: a bridge and a control worker have to run; "
            "`conclave doctor` says what is missing"
        ) from error
    return followed(identity, ports.deliberations, settings, on)


def ids_of(request: PlanRequest) -> dict[str, str]:
    """Return the id of the deliberation that each role will have."""
    plan = request.plan
    return {role: deliberation_id(plan.plan_id, role, request.revision) for role in plan.roles}


def announced(request: PlanRequest) -> dict[str, Any]:
    """Name the request and the deliberations that will be opened, as JSON."""
    plan = request.plan
    return {
        "request_id": request.request_id,
        "plan_id": plan.plan_id,
        "revision": request.revision,
        "deliberations": [
            {"role": role, "deliberation_id": identity} for role, identity in ids_of(request).items()
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
