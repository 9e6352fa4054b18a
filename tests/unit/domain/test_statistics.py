"""Statistics are sums of what single deliberations were, by role and in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chat import ChatOutcome, ChatRequest
from domain.contract import CompletedBody
from domain.council import Agent, Council
from domain.deliberation import Deliberation, Judge, ReviewRules
from domain.opening import open_deliberation
from domain.policy import Policy
from domain.ranking import Ranking, Reliability, ReviewerReport, rank
from domain.ranking.reliability import Mean
from domain.record import Record
from domain.statistics import reliability, statistics, tally_of
from tests.support.factories import (
    MOMENT,
    agent,
    agents,
    closed,
    completed_body,
    council,
    deliberation,
    opened,
    plan,
    plan_request,
    ranking,
)
from tests.support.scripted_model import answer
from tests.support.stage import Stage, decision_of
from tests.unit.domain.ranking.panels import judged


def by_seed(request: ChatRequest, before: int) -> ChatOutcome | None:
    return None if request.form else answer(request, "A step. " * (8 * (request.seed or 0)))


def test_figures_add_up_over_roles_and_outcomes() -> None:
    voices = tuple(
        agent(f"agent-{number}", seed=number, persona=f"You weigh risk {number}.") for number in (1, 2, 3)
    )
    stage = Stage(council("DEV", agents=voices), council("QA", agents=voices))
    stage.model.follow(by_seed)
    records = [stage.play(plan_request(plan(roles=(role,)))) for role in ("DEV", "DEV", "QA")]
    stage.cancel(stage.open(plan_request(plan(roles=("QA",)))), "dropped")

    figures = statistics(stage.services.deliberations.counts())
    assert (figures.total.decided, figures.total.cancelled) == (3, 1)
    assert (figures.roles["DEV"].decided, figures.roles["QA"].decided) == (2, 1)
    assert figures.total.completion_tokens == sum(record.usage.completion_tokens for record in records)
    assert figures.total.ballots == sum(len(record.ballots()) for record in records)
    assert figures.roles["DEV"].wins == {"agent-3": 2}
    assert figures.total.wins == {"DEV/agent-3": 2, "QA/agent-3": 1}
    assert figures.total.mean_kendall_w == 1.0


def test_a_failure_is_counted_with_its_agents() -> None:
    stage = Stage(council("DEV"))
    stage.model.follow(lambda request, before: answer(request, " "))
    stage.play()
    figures = statistics(stage.services.deliberations.counts())
    assert (figures.total.failed, figures.total.agents_failed, figures.total.decided) == (1, 3, 0)


def test_reviewers_build_a_record_under_one_name_whether_authors_or_judges() -> None:
    lent = tuple(agent.model_copy(update={"persona": f"You test as {agent.agent_id}."}) for agent in agents(2))
    stage = Stage(council("DEV"), council("QA", agents=lent), policy=Policy(model="tiny", judges=2))
    stage.model.follow(by_seed)
    records = [stage.play(plan_request(plan(roles=(role,)))) for role in ("DEV", "QA")]
    counts = stage.services.deliberations.counts()
    as_judge, as_author = (reliability(counts, record.deliberation) for record in records)
    assert as_author.agents["agent-1"].deliberations == 2
    assert as_judge.agents["QA/agent-1"] == as_author.agents["agent-1"]


def test_reliability_weighs_only_where_the_rules_say_so_and_is_stored_for_the_replay() -> None:
    stage = Stage(council("DEV"), policy=Policy(model="tiny", review=ReviewRules(use_reliability=True)))
    stage.model.follow(by_seed)
    stage.play()
    second = stage.play(plan_request(plan()))
    inputs = decision_of(second).ranking_inputs
    assert inputs.reliability is not None
    assert set(inputs.reliability.agents) == {"agent-1", "agent-2", "agent-3"}


PANEL = deliberation(
    agents=(Agent(agent_id="a0"), Agent(agent_id="a1"), Agent(agent_id="a2")),
    judges=(Judge(agent_id="QA/judge0", council="QA", member_id="judge0"),),
)


def counted(*rankings: Ranking, of: Deliberation = PANEL) -> Reliability:
    """Return the reviewers' records after deliberations that were ranked so; `judge0` is the lent judge."""
    counts: Counter[str] = Counter()
    for ranked in rankings:
        reports = tuple(
            report.model_copy(update={"reviewer": "QA/judge0"}) if report.reviewer == "judge0" else report
            for report in ranked.reviewers
        )
        body = completed_body(ranking=ranked.model_copy(update={"reviewers": reports}))
        counts.update(tally_of(Record.of([opened(of)]), closed(result=body)))
    return reliability(counts, of)


