"""A decision on a stage, what people say of it, and what is told of that."""

from __future__ import annotations

from domain.contract import JudgedBody
from domain.policy import Policy
from domain.verdict import SaidVerdict, VerdictRules
from tests.support.factories import council, said_verdict
from tests.support.stage import Stage


def staged(rules: VerdictRules | None = None) -> tuple[Stage, str]:
    """Return a stage and the id of what was decided on it."""
    policy = Policy(model="tiny", verdict=rules or VerdictRules())
    stage = Stage(council("DEV"), policy=policy)
    return stage, stage.play().deliberation.deliberation_id


def says(stage: Stage, deliberation_id: str, by: str = "ada", **changes: object) -> SaidVerdict:
    return said_verdict(deliberation_id, by=by, **({"said_at": stage.clock.now()} | changes))


def told(stage: Stage) -> list[JudgedBody]:
    return stage.news.bodies(JudgedBody)
