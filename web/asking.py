"""A question from a program or an agent, as a plan of one role, followed to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from anyio import to_thread

from domain.approval import Approval
from domain.contract import EventBody
from domain.council import council_of, no_council
from domain.identity import deliberation_id
from domain.text.visible import visible
from domain.value import Value
from domain.views.summary import details
from web.answers import DecisionAnswer, decision_answer
from web.ports import WebPorts

MOST_TITLE = 100
"""Characters of a question that stand in lists."""


class Question(Value):
    """What somebody asks the council of a role."""

    role: str
    text: str
    context: str = ""
    """What agents should know besides."""
    title: str = ""
    """Stands in lists; the question's first line where there is none."""
    acceptance_criteria: tuple[str, ...] = ()
    asked_by: str


class NoSuchCouncil(LookupError):
    """The role has no council; the message says which there are."""


class NoAnswerInTime(TimeoutError):
    """The deliberation goes on, and can be looked at later."""


@dataclass(frozen=True)
class Asked:
    """A question that was published."""

    approval: Approval
    deliberation_id: str
    at: float
    """Epoch seconds of the store's clock."""


async def ask(question: Question, ports: WebPorts) -> Asked:
    """Publish the question.

    Raises NoSuchCouncil, RequestRefused, RequestUndelivered, and what the store raises while it is away.
    """
    at = await to_thread.run_sync(ports.clock.now)
    by_role = {council.role: council for council in await to_thread.run_sync(ports.councils.all)}
    council = council_of(question.role, by_role)
    if council is None:
        raise NoSuchCouncil(no_council(question.role, by_role))
    approval = await ports.client.approve(_plan(question, council.role))
    identity = deliberation_id(approval.plan_id, council.role, approval.revision)
    return Asked(approval, identity, at)


async def events(asked: Asked, ports: WebPorts, within_s: float) -> AsyncGenerator[EventBody, None]:
    """Yield what is told about the question, to its end.

    Raises NoAnswerInTime, RequestRefused, RequestUndelivered.
    """
    over = asyncio.get_running_loop().time() + within_s
    async with aclosing(ports.client.watch(asked.approval)) as bodies:
        while True:
            try:
                async with ports.stopping.wait_until(over):
                    body = await anext(bodies)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                late = ports.stopping.late(within_s)
                raise NoAnswerInTime(
                    f"{asked.deliberation_id} was not decided {late}; it goes on, look at it later"
                ) from error
            yield body


async def answer_of(deliberation_id: str, ports: WebPorts) -> DecisionAnswer:
    """Return how a deliberation ended or stands. Raises LookupError where there is none."""

    def read() -> DecisionAnswer:
        record = ports.deliberations.load(deliberation_id)
        return decision_answer(details(record, ports.verdicts.of(deliberation_id), ports.clock.now()))

    return await to_thread.run_sync(read)


def _plan(question: Question, role: str) -> dict[str, Any]:
    identity = f"q-{uuid4().hex}"
    return {
        "story_id": identity,
        "plan_id": identity,
        "approved_by": question.asked_by,
        "roles": [role],
        "title": question.title or _first_line(question.text),
        "description": "\n\n".join(_parts(question)),
        "acceptance_criteria": list(question.acceptance_criteria),
    }


def _parts(question: Question) -> Sequence[str]:
    return (question.context, question.text) if question.context else (question.text,)


def _first_line(text: str) -> str:
    lines = visible(text).split("\n")
    line = next((line.strip() for line in lines if line.strip()), "")
    return line if len(line) <= MOST_TITLE else f"{line[: MOST_TITLE - 1]}…"
