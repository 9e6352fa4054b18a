"""The live view is a function of record and time: each state as people see it."""

from __future__ import annotations

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chat import FailureReason, Usage
from domain.council import Agent
from domain.deliberation import BallotForm, ReviewRules
from domain.entry import Entry
from domain.record import Record
from domain.views.expected_work import RULES, SCORE
from domain.views.progress import DeliberationView, MemberView, StageView, view
from tests.support import factories as make
from tests.support.factories import MOMENT
from workers.cli.view.live import live
from workers.printer import Printer

TWICE = ReviewRules(ballots="listwise", both_passes=True)
DELIBERATION = make.deliberation(judges=(make.judge("QA", "qa-1"),), review=TWICE)
PROPOSALS = [make.proposed(f"agent-{n}", at=MOMENT + n, duration_ms=1000.0 * n) for n in (1, 2, 3)]
BALLOTS = [
    make.ballot(reviewer, pass_=pass_, at=MOMENT + 5 + pass_)
    for reviewer in ("agent-1", "agent-2", "agent-3", "QA/qa-1")
    for pass_ in (0, 1)
]


def seen(*entries: Entry, after: float = 10.0) -> DeliberationView:
    return view(make.record(*entries, of=DELIBERATION), MOMENT + after)


def stage(name: str, of: DeliberationView) -> StageView:
    return next(one for one in of.stages if one.name == name)


def member(agent_id: str, of: DeliberationView) -> MemberView:
    return next(one for one in of.members if one.agent_id == agent_id)


def statuses(of: DeliberationView) -> dict[str, str]:
    return {one.name: one.status for one in of.stages}


def test_at_the_start_everybody_proposes_and_the_judge_waits() -> None:
    found = seen(after=2.0)
    assert statuses(found) == {"proposals": "running", "review": "waiting", "decision": "waiting"}
    assert [one.status for one in found.members] == ["proposing", "proposing", "proposing", "waiting"]
    assert (stage("proposals", found).seconds, stage("review", found).total) == (2.0, 8)
    assert found.remaining_s == 598.0


def test_a_proposal_shows_its_tokens_and_seconds() -> None:
    found = seen(PROPOSALS[1])
    assert (stage("proposals", found).done, stage("proposals", found).status) == (1, "running")
    assert member("agent-2", found).status == "proposed"
    assert member("agent-2", found).proposal_s == 2.0
    assert found.usage.completion_tokens == 9


def test_a_failure_says_why_and_its_author_casts_no_ballot() -> None:
    found = seen(*PROPOSALS[:2], make.agent_failed("agent-3"))
    assert member("agent-3", found).status == "failed"
    assert member("agent-3", found).detail == "timeout: no answer within 30 s"
    assert (stage("proposals", found).status, stage("review", found).total) == ("done", 6)


def test_the_review_counts_ballots_and_names_missing_ones() -> None:
    missing = make.ballot("agent-3", scores={}, missing=FailureReason.MALFORMED)
    found = seen(*PROPOSALS, BALLOTS[0], BALLOTS[1], missing)
    assert statuses(found) == {"proposals": "done", "review": "running", "decision": "waiting"}
    assert (stage("proposals", found).seconds, stage("review", found).done) == (3.0, 3)
    assert (member("agent-1", found).ballots, member("agent-3", found).ballots_missing) == (2, 1)
    assert member("agent-3", found).detail == "no ballot in pass 1: malformed"
    # Only the first has handed in all of its ballots.
    assert [one.status for one in found.members] == ["done", "reviewing", "reviewing", "reviewing"]


def test_a_copy_that_the_vote_spares_is_done_when_the_others_review() -> None:
    copies = [make.agent(f"agent-{n}") for n in range(1, 9)]
    lent = make.judge("QA", "qa-1", persona=copies[0].persona)
    of = make.deliberation(agents=copies, judges=(lent, make.judge("QA", "qa-2", persona="You test.")))
    entries: list[Entry] = [make.proposed(copy.agent_id, at=MOMENT + 1) for copy in copies]

    before = view(make.record(*entries[:7], of=of), MOMENT + 2)
    assert {one.status for one in before.members} == {"proposed", "proposing", "waiting"}
    found = view(make.record(*entries, of=of), MOMENT + 2)
    reviewing = {one.agent_id for one in found.members if one.status == "reviewing"}
    assert stage("review", found).total == 2
    assert reviewing == {"QA/qa-1", "QA/qa-2"}
    assert sum(one.status == "done" for one in found.members) == 8


