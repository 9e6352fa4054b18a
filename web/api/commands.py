"""Routes below /api that approve, judge, cancel and have something deliberated again."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from domain.errors import KeyTaken, RequestRefused, RequestUndelivered
from domain.record import Record
from domain.redeliberation import AS_IT_IS, RepeatChoice
from domain.rights import Right
from domain.validation.validate import InvalidInput
from domain.validation.words import listing, printable
from domain.value import Value
from domain.verdict import Opinion
from web.acting import MOST_REASON, cancel, redeliberate
from web.answers import DecisionAnswer
from web.api.routes import PROBLEM, Problem
from web.approving import MOST_KEY, Approved, approve, reached
from web.asking import answer_of
from web.loading import loaded
from web.ports import WebPorts
from web.security.caller_limits import COUNTED_APPROVAL, COUNTED_VERDICT
from web.security.rights import Caller, needs

MOST_WAIT_S = 3600.0


class AskedRole(Value):
    """A deliberation that was asked for; it is there once a worker has opened it."""

    role: str
    deliberation_id: str


class ApprovalAnswer(Value):
    """What follows from an approval."""

    plan_id: str
    revision: str
    """Which approval of the plan: its key, else its time."""
    deliberations: tuple[AskedRole, ...]
    decisions: tuple[DecisionAnswer, ...] = ()
    """How they ended, where that was waited for."""


class LateAnswer(ApprovalAnswer):
    """What follows from an approval that was not decided in time; it goes on."""

    error: str


class Ordered(Value):
    """What workers are about to do."""

    deliberation_id: str


class Reason(Value):
    """Why."""

    reason: str = Field(default="", max_length=MOST_REASON)


NO_REASON = Reason()


class GivenVerdict(Value):
    """What somebody says of a decision."""

    verdict: Opinion
    proposal: str = Field(default="", max_length=512)
    """With prefer: the better proposal's id, or its author's."""
    reason: str = Field(default="", max_length=10_000)


class TakenVerdict(Value):
    """A verdict as it was recorded."""

    verdict_id: str
    deliberation_id: str
    verdict: Opinion
    by: str
    counts: bool | None
    """Of the verdict that settled an awaited decision: whether that counts."""


def command_routes(ports: WebPorts) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api", responses=PROBLEM)

    @routes.post(
        "/approvals",
        summary="Approve a plan",
        description="The body is the payload of `planning.plan.approved` as docs/events.md has it; who approves "
        "it is the caller. Ids and time are made up where there are none. Under the same `Idempotency-Key` the "
        "same plan is the same approval, answered as at first, and another plan is refused.",
        status_code=202,
        dependencies=[needs(Right.APPROVE), COUNTED_APPROVAL],
        response_model=ApprovalAnswer,
        responses={
            200: {"model": ApprovalAnswer, "description": "With `wait`: all was decided, failed or cancelled"},
            409: {"model": Problem, "description": "The key stands for another plan; send this one under another"},
            504: {"model": LateAnswer, "description": "With `wait`: not yet; it goes on"},
        },
    )
    async def take_approval(
        request: Request,
        plan: Annotated[dict[str, Any], Body()],
        idempotency_key: Annotated[str, Header(max_length=200)] = "",
        wait: Annotated[float, Query(ge=0, le=MOST_WAIT_S, description="Seconds to wait for the end.")] = 0,
    ) -> Response:
        caller: Caller = request.state.caller
        try:
            approved = await approve(plan, ports, by=caller.signature, key=idempotency_key.strip())
            ended = wait > 0 and await reached(approved, _has_ended, ports, within_s=wait)
        except InvalidInput as error:
            sentences = [mistake.sentence for mistake in error.mistakes]
            raise HTTPException(400, listing("the plan can't be approved:", sentences)) from error
        except KeyTaken as error:
            raise HTTPException(409, _taken(idempotency_key.strip())) from error
        except RequestRefused as error:
            raise HTTPException(400, str(error)) from error
        except RequestUndelivered as error:
            raise HTTPException(503, str(error)) from error
        return await _answer(approved, ports, ended=ended, waited=wait)

    @routes.post(
        "/deliberations/{deliberation_id}/verdict",
        summary="Judge a decision",
        dependencies=[needs(Right.JUDGE), COUNTED_VERDICT],
    )
    async def take_verdict(request: Request, deliberation_id: str, given: GivenVerdict) -> TakenVerdict:
        caller: Caller = request.state.caller
        await run_in_threadpool(loaded, ports, deliberation_id)  # published, one on nothing is a dead letter
        try:
            body = await ports.client.judge(
                deliberation_id,
                given.verdict,
                by=caller.signature,
                proposal=given.proposal,
                reason=given.reason,
            )
        except RequestRefused as error:
            raise HTTPException(409, str(error)) from error
        except RequestUndelivered as error:
            raise HTTPException(503, str(error)) from error
        return TakenVerdict(
            verdict_id=body.verdict_id,
            deliberation_id=body.deliberation_id,
            verdict=body.verdict,
            by=body.by,
            counts=body.counts,
        )

    @routes.post(
        "/deliberations/{deliberation_id}/redeliberate",
        summary="Deliberate again",
        description="With today's council, with that of another role, or on another model. The answer names the "
        "deliberation that follows; one that was followed before stays so.",
        status_code=202,
        dependencies=[needs(Right.APPROVE), COUNTED_APPROVAL],
    )
    def order_another(
        deliberation_id: str, response: Response, choice: Annotated[RepeatChoice, Body()] = AS_IT_IS
    ) -> Ordered:
        following = redeliberate(deliberation_id, choice, ports)
        identity = following.deliberation.deliberation_id if isinstance(following, Record) else following
        response.headers["Location"] = f"/api/deliberations/{identity}"
        return Ordered(deliberation_id=identity)

    @routes.post("/deliberations/{deliberation_id}/cancel", summary="Cancel a deliberation", status_code=202)
    def order_end(
        deliberation_id: str,
        caller: Annotated[Caller, needs(Right.OPERATE)],
        why: Annotated[Reason, Body()] = NO_REASON,
    ) -> Ordered:
        cancel(deliberation_id, why.reason, caller, ports)
        return Ordered(deliberation_id=deliberation_id)

    return routes


def _taken(key: str) -> str:
    named = f"Under the key {printable(key, MOST_KEY)}" if key else "Under that plan_id and timestamp"
    return f"{named} another plan was sent before, which stands; send this one under another Idempotency-Key."


def _has_ended(record: Record) -> bool:
    return record.closed is not None


async def _answer(approved: Approved, ports: WebPorts, *, ended: bool, waited: float) -> Response:
    ids = approved.deliberations
    fields: dict[str, Any] = {
        "plan_id": approved.approval.plan_id,
        "revision": approved.approval.revision,
        "deliberations": tuple(AskedRole(role=role, deliberation_id=identity) for role, identity in ids.items()),
    }
    if ended:
        decisions = tuple([await answer_of(identity, ports) for identity in ids.values()])
        return _json(ApprovalAnswer(**fields, decisions=decisions), 200, ids)
    if waited:
        return _json(
            LateAnswer(**fields, error=f"not decided {ports.stopping.late(waited)}; it goes on"), 504, ids
        )
    return _json(ApprovalAnswer(**fields), 202, ids)


def _json(answer: Value, status: int, ids: Any) -> Response:
    location = {"Location": f"/api/deliberations/{next(iter(ids.values()))}"}
    return JSONResponse(answer.model_dump(mode="json"), status_code=status, headers=location)
