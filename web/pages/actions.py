"""What a person does with one deliberation: judge it, have it deliberated again, cancel it. Each asks first."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from domain.contract import CompletedBody
from domain.errors import RequestRefused, RequestUndelivered
from domain.identity import deliberation_id as id_of
from domain.record import Record
from domain.redeliberation import RepeatChoice
from domain.rights import Right
from domain.verdict import Opinion
from domain.views.listing import listed
from domain.views.verdicts import verdict_lines
from domain.views.why import why
from web.acting import cancel, redeliberate
from web.form import read_form
from web.loading import loaded
from web.ports import WebPorts
from web.rendering import page
from web.security.caller_limits import COUNTED_APPROVAL, COUNTED_VERDICT
from web.security.rights import Caller, needs

MOST_BYTES = 64 * 1024
OPINIONS: dict[str, Opinion] = {"accept": "accept", "reject": "reject", "prefer": "prefer"}


def action_routes(ports: WebPorts) -> APIRouter:
    """Return for each action the page that asks and the route that takes the answer."""
    routes = APIRouter(prefix="/deliberations/{deliberation_id}", include_in_schema=False)

    @routes.get("/judge", dependencies=[needs(Right.JUDGE)])
    def ask_for_verdict(request: Request, deliberation_id: str, queue: bool = False) -> Response:
        return _judging(request, deliberation_id, ports, {"queue": "1" if queue else ""}, "")

    @routes.post("/judge", dependencies=[needs(Right.JUDGE), COUNTED_VERDICT])
    async def judge(request: Request, deliberation_id: str) -> Response:
        caller: Caller = request.state.caller
        fields = await read_form(request, most_bytes=MOST_BYTES)
        opinion, _, proposal = fields.get("verdict", "").partition(":")
        problem, status = "Choose one of them.", 400
        await run_in_threadpool(loaded, ports, deliberation_id)  # published, a verdict on nothing is a dead letter
        if opinion in OPINIONS:
            try:
                await ports.client.judge(
                    deliberation_id,
                    OPINIONS[opinion],
                    by=caller.signature,
                    proposal=proposal,
                    reason=fields.get("reason", "").strip(),
                )
                return _to("/judge" if fields.get("queue") else f"/deliberations/{deliberation_id}")
            except RequestRefused as error:
                problem = str(error)
            except RequestUndelivered as error:
                problem, status = str(error), 503
        return await run_in_threadpool(_judging, request, deliberation_id, ports, fields, problem, status=status)

    @routes.get("/redeliberate", dependencies=[needs(Right.APPROVE)])
    def ask_for_another(request: Request, deliberation_id: str) -> Response:
        record = loaded(ports, deliberation_id)
        return page(
            request,
            "redeliberate.html",
            row=listed(record, ports.clock.now()),
            following=_following(record, ports),
            roles=[council.role for council in ports.councils.all()],
            models=sorted({engine.model for engine in ports.engines.all()}),
        )

    @routes.post("/redeliberate", dependencies=[needs(Right.APPROVE), COUNTED_APPROVAL])
    async def order_another(request: Request, deliberation_id: str) -> Response:
        fields = await read_form(request, most_bytes=MOST_BYTES)
        try:
            choice = RepeatChoice(council=fields.get("council", ""), model=fields.get("model", ""))
        except ValidationError as error:
            raise HTTPException(400, "A council's or a model's name is too long.") from error
        following = await run_in_threadpool(redeliberate, deliberation_id, choice, ports)
        caller: Caller = request.state.caller
        if isinstance(following, Record) and caller.may(Right.READ):
            return _to(f"/deliberations/{following.deliberation.deliberation_id}")
        earlier = (await run_in_threadpool(loaded, ports, deliberation_id)).deliberation
        named = {"plan": earlier.plan.plan_id, "revision": earlier.revision, "role": earlier.role}
        return _to(f"/approved?{urlencode({**named, 'repeat': earlier.repeat + 1})}")

    @routes.get("/cancel", dependencies=[needs(Right.OPERATE)])
    def ask_whether_to_cancel(request: Request, deliberation_id: str) -> Response:
        return page(request, "cancel.html", row=listed(loaded(ports, deliberation_id), ports.clock.now()))

    @routes.post("/cancel")
    async def order_end(
        request: Request, deliberation_id: str, caller: Annotated[Caller, needs(Right.OPERATE)]
    ) -> Response:
        fields = await read_form(request, most_bytes=MOST_BYTES)
        await run_in_threadpool(cancel, deliberation_id, fields.get("reason", ""), caller, ports)
        return _to(f"/deliberations/{deliberation_id}{'' if caller.may(Right.READ) else '/cancel'}")

    return routes


def _judging(
    request: Request,
    deliberation_id: str,
    ports: WebPorts,
    fields: dict[str, str],
    problem: str,
    *,
    status: int = 200,
) -> Response:
    record = loaded(ports, deliberation_id)
    decision = _decision(record)
    return page(
        request,
        "judge_one.html",
        status=status,
        row=listed(record, ports.clock.now()),
        decision=decision,
        why=why(decision),
        said=verdict_lines(decision, ports.verdicts.of(deliberation_id)),
        chosen={"verdict": "", "reason": "", "queue": ""} | fields,
        problem=problem,
    )


def _decision(record: Record) -> CompletedBody:
    decision = record.closed.decision if record.closed else None
    if decision is None or decision.winner is None:
        raise HTTPException(409, "Nothing was decided here that could be judged.")
    return decision


def _following(record: Record, ports: WebPorts) -> str:
    """Return the deliberation that has followed this one; empty while none has."""
    earlier = record.deliberation
    following = id_of(earlier.plan.plan_id, earlier.role, earlier.revision, earlier.repeat + 1)
    try:
        ports.deliberations.load(following)
    except LookupError:
        return ""
    return following


def _to(target: str) -> Response:
    return RedirectResponse(target, status_code=303)