def test_a_decision_ends_all_stages_and_stops_the_clock() -> None:
    entries: list[Entry] = [*PROPOSALS, *BALLOTS, make.closed(at=MOMENT + 7)]
    found = seen(*entries, after=500.0)
    assert set(statuses(found).values()) == {"done"}
    assert (found.elapsed_s, found.remaining_s, stage("review", found).seconds) == (7.0, 0.0, 3.0)
    assert found == seen(*entries, after=9000.0)


def test_a_pass_left_out_is_no_unfinished_review() -> None:
    found = seen(*PROPOSALS, *BALLOTS[::2], make.closed(at=MOMENT + 7))
    assert statuses(found)["review"] == "done"


def test_a_deliberation_below_its_quorum_fails_with_its_reason() -> None:
    failures = [make.agent_failed(f"agent-{n}") for n in (1, 2, 3)]
    found = seen(*failures, make.closed(status="failed", reason="0 of 3 proposals, quorum is 2", at=MOMENT + 5))
    assert statuses(found) == {"proposals": "done", "review": "failed", "decision": "waiting"}
    assert found.reason == "0 of 3 proposals, quorum is 2"


def test_rounds_are_stages_of_their_own() -> None:
    of = make.deliberation(rounds=2)
    revised = [make.proposed(f"agent-{n}", round=1, at=MOMENT + 6) for n in (1, 2)]
    found = view(make.record(*PROPOSALS, *revised, of=of), MOMENT + 8)
    assert [one.name for one in found.stages] == ["proposals", "round 1", "round 2", "review", "decision"]
    assert statuses(found)["round 1"] == "running"
    assert (stage("round 1", found).done, stage("round 1", found).total) == (2, 3)


def drawn(of: DeliberationView, width: int = 200) -> str:
    console = Printer(file=StringIO(), width=width, color_system=None)
    console.print(live(of))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_the_drawing_has_a_line_for_each_stage_and_agent() -> None:
    lines = drawn(seen(*PROPOSALS[:2], make.agent_failed("agent-3"))).splitlines()
    for name in ("proposals", "review", "decision"):
        assert sum(f" {name} " in line for line in lines) == 1
    for agent_id in ("agent-1", "agent-2", "agent-3", "QA/qa-1"):
        assert sum(line.startswith(agent_id) for line in lines) == 1
    assert any("timeout: no answer within 30 s" in line for line in lines)


def test_text_from_outside_is_not_taken_for_markup() -> None:
    of = make.deliberation(make.plan(title="[red]not markup[/red] [/]"))
    assert "[red]not markup[/red] [/]" in drawn(view(make.record(of=of), MOMENT))


ENTRIES: list[Entry] = [*PROPOSALS, *BALLOTS, make.agent_failed("agent-2"), make.closed(at=MOMENT + 9)]


@given(
    st.lists(st.sampled_from(ENTRIES), unique_by=lambda entry: entry.key), st.floats(-1e6, 1e6), st.integers(1, 90)
)
def test_any_record_at_any_moment_can_be_seen(entries: list[Entry], after: float, width: int) -> None:
    found = view(Record.of((make.opened(DELIBERATION), *entries)), MOMENT + after)
    for one in found.stages:
        assert one.done >= 0
        assert one.seconds >= 0
    running = [one for one in found.stages if one.status == "running"]
    assert len(running) <= 1
    assert not (found.closed and running)
    assert drawn(found, width)


def test_the_estimate_weighs_proposals_and_ballots_by_what_each_takes() -> None:
    assert seen(after=2.0).estimate_s is None
    untold = [one.model_copy(update={"usage": Usage()}) for one in PROPOSALS]
    # Three proposals in 3 s whose engine tells no tokens; no ballot yet, so its 8 are taken to be as slow.
    assert seen(*untold, after=3.0).estimate_s == pytest.approx(8 * 1.0)
    # Each second that the first ballot is awaited is one less to go, and then there is no saying.
    assert seen(*untold, after=4.0).estimate_s == pytest.approx(7.0)
    assert seen(*untold, after=20.0).estimate_s is None
    quick = [make.ballot(f"agent-{n}", at=MOMENT + 3 + n / 10) for n in (1, 2)]
    # Two ballots in 0.2 s: the six to come take 0.6 s, however long the proposals took.
    assert seen(*PROPOSALS, *quick, after=3.2).estimate_s == pytest.approx(0.6)
    assert seen(*PROPOSALS, make.closed(at=MOMENT + 7)).estimate_s is None


