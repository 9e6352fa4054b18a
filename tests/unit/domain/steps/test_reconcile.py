"""A store that lost something gets it back from the streams, and nothing that was told is told otherwise."""

from __future__ import annotations

import pytest

from domain import events
from domain.contract import CompletedBody, StartedBody
from domain.decision import replay
from domain.entry import Opened
from domain.errors import CannotRepeat, HistoryUnreadable
from domain.keys import PRIOR
from domain.plan import PlanRequest
from domain.ports.continuity import Gap
from domain.redeliberation import RedeliberationPolicy
from domain.restoring import FORGOTTEN
from domain.statistics import statistics
from domain.steps.conclude import conclude_deliberation
from domain.steps.reconcile import Reconciled, close_gap
from tests.support.factories import council, plan, plan_request
from tests.support.reconciling import reconciled
from tests.support.stage import Stage

GAP = Gap(since=0.0, server="another")


def gap_closed(stage: Stage) -> Reconciled | None:
    services = stage.services
    return close_gap(
        continuity=stage.continuity,
        history=stage.history,
        plans=services.plans,
        deliberations=services.deliberations,
        verdicts=services.verdicts,
        dispatcher=services.dispatcher,
        meter=services.meter,
        policy=services.policy,
    )


def decided(request: PlanRequest) -> tuple[str, CompletedBody, StartedBody]:
    """Decide on a stage of its own, whose store is lost afterwards."""
    lost = Stage(council("DEV"))
    identity = lost.open(request)
    lost.propose(identity)
    conclude_deliberation(identity, lost.services)
    record = lost.record(identity)
    assert record.closed is not None
    assert record.closed.decision is not None
    started = events.started(record.deliberation).body
    assert isinstance(started, StartedBody)
    return identity, record.closed.decision, started


def test_an_approval_that_no_store_knows_is_taken_in_again() -> None:
    stage, request = Stage(council("DEV")), plan_request()
    stage.history.asked += [request, request]
    assert reconciled(stage).taken_in == (request.request_id,)
    assert stage.services.plans.load(request.request_id) == request
    assert reconciled(stage) == Reconciled()


def test_a_told_decision_is_not_decided_again() -> None:
    stage, request = Stage(council("DEV")), plan_request(plan(roles=("DEV",)))
    identity, decision, started = decided(request)
    stage.open(request)
    stage.history.asked, stage.history.begun, stage.history.told = [request], [started], [decision]
    assert reconciled(stage).ended == (identity,)
    record = stage.record(identity)
    assert record.closed is not None
    assert record.closed.result == decision
    assert record.closed.event_id == events.end_id(identity)
    assert stage.outbox.pending(10) == ()
    conclude_deliberation(identity, stage.services)
    assert [event for event in stage.news.read if event.event_id == events.end_id(identity)] == []


def test_a_decision_of_an_emptied_store_is_known_again() -> None:
    stage, request = Stage(council("DEV")), plan_request(plan(roles=("DEV",)))
    identity, decision, started = decided(request)
    stage.history.asked, stage.history.begun, stage.history.told = [request], [started], [decision]
    done = reconciled(stage)
    assert done.restored == (identity,)
    assert done.taken_in == (request.request_id,)
    stage.dispatch(request.request_id)
    record = stage.record(identity)
    assert record.closed is not None
    assert record.closed.result == decision
    assert record.deliberation.plan == request.plan
    stored, computed = replay(record)
    assert stored == computed
    assert {proposal.text for proposal in record.proposals()} == {
        row.proposal.content for row in decision.decisions
    }
    assert statistics(stage.services.deliberations.counts()).total.ballots == len(decision.ballots)
    authors = {row.proposal.author.agent_id for row in decision.decisions}
    assert {agent.agent_id for agent in record.deliberation.agents} == authors
    assert record.deliberation.opened_at == pytest.approx(started.timestamp)
    assert statistics(stage.services.deliberations.counts()).total.decided == 1
    assert reconciled(stage) == Reconciled()


def test_what_began_and_can_not_be_taken_up_fails_with_a_sentence() -> None:
    stage, request = Stage(council("DEV")), plan_request(plan(roles=("DEV",)))
    identity, _, started = decided(request)
    stage.history.begun = [started]
    assert reconciled(stage).forgotten == (identity,)
    opened = stage.record(identity).entries["opened"]
    assert isinstance(opened, Opened)
    conclude_deliberation(identity, stage.services)
    record = stage.record(identity)
    assert record.closed is not None
    assert (record.state, record.closed.reason) == ("failed", FORGOTTEN)
    assert reconciled(stage) == Reconciled()


def test_a_re_deliberation_that_is_lost_fails_and_can_be_asked_for_again() -> None:
    lost, request = Stage(council("DEV")), plan_request(plan(roles=("DEV",)))
    first = lost.play(request)
    again = lost.redeliberate(first.deliberation.deliberation_id)
    begun = events.started(lost.record(again).deliberation).body
    assert isinstance(begun, StartedBody)
    assert first.closed is not None
    assert first.closed.decision is not None
    stage = Stage(council("DEV"))
    stage.services.plans.save([request])
    stage.history.asked, stage.history.begun, stage.history.told = [request], [begun], [first.closed.decision]
    assert reconciled(stage).forgotten == (again,)
    conclude_deliberation(again, stage.services)
    record = stage.record(again)
    assert record.closed is not None
    assert record.closed.reason.endswith(f"`conclave deliberation redeliberate {again}`")
    assert stage.record(stage.redeliberate(again)).deliberation.plan == request.plan


