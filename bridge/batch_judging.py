"""Hands the verdicts of a batch on, in the order of their stream, and finds out which can't be taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from bridge.batch_dispatch import OUTAGE, AcceptedMessage, Failure, sentence_of
from bridge.rejection import Rejection
from domain.errors import CannotJudge
from domain.verdict import SaidVerdict

log = structlog.get_logger("bridge.batch_judging")

Judge = Callable[[SaidVerdict], object]
"""Records a verdict. Raises CannotJudge for one that can't be taken now or later, anything else while it can't be
for now; may block."""


async def judge(batch: Sequence[AcceptedMessage], judge: Judge) -> dict[AcceptedMessage, Failure]:
    """Hand on every verdict of the batch; return which messages are not taken, and why."""
    return await asyncio.to_thread(_judge_all, batch, judge)


def _judge_all(batch: Sequence[AcceptedMessage], judge: Judge) -> dict[AcceptedMessage, Failure]:
    failures: dict[AcceptedMessage, Failure] = {}
    in_a_row = 0
    for message in batch:
        if in_a_row >= OUTAGE:
            failures[message] = "the store is down"
            continue
        try:
            for said in message.intake.verdicts:
                judge(said)
        except CannotJudge as refused:
            failures[message] = Rejection(mistakes=(str(refused),))
        except Exception as error:
            failures[message] = sentence_of(error)
            in_a_row += 1
            log.warning("judging_failed", error=failures[message])
        else:
            in_a_row = 0
    return failures
