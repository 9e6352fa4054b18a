"""A decision explained: every number comes from the event, every doubt is said."""

from __future__ import annotations

from io import StringIO
from itertools import takewhile
from typing import Any

from domain.chat import ChatOutcome, ChatRequest, FailureReason
from domain.checks.check import CheckResult, NotJudged, PlanFacts
from domain.contract import CompletedBody
from domain.deliberation import ReviewRules
from domain.plan import Constraints
from domain.policy import Policy
from domain.views.why import label, why
from tests.support.factories import agent, council, plan, plan_request
from tests.support.scripted_model import answer, failure
from tests.support.stage import Stage, decision_of
from workers.cli.view.decision import beginning, drawing
from workers.printer import Printer

LENGTHS = {1: 8, 2: 20, 3: 14}
"""Sentences that the agent of each seed writes; the scripted reviewers like long texts."""


def script(request: ChatRequest, before: int) -> ChatOutcome | None:
    return None if request.form else answer(request, "A step. " * LENGTHS[request.seed or 1])


def decided(*, follow: Any = script, stage: Stage | None = None, **constraints: Any) -> CompletedBody:
    judges = (agent("qa-1", persona="Test."), agent("qa-2", persona="Break."))
    on = stage or Stage(council("DEV"), council("QA", agents=judges))
    on.model.follow(follow)
    record = on.play(plan_request(plan(constraints=Constraints(**constraints))))
    return decision_of(record)


def drawn(decision: CompletedBody, *, full: bool = False, width: int = 160) -> str:
    console = Printer(file=StringIO(), width=width, color_system=None)
    for part in drawing(decision, full=full):
        console.print(part)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def rows(drawing: str, title: str) -> list[list[str]]:
    """Return the cells of a table's rows, by blanks."""
    lines = drawing[drawing.index(title) :].splitlines()[2:]
    return [line.split() for line in takewhile(str.strip, lines)]


def test_the_ranking_is_printed_best_first_with_the_events_scores() -> None:
    result = decided()
    table = rows(drawn(result), "Ranking (criteria")
    assert [row[1] for row in table] == ["agent-2", "agent-3", "agent-1"]
    scores = [next(cell for cell in row if "." in cell) for row in table]
    assert scores == [f"{row.score:.2f}" for row in result.decisions]


def test_a_synthesis_is_printed_whole_and_none_where_there_is_none() -> None:
    result = decided()
    assert "Synthesis" not in drawn(result)
    words = "First the invariants, then the export. " * 20
    shown = drawn(result.model_copy(update={"synthesis": words}))
    assert "Synthesis: the architect's" in shown
    assert shown.count("First the invariants") == 20


def test_the_matrix_shows_who_gave_whom_what_and_nothing_for_oneself() -> None:
    result = decided()
    table = {row[0]: row[1:] for row in rows(drawn(result), "Scores by reviewer")}
    assert set(table) == {"agent-1", "agent-2", "agent-3", "QA/qa-1", "QA/qa-2"}
    assert table["agent-1"][:3] == ["8.00", "5.00", "·"]
    assert table["agent-2"][0] == "·"
    assert table["QA/qa-1"][0] == "(judge)"


def test_80_columns_hold_whole_names_and_say_what_they_do_not_hold() -> None:
    judges = (
        agent("architect-numbers", persona="You count."),
        agent("architect-migration", persona="You ask how to get there."),
    )
    agents = (agent("dev-smallest-step", seed=1), agent("dev-data-first", seed=2), agent("dev-on-call", seed=3))
    result = decided(stage=Stage(council("DEV", agents=agents), council("ARCHITECT", agents=judges)))
    narrow = drawn(result, width=80)

    assert max(map(len, narrow.splitlines())) <= 80
    assert "…" not in narrow.replace(" … (", "")
    assert {row[1] for row in rows(narrow, "Ranking (")} >= {one.agent_id for one in agents}
    assert [row[0] for row in rows(narrow, "Scores by reviewer")][:2] == [
        "ARCHITECT/architect-migration",
        "ARCHITECT/architect-numbers",
    ]
    assert [line for line in narrow.splitlines() if line.endswith(("dev-", "smallest-", "data-", "on-"))] == []
    assert " not in this width: Copeland, Borda, checks" in narrow
    assert "not in this width" not in drawn(result)


def test_the_first_sentence_says_by_how_much_the_winner_leads() -> None:
    result = decided()
    first, second = result.decisions[:2]
    lead = f"{first.score - second.score:.2f}"
    assert why(result)[0].startswith(f"agent-2 has the highest score, {first.score:.2f}, which is {lead} above")