def test_a_record_is_folded_over_rankings() -> None:
    steady, torn = rank([*judged([8, 6, 2]), *judged([8, 6, 2])]), rank([*judged([9, 5, 1]), *judged([1, 5, 9])])
    record = counted(steady, torn).agents["QA/judge0"]
    assert record.deliberations == 2
    assert record.swap_consistency == Mean(count=2, value=0.5)
    assert Reliability.model_validate_json(counted(torn).model_dump_json()) == counted(torn)


def test_severity_is_the_mean_offset() -> None:
    lenient = rank(judged([9, 7], [5, 3], [5, 3]))
    record = counted(lenient, lenient).agents["QA/judge0"]
    assert record.severity.value == pytest.approx(
        next(r.offset for r in lenient.reviewers if r.reviewer == "judge0"), abs=1e-6
    )
    assert 1.5 < record.severity.value < 8 / 3


def test_a_silent_reviewer_is_counted_as_such() -> None:
    record = counted(rank(judged([9, 7]))).agents["a0"]
    assert (record.silent, record.severity.count) == (1, 0)


NAMES = st.text(alphabet='|/:",[]\\\n {}wins', min_size=1, max_size=8) | st.text(min_size=1, max_size=20)
IDS = st.lists(NAMES.filter(str.strip), min_size=1, max_size=3)


@st.composite
def houses(draw: st.DrawFn) -> list[Council]:
    """Draw councils whose roles and agent ids are any text."""
    councils: dict[str, Council] = {}
    for role in draw(IDS):
        agents = {agent.agent_id: agent for agent in (Agent(agent_id=name) for name in draw(IDS))}
        drawn = Council(role=role, agents=tuple(agents.values()))
        councils[drawn.role] = drawn
    return list(councils.values())


@given(houses(), st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=6))
def test_figures_come_back_exactly_per_role_and_reviewer_whatever_their_names(
    councils: list[Council], plays: Sequence[tuple[int, int]]
) -> None:
    counts: Counter[str] = Counter()
    decided: Counter[str] = Counter()
    wins: Counter[tuple[str, str]] = Counter()
    reviews: dict[tuple[str, str], list[float]] = {}
    held: list[Deliberation] = []
    for role_number, agent_number in plays:
        asked = councils[role_number % len(councils)]
        others = [other for other in councils if other.role != asked.role]
        held.append(open_deliberation(plan_request(), asked, others, Policy(judges=2), now=MOMENT))
        winner = asked.agents[agent_number % len(asked.agents)].agent_id
        offsets = {reviewer.agent_id: float(number - 1) for number, reviewer in enumerate(held[-1].reviewers)}
        counts.update(tally_of(Record.of([opened(held[-1])]), closed(result=decision(winner, offsets))))
        decided[asked.role] += 1
        wins[asked.role, winner] += 1
        homes = [(asked.role, agent.agent_id) for agent in held[-1].agents]
        homes += [judge.home for judge in held[-1].judges]
        for home, offset in zip(homes, offsets.values(), strict=True):
            reviews.setdefault(home, []).append(offset)

    figures = statistics(counts)
    assert {role: of_role.decided for role, of_role in figures.roles.items()} == decided
    assert {(role, agent): n for role in decided for agent, n in figures.roles[role].wins.items()} == wins
    assert figures.total.decided == len(plays) == sum(figures.total.wins.values())
    for one in held:
        for reviewer, history in reliability(counts, one).agents.items():
            offsets_there = reviews[one.home_of(reviewer)]
            assert history.deliberations == history.severity.count == len(offsets_there)
            assert history.severity.value == pytest.approx(sum(offsets_there) / len(offsets_there))


