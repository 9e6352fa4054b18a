"""Verdicts on decisions: what is taken, what stands, what counts, and what is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from domain.contract import CompletedBody, JudgedBody
from domain.decision import replay
from domain.errors import CannotJudge, StoreUnreconciled
from domain.identity import event_id
from domain.people import calibration, people_figures
from domain.policy import Policy
from domain.ports.continuity import Gap
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.verdict_store import VerdictStore
from domain.ranking import Calibration
from domain.record import Record
from domain.verdict import MOST_VERDICTS, TIMEOUT, SaidVerdict, Verdict, VerdictRules, standing
from tests.support.factories import agent, council, said_verdict
from tests.support.in_memory.deliberation_store import MemoryDeliberationStore
from tests.support.stage import Stage, decision_of

HOUR = 3600.0
AWAITING = VerdictRules(within_s=HOUR)
EXPIRING = VerdictRules(within_s=HOUR, overdue="expires")


def staged(rules: VerdictRules | None = None) -> tuple[Stage, str]:
    """Return a stage and the id of what was decided on it."""
    policy = Policy(model="tiny", verdict=rules or VerdictRules())
    stage = Stage(council("DEV"), policy=policy)
    return stage, stage.play().deliberation.deliberation_id


def says(stage: Stage, deliberation_id: str, by: str = "ada", **changes: object) -> SaidVerdict:
    return said_verdict(deliberation_id, by=by, **({"said_at": stage.clock.now()} | changes))


class Overtaken:
    """A VerdictStore before whose answer another judges, once."""

    def __init__(self, store: VerdictStore, other: Callable[[], object]) -> None:
        self._store = store
        self._others = [other]

    def of(self, deliberation_id: str) -> tuple[Verdict, ...]:
        seen = self._store.of(deliberation_id)
        if self._others:
            self._others.pop()()
        return seen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class Unreadable:
    """A DeliberationStore that can't read one of its records."""

    def __init__(self, store: DeliberationStore, deliberation_id: str) -> None:
        self._store = store
        self._deliberation_id = deliberation_id

    def load(self, deliberation_id: str) -> Record:
        if deliberation_id == self._deliberation_id:
            raise ConnectionError("scripted")
        return self._store.load(deliberation_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def told(stage: Stage) -> list[JudgedBody]:
    return stage.news.bodies(JudgedBody)


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


def test_without_a_rule_a_decision_awaits_nothing() -> None:
    stage, identity = staged()
    decision = decision_of(stage.record(identity))
    assert (decision.awaiting_verdict, decision.counts_at, decision.expires_at) == (False, None, None)
    stage.clock.advance(100 * HOUR)
    assert stage.settle_overdue() == 0
    assert told(stage) == []


@pytest.mark.parametrize(
    ("rules", "due", "verdict", "counts"),
    [(AWAITING, "counts_at", "accept", True), (EXPIRING, "expires_at", "reject", False)],
)
def test_a_decision_that_nobody_judges_counts_or_expires_once(
    rules: VerdictRules, due: str, verdict: str, counts: bool
) -> None:
    stage, identity = staged(rules)
    (completed,) = stage.news.bodies(CompletedBody)
    assert completed.awaiting_verdict
    assert getattr(completed, due) == completed.verdict_due_at == completed.timestamp + HOUR
    stage.clock.advance(HOUR - 1)
    assert stage.settle_overdue() == 0
    stage.clock.advance(2)
    assert stage.settle_overdue() == 1
    assert stage.settle_overdue() == 0
    (body,) = told(stage)
    assert (body.by, body.verdict, body.counts) == (TIMEOUT, verdict, counts)
    assert people_figures(stage.services.verdicts.counts()).overdue == 1
    assert people_figures(stage.services.verdicts.counts()).councils == {}, "the clock is no person"
    assert stage.services.verdicts.of(identity)[0].by == TIMEOUT


@pytest.mark.parametrize(("verdict", "counts"), [("accept", True), ("reject", False), ("prefer", True)])
def test_the_first_verdict_settles_whether_a_decision_counts(verdict: str, counts: bool) -> None:
    stage, identity = staged(AWAITING)
    proposal = "agent-2" if verdict == "prefer" else ""
    stage.judge(says(stage, identity, verdict=verdict, proposal=proposal))
    stage.clock.advance(1)
    stage.judge(says(stage, identity, "bob", verdict="reject"))
    stage.clock.advance(2 * HOUR)
    stage.settle_overdue()
    assert [body.counts for body in told(stage)] == [counts, None]
    assert stage.services.verdicts.count_awaiting() == 0


def test_a_verdict_after_the_time_ran_out_is_an_opinion() -> None:
    stage, identity = staged(EXPIRING)
    stage.clock.advance(2 * HOUR)
    stage.settle_overdue()
    stage.judge(says(stage, identity))
    assert [(body.by, body.counts) for body in told(stage)] == [(TIMEOUT, False), ("ada", None)]
    assert people_figures(stage.services.verdicts.counts()).accepted == 1


@pytest.mark.parametrize("first", ["clock", "person"])
def test_of_a_person_and_the_clock_that_race_the_first_settles(first: str) -> None:
    """The second of them has looked at the verdicts before the first recorded its own."""
    stage, identity = staged(AWAITING)
    stage.clock.advance(2 * HOUR)
    acts: dict[str, Callable[[], object]] = {
        "clock": stage.settle_overdue,
        "person": lambda: stage.judge(says(stage, identity, verdict="reject")),
    }
    overtaken = Overtaken(stage.services.verdicts, acts.pop(first))
    (second,) = acts.values()
    stage.services = replace(stage.services, verdicts=cast(VerdictStore, overtaken))
    second()
    settled = [body.by for body in told(stage) if body.counts is not None]
    assert settled == ([TIMEOUT] if first == "clock" else ["ada"])


def test_what_is_past_its_retention_is_awaited_no_more() -> None:
    stage, _ = staged(AWAITING)
    stage.clock.advance(2 * HOUR)
    lost = MemoryDeliberationStore(clock=stage.clock, outbox=stage.outbox)
    stage.services = replace(stage.services, deliberations=lost)
    stage.settle_overdue()
    assert stage.services.verdicts.count_awaiting() == 0
    assert told(stage) == []


def test_one_decision_that_cannot_be_settled_keeps_no_other_from_it() -> None:
    stage, identity = staged(AWAITING)
    other = stage.play().deliberation.deliberation_id
    stage.clock.advance(2 * HOUR)
    stage.services = replace(
        stage.services, deliberations=cast(DeliberationStore, Unreadable(stage.services.deliberations, identity))
    )
    with pytest.raises(ConnectionError, match="scripted"):
        stage.settle_overdue()
    assert [body.deliberation_id for body in told(stage)] == [other]


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