def test_the_criterion_that_made_the_lead_is_named() -> None:
    def on_fit(request: ChatRequest, before: int) -> ChatOutcome | None:
        if request.form is None:
            return script(request, before)
        text = request.messages[-1].content.split(" PROPOSAL ===\n")[1].split("\n===")[0]
        fit = min(9, len(text) // 20)
        scores = (f"{name}: {fit if name == 'fit' else 5}" for name in request.form.lines)
        return answer(request, "\n".join(scores))

    first = why(decided(follow=on_fit))[0]
    assert ", most of it on fit (+" in first


def test_agreement_and_the_winners_probability_are_said() -> None:
    sentences = why(decided())
    assert any(sentence.startswith("P(winner) ") for sentence in sentences)
    assert any(sentence.startswith("stability 1.00") for sentence in sentences)
    assert any(sentence.startswith("independent voices ") for sentence in sentences)
    assert any("Kendall's W 1.00" in sentence for sentence in sentences)
    assert any("each with what the others find 1.00 on average" in sentence for sentence in sentences)


def test_where_no_reviewer_compared_two_proposals_no_confidence_is_claimed() -> None:
    result = decided(stage=Stage(council("DEV", size=2)))
    assert (result.p_winner, result.stability, result.independent_voices) == (None, None, 0)
    sentences = why(result)
    assert "independent voices 0: no reviewer saw two to compare, so no confidence is claimed" in sentences
    assert not any(sentence.startswith(("P(winner)", "stability")) for sentence in sentences)


def test_a_tie_is_said_with_whom() -> None:
    def alike(request: ChatRequest, before: int) -> ChatOutcome | None:
        return None if request.form else answer(request, f"Seed {request.seed}. " + "A step. " * 9)

    result = decided(follow=alike)
    assert result.tied
    assert any(sentence.startswith("tied: ") for sentence in why(result))
    assert "Winner: " in drawn(result)
    assert " tied" in drawn(result).splitlines()[0]


def test_a_second_look_is_said_with_what_it_found() -> None:
    def alike(request: ChatRequest, before: int) -> ChatOutcome | None:
        if request.key.startswith("comparison"):
            return answer(request, f"better: {2 if request.key.endswith('/agent-2@0') else 1}")
        return None if request.form else answer(request, f"Seed {request.seed}. " + "A step. " * 9)

    policy = Policy(model="tiny", review=ReviewRules(second_look=True))
    sentences = why(decided(follow=alike, stage=Stage(council("DEV"), policy=policy)))
    assert sentences[0].startswith("agent-2 stands before ")
    assert "by a second look" in sentences[0]
    assert any(said.startswith("second look at those tied, of 2 points: agent-2 2.00, ") for said in sentences)


def test_failures_and_missing_ballots_are_listed() -> None:
    def faulty(request: ChatRequest, before: int) -> ChatOutcome | None:
        if request.seed == 1 and request.form is None:
            return failure(request, FailureReason.TIMEOUT)
        return answer(request, "no digits") if request.form and "qa-1" in request.key else script(request, before)

    result = decided(follow=faulty)
    assert result.degraded
    assert "agent-1, proposal: timeout (scripted timeout)" in drawn(result)


def test_a_lonely_proposal_wins_without_a_contest() -> None:
    def one(request: ChatRequest, before: int) -> ChatOutcome | None:
        return script(request, before) if request.seed == 2 else failure(request, FailureReason.EMPTY)

    result = decided(follow=one, stage=Stage(council("DEV"), policy=Policy(model="tiny", quorum=1)))
    assert why(result)[0] == "agent-2 won without a contest: it is the only proposal"
    assert drawn(result)


def test_a_failed_check_is_named_with_its_reason() -> None:
    class Short:
        name = "short"
        hard = False

        def run(self, proposal_text: str, plan_facts: PlanFacts) -> CheckResult:
            brief = len(proposal_text) < 100
            return CheckResult(name="short", passed=brief, score=float(brief), reason="" if brief else "too long")

    assert "agent-2, short: too long" in drawn(decided(stage=Stage(council("DEV"), checks=(Short(),))))


def test_a_check_that_could_not_tell_is_named_with_its_reason() -> None:
    class Unsure:
        name = "unsure"
        hard = True

        def run(self, proposal_text: str, plan_facts: PlanFacts) -> CheckResult:
            raise NotJudged("the dictionary is out")

    result = decided(stage=Stage(council("DEV"), checks=(Unsure(),)))
    assert "agent-2, unsure: not judged: the dictionary is out" in drawn(result)
    assert {row.checks.overall_score for row in result.decisions} == {1.0}


def test_revisions_are_told_apart_from_first_versions() -> None:
    def growing(request: ChatRequest, before: int) -> ChatOutcome | None:
        return None if request.form else answer(request, "A step. " * (8 + 3 * before + (request.seed or 0)))

    result = decided(follow=growing, rounds=1)
    assert label("agent-2@1") == "agent-2 (revision 1)"
    assert drawn(result)
    assert why(result)


def test_only_the_winner_is_printed_whole_unless_all_are_asked_for() -> None:
    result = decided()
    *better, loser = result.decisions
    assert len(loser.proposal.content.strip()) < 160
    assert "(60 more characters)" in beginning("x" * 220)
    long = loser.proposal.model_copy(update={"content": "A step. " * 60})
    rows = (*better, loser.model_copy(update={"proposal": long}))
    result = result.model_copy(update={"decisions": rows})
    assert "more characters)" in drawn(result)
    assert "more characters)" not in drawn(result, full=True)


def test_every_agents_calls_and_tokens_add_up_to_the_total() -> None:
    table = rows(drawn(decided()), "Cost (")
    *agents, total = table
    assert total[0] == "all"
    for column in (1, 2, 4):
        assert sum(int(row[column]) for row in agents) == int(total[column])


def test_a_proposal_in_square_brackets_is_no_markup() -> None:
    def markup(request: ChatRequest, before: int) -> ChatOutcome | None:
        return None if request.form else answer(request, "[bold]step[/bold] [/] " * LENGTHS[request.seed or 1])

    assert "[bold]step[/bold] [/]" in drawn(decided(follow=markup))