MANY = [make.agent(f"agent-{n}", persona=f"You are number {n}.") for n in range(1, 9)]


@pytest.mark.parametrize(
    ("members", "form", "ballot"),
    [
        # Each of a ballot's calls reads task, rules and one text of 100, and writes a line for three criteria.
        (MANY[:3], "pointwise", 2 * (0.2 * (300 + RULES + 100) + 3 * SCORE)),
        (MANY, "pointwise", 7 * (0.2 * (300 + RULES + 100) + 3 * SCORE)),
        # One call reads all texts.
        (MANY[:3], "listwise", 0.2 * (300 + RULES + 3 * 100) + 2 * 3 * SCORE),
    ],
)
def test_before_the_first_ballot_its_calls_and_tokens_count(
    members: list[Agent], form: BallotForm, ballot: float
) -> None:
    of = make.deliberation(agents=members, review=ReviewRules(ballots=form))
    usage = Usage(prompt_tokens=400, cached_tokens=100, completion_tokens=100)
    proposals = [make.proposed(one.agent_id, at=MOMENT + 8, usage=usage) for one in members]
    found = view(make.record(*proposals, of=of), MOMENT + 8)
    assert stage("review", found).total == len(members)
    proposal_s = 8 / len(members)
    assert found.estimate_s == pytest.approx(len(members) * ballot / (0.2 * 300 + 100) * proposal_s)


def test_copies_share_the_calls_of_a_ballot() -> None:
    copies = [make.agent(f"agent-{n}") for n in range(1, 9)]
    usage = Usage(prompt_tokens=300, completion_tokens=100)
    proposals = [make.proposed(one.agent_id, at=MOMENT + 8, usage=usage) for one in copies]
    found = view(make.record(*proposals, of=make.deliberation(agents=copies)), MOMENT + 8)
    call = 0.2 * (300 + RULES + 100) + 3 * SCORE
    assert stage("review", found).total * stage("review", found).weight == pytest.approx(8 * call)


def test_the_estimate_ends_at_the_deadline() -> None:
    assert seen(PROPOSALS[0], after=599.5).estimate_s == pytest.approx(0.5)


LONG = [make.agent(f"dev-smallest-step-{n}", model="qwen3-30b-a3b-instruct-2507") for n in (1, 2, 3)]
BUSY: list[Entry] = [
    make.proposed("dev-smallest-step-1", at=MOMENT + 1, duration_ms=123456.0),
    make.agent_failed("dev-smallest-step-2"),
]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_name_is_broken(width: int) -> None:
    of = make.deliberation(agents=LONG, judges=(make.judge("QUALITY", "qa-saboteur"),))
    lines = drawn(view(make.record(*BUSY, of=of), MOMENT + 100), width).splitlines()
    assert max(map(len, lines)) <= width
    for agent in (*(one.agent_id for one in LONG), "QUALITY/qa-saboteur"):
        assert sum(line.startswith(f"{agent} ") for line in lines) == 1
    assert sum(line.startswith("d-") and "proposing" in line for line in lines) == 1


def test_columns_are_left_out_in_the_order_of_their_worth() -> None:
    of = make.deliberation(agents=LONG, judges=(make.judge("QUALITY", "qa-saboteur"),))
    found = view(make.record(*BUSY, of=of), MOMENT + 100)
    heads = {}
    for width in (28, 50, 80, 120):
        (heads[width],) = [line.split() for line in drawn(found, width).splitlines() if line.startswith("agent ")]
    assert heads[28] == ["agent"]
    assert heads[50] == ["agent", "status", "proposal"]
    assert heads[80] == ["agent", "status", "proposal", "tokens", "in/cached/out", "part"]
    assert heads[120] == [*heads[80], "model"]


def test_what_went_wrong_is_told_below_the_table_in_any_width() -> None:
    of = make.deliberation(agents=LONG)
    text = " ".join(drawn(view(make.record(*BUSY, of=of), MOMENT + 100), 40).split())
    assert "dev-smallest-step-2: timeout: no answer within 30 s" in text