def test_what_began_on_an_approval_is_left_to_its_dispatch() -> None:
    stage, request = Stage(council("DEV")), plan_request(plan(roles=("DEV",)))
    identity, _, started = decided(request)
    stage.history.asked, stage.history.begun = [request], [started]
    assert reconciled(stage).forgotten == ()
    stage.dispatch(request.request_id)
    assert stage.record(identity).deliberation.agents


@pytest.mark.parametrize("timestamp", [1e300, -1e18, 1e12])
@pytest.mark.parametrize("ended", [True, False])
def test_an_event_that_can_not_be_ours_keeps_nothing_else_from_being_restored(
    timestamp: float, ended: bool
) -> None:
    stage, request = Stage(council("DEV")), plan_request(plan(roles=("DEV",)))
    _, decision, started = decided(plan_request(plan(roles=("DEV",))))
    identity, sound, begun = decided(request)
    odd = {"timestamp": timestamp}
    stage.history.begun = [begun] if ended else [started.model_copy(update=odd), begun]
    stage.history.told = [decision.model_copy(update=odd), sound] if ended else [sound]
    done = reconciled(stage)
    assert (done.restored, done.foreign) == ((identity,), (started.deliberation_id,))
    assert done.sentence == (
        "ended deliberations restored: 1, events passed over, from which nothing can be restored: 1"
    )


@pytest.mark.parametrize("odd", [{"plan_id": " "}, {"role": ""}, {"deliberation_id": ""}, {"quorum": 0}])
def test_what_no_record_can_hold_is_not_restored(odd: dict[str, object]) -> None:
    stage = Stage(council("DEV"))
    identity, decision, _ = decided(plan_request(plan(roles=("DEV",))))
    stage.history.told = [decision.model_copy(update=odd)]
    assert reconciled(stage).foreign == (str(odd.get("deliberation_id", identity)),)
    assert stage.services.deliberations.newest(10) == ()


def test_a_restored_decision_is_not_repeated_for_a_council_that_nobody_changed() -> None:
    rules = RedeliberationPolicy(council_changed=True, cool_down_s=0.0)
    stage, request = Stage(council("DEV"), rules=rules), plan_request(plan(roles=("DEV",)))
    identity, decision, started = decided(request)
    stage.history.asked, stage.history.begun, stage.history.told = [request], [started], [decision]
    reconciled(stage)
    stage.clock.advance(10.0)
    assert stage.record(identity).deliberation.lost == ("council",)
    assert stage.apply_rules() == ()
    assert stage.redeliberate(identity)


def test_no_council_is_asked_about_a_plan_whose_text_is_lost() -> None:
    rules = RedeliberationPolicy(failed=True, stale_after_s=1.0, cool_down_s=0.0)
    stage = Stage(council("DEV"), rules=rules)
    identity, decision, _ = decided(plan_request(plan(roles=("DEV",))))
    begun, _, started = decided(plan_request(plan(roles=("DEV",))))
    stage.history.begun, stage.history.told = [started], [decision]
    reconciled(stage)
    conclude_deliberation(begun, stage.services)
    stage.clock.advance(10.0)
    assert stage.apply_rules() == ()
    for lost in (identity, begun):
        with pytest.raises(CannotRepeat, match=r"lost the plan of .*; approve it again"):
            stage.redeliberate(lost)


def test_an_earlier_winner_that_ran_again_is_no_agent_of_the_council() -> None:
    lost, request = Stage(council("DEV")), plan_request(plan(roles=("DEV",)))
    first = lost.play(request).deliberation
    again = lost.redeliberate(first.deliberation_id)
    lost.propose(again)
    conclude_deliberation(again, lost.services)
    record = lost.record(again)
    assert record.closed is not None
    assert record.closed.decision is not None
    prior = [row for row in record.closed.decision.decisions if row.proposal.proposal_id == PRIOR]
    renamed = prior[0].proposal.author.model_copy(update={"agent_id": "(earlier winner)"})
    rows = tuple(
        row.model_copy(update={"proposal": row.proposal.model_copy(update={"author": renamed})})
        if row in prior
        else row
        for row in record.closed.decision.decisions
    )
    stage = Stage(council("DEV"))
    stage.history.asked = [request]
    stage.history.told = [record.closed.decision.model_copy(update={"decisions": rows})]
    assert reconciled(stage).restored == (again,)
    agents = {agent.agent_id for agent in stage.record(again).deliberation.agents}
    assert agents == {agent.agent_id for agent in first.agents}


def test_a_gap_is_closed_once() -> None:
    stage = Stage(council("DEV"))
    assert gap_closed(stage) is None
    stage.continuity.found = GAP
    stage.history.asked = [plan_request()]
    done = gap_closed(stage)
    assert done is not None
    assert done.sentence == "approvals taken in again: 1"
    assert gap_closed(stage) is None


@pytest.mark.parametrize(("forbidden", "left"), [(False, GAP), (True, None)])
def test_streams_that_may_never_be_read_keep_no_gap_open(forbidden: bool, left: Gap | None) -> None:
    stage = Stage(council("DEV"))
    stage.continuity.found = GAP
    stage.history.refusal = HistoryUnreadable("no right", forbidden=forbidden)
    if forbidden:
        done = gap_closed(stage)
        assert done is not None
        assert done.unread == "no right"
    else:
        with pytest.raises(HistoryUnreadable):
            gap_closed(stage)
    assert stage.continuity.found == left
