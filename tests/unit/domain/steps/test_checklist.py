"""A checklist beside the vote: told in the event, shown in sentences, and nothing to the ranking."""

from __future__ import annotations

import pytest

from domain.contract import CompletedBody
from domain.decision import replay
from domain.deliberation import BallotForm, ReviewRules
from domain.policy import Policy
from domain.record import Record
from domain.views.review import ballot_views
from domain.views.why import why
from tests.support.factories import council, plan, plan_request
from tests.support.scripted_model import answer
from tests.support.stage import Stage, decision_of

STATED = ("It expires.", "It works once.", "It is fast.")


def played(stated: tuple[str, ...] = STATED, **rules: object) -> Record:
    """Play a council of three; the scripted reviewers deny the third criterion to all, others to what is short."""
    stage = Stage(council("DEV"), policy=Policy(model="tiny", review=ReviewRules.model_validate(rules)))
    stage.model.follow(
        lambda request, before: (
            None if request.form else answer(request, "A step. " * (8 + 3 * (request.seed or 0)))
        )
    )
    return stage.play(plan_request(plan(acceptance_criteria=stated)))


def told(decision: CompletedBody) -> list[tuple[tuple[float, ...], float | None]]:
    return [(row.checklist, row.criteria_met) for row in decision.decisions]


@pytest.mark.parametrize("form", ["listwise", "pointwise"])
def test_it_is_told_of_each_proposal_and_the_ranking_is_what_it_was(form: BallotForm) -> None:
    record, plain = played(checklist="report", ballots=form), played(ballots=form)
    decision = decision_of(record)
    assert decision.ranking.entries == decision_of(plain).ranking.entries
    assert told(decision) == [((1.0, 1.0, 0.0), 0.6667), ((1.0, 1.0, 0.0), 0.6667), ((0.0, 0.0, 0.0), 0.0)]
    assert {row.met[proposal] for row in decision.ballots for proposal in row.met} == {
        (True, True, False),
        (False, False, False),
    }
    stored, replayed = replay(record)
    assert stored.model_dump_json() == replayed.model_dump_json()


def test_sentences_and_ballots_show_it() -> None:
    record = played(checklist="report")
    sentences = [sentence for sentence in why(decision_of(record)) if "acceptance criteria" in sentence]
    first, *_, last = sentences
    assert first.endswith("meets 2 of 3 acceptance criteria, not number 3 (0.00)")
    assert last.endswith("meets 0 of 3 acceptance criteria, not number 1 (0.00), 2 (0.00), 3 (0.00)")
    shown = [row for view in ballot_views(record) for row in view.shown]
    assert {row.met for row in shown} == {(1.0, 1.0, 0.0), (0.0, 0.0, 0.0)}


@pytest.mark.parametrize(("stated", "rule"), [((), "report"), (STATED, "off")])
def test_nothing_is_asked_without_criteria_or_where_it_is_off(stated: tuple[str, ...], rule: str) -> None:
    decision = decision_of(played(stated, checklist=rule))
    assert set(told(decision)) == {((), None)}
    assert not any(row.met for row in decision.ballots)
    assert not any("acceptance criteria" in sentence for sentence in why(decision))