def decision(winner: str, offsets: Mapping[str, float]) -> CompletedBody:
    return completed_body(
        winner={"proposal_id": f"{winner}@0", "agent_id": winner},
        ranking=ranking(reviewers=tuple(review(reviewer, offset) for reviewer, offset in offsets.items())),
    )


def review(reviewer: str, offset: float) -> ReviewerReport:
    return ReviewerReport(
        reviewer=reviewer,
        neutral=False,
        ballots=1,
        scored=1,
        offset=offset,
        spread=None,
        swap_difference=None,
        swap_consistency=None,
        agreement=None,
        weight=1.0,
        winner_without=None,
        missing=(),
        flags=(),
    )


COUNTED_BY_0_1 = {
    "total|decided": 3,
    "total|wins:DEV/dev-1": 2,
    "total|wins:A|B/x|y": 1,
    "role:DEV|decided": 2,
    "role:DEV|duration_ms": 3000,
    "role:DEV|wins:dev-1": 2,
    "role:A|B|decided": 1,
    "role:A|B|wins:x|y": 1,
    "reviewer:DEV/dev-1|deliberations": 2,
    "reviewer:DEV/dev-1|severity": -1_500_000,
    "reviewer:DEV/dev-1|severity_count": 2,
    "reviewer:QA/qa-1|deliberations": 5,
    "reviewer:team/ada|deliberations": 9,
}


def test_what_version_0_1_counted_is_added_in() -> None:
    now = deliberation(
        agents=(Agent(agent_id="dev-1"), Agent(agent_id="team/ada")),
        judges=(Judge(agent_id="QA/qa-1", council="QA", member_id="qa-1"),),
    )
    body = decision("dev-1", {"dev-1": 3.0, "team/ada": 1.0, "QA/qa-1": 1.0})
    counts = Counter(COUNTED_BY_0_1)
    counts.update(tally_of(Record.of([opened(now)]), closed(result=body)))
    figures = statistics(counts)
    assert figures.total.decided == 4
    assert figures.total.wins == {"DEV/dev-1": 3, "A|B/x|y": 1}
    assert (figures.roles["DEV"].decided, figures.roles["A|B"].wins) == (3, {"x|y": 1})
    histories = reliability(counts, now).agents
    assert histories["dev-1"].deliberations == 3
    assert histories["dev-1"].severity == Mean(count=3, value=0.5)
    assert histories["QA/qa-1"].deliberations == 6
    assert histories["team/ada"].deliberations == 1, "0.1 counted it for every role's agent of that id"


def test_an_agent_with_a_slash_in_its_id_is_no_judge_and_shares_its_record_with_no_role() -> None:
    slashed = (Agent(agent_id="QA/qa-1"),)
    dev, ops = (
        deliberation(role="DEV", agents=slashed, quorum=1),
        deliberation(role="OPS", agents=slashed, quorum=1),
    )
    qa = deliberation(role="QA", agents=(Agent(agent_id="qa-1"),), quorum=1)
    counts = Counter(tally_of(Record.of([opened(dev)]), closed(result=decision("QA/qa-1", {"QA/qa-1": 1.0}))))
    assert reliability(counts, dev).agents["QA/qa-1"].deliberations == 1
    assert reliability(counts, ops).agents == {}
    assert reliability(counts, qa).agents == {}
