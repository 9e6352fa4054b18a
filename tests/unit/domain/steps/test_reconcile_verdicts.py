"""Verdicts that a store lost come back from the streams, with what they count for."""

from __future__ import annotations

from domain.contract import CompletedBody, JudgedBody
from domain.people import people_figures
from domain.policy import Policy
from domain.steps.reconcile import Reconciled
from domain.verdict import VerdictRules
from tests.support.factories import council, said_verdict
from tests.support.reconciling import reconciled
from tests.support.stage import Stage, decision_of


def judged(rules: VerdictRules | None = None) -> tuple[Stage, str, CompletedBody, list[JudgedBody]]:
    """Decide on a stage of its own and have ada accept and bob reject; return what was told."""
    stage = Stage(council("DEV"), policy=Policy(model="tiny", verdict=rules or VerdictRules()))
    record = stage.play()
    identity = record.deliberation.deliberation_id
    stage.clock.advance(1)
    stage.judge(said_verdict(identity, said_at=stage.clock.now(), reason="good"))
    stage.clock.advance(1)
    stage.judge(said_verdict(identity, by="bob", verdict="reject", said_at=stage.clock.now()))
    return stage, identity, decision_of(record), stage.news.bodies(JudgedBody)


def test_verdicts_that_were_told_are_known_again_with_their_counts() -> None:
    lost, identity, decision, told = judged(VerdictRules(within_s=60.0))
    stage = Stage(council("DEV"))
    stage.history.told.append(decision)
    stage.history.judgements += told
    assert reconciled(stage).judged == tuple(body.verdict_id for body in told)
    before, after = lost.services.verdicts, stage.services.verdicts
    assert [one.model_dump() for one in after.of(identity)] == [one.model_dump() for one in before.of(identity)]
    assert people_figures(after.counts()) == people_figures(before.counts())
    assert after.count_awaiting() == 0, "ada's verdict settled it"
    assert stage.outbox.count() == 0, "nothing is told twice"
    assert reconciled(stage) == Reconciled()


def test_a_decision_that_was_not_judged_awaits_its_verdict_again() -> None:
    _, identity, decision, _ = judged(VerdictRules(within_s=60.0, overdue="expires"))
    stage = Stage(council("DEV"))
    stage.history.told.append(decision)
    reconciled(stage)
    stage.clock.advance(120)
    stage.settle_overdue()
    (body,) = stage.news.bodies(JudgedBody)
    assert (body.deliberation_id, body.by, body.counts) == (identity, "timeout", False)


def test_a_verdict_that_was_acknowledged_and_not_told_is_recorded_and_told() -> None:
    _, identity, decision, told = judged()
    stage = Stage(council("DEV"))
    stage.history.told.append(decision)
    stage.history.judgements.append(told[0])
    lost = said_verdict(identity, by="eve", verdict="prefer", proposal="agent-2")
    stage.history.said += [lost, said_verdict("d-unknown"), said_verdict(identity, verdict="prefer", proposal="x")]
    assert reconciled(stage).judged == (told[0].verdict_id, lost.verdict_id)
    stage.flush()
    (body,) = stage.news.bodies(JudgedBody)
    assert (body.verdict_id, body.by) == (lost.verdict_id, "eve")
    assert reconciled(stage) == Reconciled()


def test_a_told_verdict_on_what_is_past_its_retention_is_passed_over() -> None:
    _, _, _, told = judged()
    stage = Stage(council("DEV"))
    stage.history.judgements += told
    assert reconciled(stage) == Reconciled()
