"""Verdicts on decisions: what is taken, what stands, what counts, and what is told."""

from __future__ import annotations

import pytest

from domain.decision import replay
from domain.errors import CannotJudge, StoreUnreconciled
from domain.identity import event_id
from domain.people import calibration, people_figures
from domain.ports.continuity import Gap
from domain.ranking import Calibration
from domain.verdict import MOST_VERDICTS, standing
from tests.support.factories import agent, council
from tests.support.judging import says, staged, told
from tests.support.stage import Stage, decision_of


def test_a_verdict_is_recorded_and_told_once_however_often_it_comes() -> None:
    stage, identity = staged()
    said = says(stage, identity, verdict="reject", reason="it forgets expiry")
    first = stage.judge(said)
    stage.clock.advance(5)
    assert stage.judge(said) == first
    assert stage.services.verdicts.of(identity) == (first,)
    (body,) = told(stage)
    assert (body.by, body.verdict, body.reason, body.proposal) == ("ada", "reject", "it forgets expiry", None)
    assert (body.stands, body.replaces, body.counts) == (True, None, None)
    (event,) = stage.news.of_type("orchestration.decision.judged")
    assert event.event_id == event_id("orchestration.decision.judged", identity, said.verdict_id)
    assert event.causation_id == said.causation_id
    assert stage.outbox.count() == 0


def test_what_could_not_be_published_waits_in_the_outbox() -> None:
    stage, identity = staged()
    stage.news.away = True
    stage.judge(says(stage, identity))
    assert [event.event_type for event in stage.outbox.pending(9)] == ["orchestration.decision.judged"]
    stage.news.away = False
    stage.flush()
    assert len(told(stage)) == 1


def test_the_winner_is_accepted_and_a_preferred_proposal_is_named_by_id_or_author() -> None:
    stage, identity = staged()
    decision = decision_of(stage.record(identity))
    assert decision.winner is not None
    second = decision.decisions[1].proposal
    assert stage.judge(says(stage, identity)).proposal_id == decision.winner.proposal_id
    by_id = says(stage, identity, "bob", verdict="prefer", proposal=second.proposal_id)
    by_author = says(stage, identity, "eve", verdict="prefer", proposal=second.author.agent_id)
    assert stage.judge(by_id).proposal_id == stage.judge(by_author).proposal_id == second.proposal_id
    named = told(stage)[-1].proposal
    assert named is not None
    assert (named.proposal_id, named.agent_id) == (second.proposal_id, second.author.agent_id)


def test_a_persons_later_verdict_replaces_the_earlier_and_other_persons_stand_beside_it() -> None:
    stage, identity = staged()
    first = stage.judge(says(stage, identity))
    stage.judge(says(stage, identity, "bob"))
    stage.clock.advance(60)
    second = stage.judge(says(stage, identity, verdict="reject"))
    verdicts = stage.services.verdicts.of(identity)
    assert {by: verdict.verdict for by, verdict in standing(verdicts).items()} == {
        "ada": "reject",
        "bob": "accept",
    }
    assert told(stage)[-1].replaces == first.verdict_id
    figures = people_figures(stage.services.verdicts.counts())
    assert (figures.accepted, figures.rejected) == (1, 1)
    assert second in verdicts


def test_a_verdict_that_comes_late_does_not_replace_what_was_said_after_it() -> None:
    stage, identity = staged()
    stage.clock.advance(60)
    stage.judge(says(stage, identity, verdict="reject"))
    stage.judge(says(stage, identity, said_at=stage.clock.now() - 30))
    verdicts = stage.services.verdicts.of(identity)
    assert standing(verdicts)["ada"].verdict == "reject"
    assert (told(stage)[-1].stands, told(stage)[-1].replaces) == (False, None)
    figures = people_figures(stage.services.verdicts.counts())
    assert (figures.accepted, figures.rejected) == (0, 1)


def test_other_content_under_a_taken_key_is_refused_and_both_messages_are_named() -> None:
    stage, identity = staged()
    said = says(stage, identity, place="DELIBERATION_VERDICTS:1")
    stage.judge(said)
    with pytest.raises(CannotJudge, match=r"VERDICTS:2 has other content than DELIBERATION_VERDICTS:1"):
        stage.judge(said.model_copy(update={"verdict": "reject", "place": "DELIBERATION_VERDICTS:2"}))
    assert [body.verdict for body in told(stage)] == ["accept"]


def test_what_is_not_decided_is_refused_with_a_sentence() -> None:
    stage = Stage(council("DEV"))
    open_ = stage.open()
    with pytest.raises(CannotJudge, match=rf"{open_} is still proposing; judge it when it is decided"):
        stage.judge(says(stage, open_))
    stage.cancel(open_, "dropped")
    with pytest.raises(CannotJudge, match=rf"{open_} cancelled without a decision"):
        stage.judge(says(stage, open_))
    with pytest.raises(CannotJudge, match=r"no deliberation d-\\nunknown: never opened"):
        stage.judge(says(stage, "d-\nunknown"))


def test_an_unknown_proposal_is_refused_and_those_that_there_are_are_named() -> None:
    stage, identity = staged()
    with pytest.raises(CannotJudge, match=r"has no proposal dev-9; prefer one of .*agent-1@0"):
        stage.judge(says(stage, identity, verdict="prefer", proposal="dev-9"))
    assert stage.services.verdicts.of(identity) == ()


def test_a_store_that_may_have_lost_the_decision_has_the_verdict_wait() -> None:
    stage, _ = staged()
    stage.continuity.found = Gap(since=0.0, server="another")
    with pytest.raises(StoreUnreconciled):
        stage.judge(says(stage, "d-lost"))


def test_a_program_that_judges_in_a_loop_comes_to_an_end() -> None:
    stage, identity = staged()
    for number in range(MOST_VERDICTS):
        stage.judge(says(stage, identity, f"bot-{number}"))
    with pytest.raises(CannotJudge, match=f"has {MOST_VERDICTS} verdicts"):
        stage.judge(says(stage, identity))


def test_what_people_say_corrects_the_next_decision_and_no_earlier_one() -> None:
    voices = tuple(agent(f"agent-{number}", model=f"model-{number}") for number in range(1, 4))
    stage = Stage(council("DEV", agents=voices))
    identity = stage.play().deliberation.deliberation_id
    first = decision_of(stage.record(identity))
    assert first.p_winner is not None
    assert first.ranking.settings.calibration == Calibration()
    for number in range(40):
        stage.judge(says(stage, identity, f"p-{number}", verdict="reject"))
    second = stage.play()
    learned = decision_of(second).ranking_inputs.settings.calibration
    assert learned is not None
    assert learned == calibration(stage.services.verdicts.counts())
    assert learned.verdicts == 40
    assert learned.apply(first.p_winner) < first.p_winner
    for record in (stage.record(identity), second):
        stored, computed = replay(record)
        assert stored == computed
