"""Approving a plan: a form or JSON, and the way from there to the deliberations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from domain.errors import KeyTaken, RequestRefused, RequestUndelivered
from domain.identity import deliberation_id
from domain.record import Record
from domain.rights import Right
from domain.validation.validate import InvalidInput
from domain.views.listing import listed
from web.approving import Approved, approve, reached
from web.form import read_fields
from web.loading import loaded
from web.plan_form import PlanForm, field_of, payload_of
from web.ports import WebPorts
from web.rendering import page
from web.sample_plan import sample_plan
from web.security.caller_limits import TooOften, count
from web.security.rights import Caller, needs

MOST_BYTES = 2 * 1024 * 1024
OPENED_WITHIN_S = 3.0
"""How long a form waits for its deliberation; then a page of its own does."""
SENT_BEFORE = "This form was sent before with another plan, which stands. Approve again to have this one as well."


def approval_routes(ports: WebPorts) -> APIRouter:
    """Return the form, what takes it, and the page that waits for what follows."""
    routes = APIRouter(include_in_schema=False)

    def shown(request: Request, form: PlanForm, *, status: int = 200, **values: Any) -> Response:
        roles = [council.role for council in ports.councils.all()]
        return page(
            request,
            "approve.html",
            status=status,
            **{"form": form, "roles": roles, "as_json": None, "errors": {}, "key": uuid4().hex} | values,
        )

    @routes.get("/approve", dependencies=[needs(Right.APPROVE)])
    def form(
        request: Request,
        from_: Annotated[str, Query(alias="from", max_length=100)] = "",
        sample: bool = False,
        json: bool = False,
    ) -> Response:
        caller: Caller = request.state.caller
        if from_ and caller.may(Right.READ):
            plan = loaded(ports, from_).deliberation.plan
            filled = PlanForm.of(plan)
            if filled is None or json:
                return shown(request, PlanForm(), as_json=_pretty(payload_of(plan)))
            return shown(request, filled)
        filled = sample_plan([council.role for council in ports.councils.all()]) if sample else PlanForm()
        return shown(request, filled, as_json=_pretty(filled.payload) if json else None)

    @routes.post("/approve")
    async def take(request: Request, caller: Annotated[Caller, needs(Right.APPROVE)]) -> Response:
        fields = await read_fields(request, most_bytes=MOST_BYTES)
        written = fields["json"][-1] if "json" in fields else None
        filled = PlanForm.read(fields)

        async def again(status: int, errors: Mapping[str, Sequence[str]], key: str = "") -> Response:
            values = {"as_json": written, "errors": errors} | ({"key": key} if key else {})
            return await run_in_threadpool(shown, request, filled, status=status, **values)

        key = fields.get("key", [""])[-1][:100] or uuid4().hex
        try:
            count(request, Right.APPROVE)
            payload = filled.payload if written is None else _object(written)
            approved = await approve(payload, ports, by=caller.signature, key=key)
            opened = await _opened(approved, ports)
        except TooOften as error:
            return await again(429, {"": [error.detail]}, key)
        except InvalidInput as error:
            return await again(400, _by_field(error, all_on_top=written is not None), key)
        except KeyTaken:
            return await again(409, {"": [SENT_BEFORE]})
        except RequestRefused as error:  # its key stands for what was refused
            return await again(400, {"": [str(error)]})
        except RequestUndelivered as error:
            return await again(503, {"": [str(error)]}, key)
        return RedirectResponse(_next(approved, opened and caller.may(Right.READ)), status_code=303)

    @routes.get("/approved", dependencies=[needs(Right.APPROVE)])
    def approved(
        request: Request,
        plan: Annotated[str, Query(max_length=512)],
        revision: Annotated[str, Query(max_length=512)],
        role: Annotated[list[str], Query(max_length=64)],
        repeat: Annotated[int, Query(ge=0)] = 0,
    ) -> Response:
        ids = {name: deliberation_id(plan, name, revision, repeat) for name in role}
        rows = {name: _row(identity, ports) for name, identity in ids.items()}
        caller: Caller = request.state.caller
        if len(ids) == 1 and all(rows.values()) and caller.may(Right.READ):
            return _to(request, f"/deliberations/{next(iter(ids.values()))}")
        return page(request, "approved.html", plan=plan, rows=rows, here=f"/approved?{request.url.query}")

    return routes


async def _opened(approved: Approved, ports: WebPorts) -> bool:
    try:
        return await reached(approved, lambda record: True, ports, within_s=OPENED_WITHIN_S)
    except RequestUndelivered:  # it is published; only its events can't be read
        return False


def _next(approved: Approved, shown: bool) -> str:
    ids = approved.deliberations
    if shown and len(ids) == 1:
        return f"/deliberations/{next(iter(ids.values()))}"
    named = [("plan", approved.approval.plan_id), ("revision", approved.approval.revision)]
    return f"/approved?{urlencode([*named, *(('role', role) for role in ids)])}"


def _row(identity: str, ports: WebPorts) -> Any:
    try:
        record: Record = ports.deliberations.load(identity)
    except LookupError:
        return None
    return listed(record, ports.clock.now())


def _to(request: Request, target: str) -> Response:
    """Lead a browser on; htmx, which fetches a part of a page, needs it said in its own way."""
    if request.headers.get("hx-request"):
        return Response(headers={"HX-Redirect": target})
    return RedirectResponse(target, status_code=303)


def _object(text: str) -> dict[str, Any]:
    try:
        payload = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RequestRefused(f"this can't be read as JSON: {error}") from error
    if not isinstance(payload, dict):
        raise RequestRefused("a plan is an object in JSON: { … }")
    return payload


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _by_field(error: InvalidInput, *, all_on_top: bool) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for mistake in error.mistakes:
        found.setdefault("" if all_on_top else field_of(mistake), []).append(mistake.sentence)
    return found


def _pretty(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload, indent=2, ensure_ascii=False)
