"""Agreement with people, counted one verdict at a time, against a count over all verdicts that stand."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.chat import Usage
from domain.contract import CompletedBody
from domain.contract_rows import BallotRow
from domain.people import BUCKETS, calibration, counts_of, people_figures
from domain.ranking import Calibration, rank
from domain.ranking.ballot import Ballot
from domain.verdict import CHECK, TIMEOUT, Verdict, standing
from tests.support.examples import examples
from tests.support.factories import completed_body, deliberation, verdict

AUTHORS = {"a@0": "agent-1", "b@0": "agent-2", "c@0": "agent-3"}
DELIBERATION = deliberation(deliberation_id="d-1")
MODELS = {"agent-1": "small", "agent-2": "large", "agent-3": "large"}


def decided(scores: dict[str, dict[str, float]], p_winner: float | None = 0.8) -> CompletedBody:
    """Return the decision of reviewers who gave each proposal one score."""
    ballots = [
        Ballot(
            reviewer=reviewer,
            author_of=AUTHORS,
            scores={proposal: {"fit": score} for proposal, score in given.items()},
        )
        for reviewer, given in scores.items()
    ]
    ranking = rank(ballots, authors=AUTHORS).model_copy(update={"p_winner": p_winner})
    rows = tuple(
        BallotRow(
            reviewer=reviewer,
            round=0,
            pass_=0,
            order=(),
            scores={},
            missing=None,
            detail="",
            model=MODELS[reviewer],
            usage=Usage(),
            duration_ms=0.0,
        )
        for reviewer in scores
    )
    winner = {"proposal_id": ranking.winner, "agent_id": AUTHORS[ranking.winner or ""]}
    return completed_body(ranking=ranking, winner=winner, ballots=rows)


DECISION = decided(
    {
        "agent-1": {"b@0": 9, "c@0": 3},
        "agent-2": {"a@0": 5, "c@0": 5},
        "agent-3": {"a@0": 2, "b@0": 8},
    }
)
"""b@0 wins; agent-2, its author, gives the others the same."""


def counted(*said: Verdict, decision: CompletedBody = DECISION) -> dict[str, int]:
    """Count verdicts one after the other."""
    total: Counter[str] = Counter()
    for number, one in enumerate(said):
        for name, count in counts_of(DELIBERATION, decision, said[:number], one).items():
            total[name] += count
    return {name: count for name, count in total.items() if count}


def test_the_fixture_is_what_it_says() -> None:
    assert DECISION.ranking.winner == "b@0"


def test_an_acceptance_agrees_with_the_council_and_with_those_who_put_the_winner_first() -> None:
    figures = people_figures(counted(verdict(proposal_id="b@0")))
    assert (figures.accepted, figures.rejected, figures.preferred) == (1, 0, 0)
    assert figures.councils["DEV"].share == 1
    assert {name: row.agreed for name, row in figures.reviewers.items()} == {"DEV/agent-1": 1, "DEV/agent-3": 1}
    assert {name: (row.verdicts, row.agreed) for name, row in figures.models.items()} == {
        "small": (1, 1),
        "large": (1, 1),
    }


def test_a_preference_agrees_by_its_share_with_who_put_it_first_beside_others() -> None:
    figures = people_figures(counted(verdict(verdict="prefer", proposal_id="c@0")))
    assert figures.councils["DEV"].share == 0
    assert {name: row.agreed for name, row in figures.reviewers.items()} == {"DEV/agent-1": 0, "DEV/agent-2": 0.5}
    assert figures.models["large"].share == 0.5


def test_a_rejection_is_against_the_council_and_says_nothing_of_reviewers() -> None:
    figures = people_figures(counted(verdict(verdict="reject", proposal_id=None)))
    assert (figures.rejected, figures.councils["DEV"].verdicts, figures.councils["DEV"].agreed) == (1, 1, 0)
    assert figures.reviewers == figures.models == {}


def test_the_clock_is_no_person() -> None:
    figures = people_figures(counted(verdict(by=TIMEOUT, proposal_id="b@0")))
    assert figures.overdue == 1
    assert (figures.accepted, figures.councils) == (0, {})
    assert calibration(counted(verdict(by=TIMEOUT, proposal_id="b@0"))).verdicts == 0


def test_nothing_is_said_where_nothing_was_claimed() -> None:
    silent = decided({"agent-1": {"b@0": 9, "c@0": 3}}, p_winner=None)
    assert calibration(counted(verdict(proposal_id="b@0"), decision=silent)).verdicts == 0


def test_a_rejection_of_the_architects_choice_says_nothing_of_the_rankings_winner() -> None:
    chosen = DECISION.model_copy(
        update={"winner": DECISION.winner.model_copy(update={"proposal_id": "c@0"}) if DECISION.winner else None}
    )
    rejected = verdict(verdict="reject", proposal_id=None)
    assert calibration(counted(rejected, decision=chosen)).verdicts == 0
    assert calibration(counted(rejected)).verdicts == 1
    assert calibration(counted(verdict(proposal_id="c@0"), decision=chosen)).verdicts == 1


@pytest.mark.parametrize(("verdict_", "better"), [("accept", True), ("reject", False)])
def test_calibration_follows_what_people_say(verdict_: str, better: bool) -> None:
    best = "b@0" if verdict_ == "accept" else None
    said = [verdict(by=f"p-{n}", verdict=verdict_, proposal_id=best) for n in range(200)]
    learned = calibration(counted(*said))
    assert learned.verdicts == 200
    assert (learned.apply(0.8) > 0.8) is better
    assert abs(learned.apply(0.8) - (1.0 if better else 0.0)) < 0.2


def test_a_check_teaches_what_a_said_probability_is_worth_and_is_nobodys_opinion() -> None:
    found = counted(verdict(by=CHECK, proposal_id="b@0"), verdict(by="ada", verdict="reject", proposal_id=None))
    figures = people_figures(found)
    assert (figures.accepted, figures.rejected, figures.councils["DEV"].verdicts) == (0, 1, 1)
    assert figures.reviewers == figures.models == {}
    assert [(row.low, row.verdicts, row.right) for row in figures.said] == [(0.8, 2, 1)]
    assert calibration(found).verdicts == 2


def test_nobody_said_anything_changes_nothing() -> None:
    assert calibration({}).apply(0.37) == 0.37


def test_it_is_learned_from_what_was_said_before_an_earlier_correction() -> None:
    earlier = Calibration(intercept=-1.0, slope=0.5, verdicts=99)
    said = 0.83
    corrected = decided({"agent-1": {"b@0": 9, "c@0": 3}}, p_winner=earlier.apply(said))
    settings_ = corrected.ranking.settings.model_copy(update={"calibration": earlier})
    ranking = corrected.ranking.model_copy(update={"settings": settings_})
    counts = counted(verdict(proposal_id="b@0"), decision=corrected.model_copy(update={"ranking": ranking}))
    assert counts[f'["said","{int(said * BUCKETS)}","right"]'] == 1


def test_a_share_of_version_1_is_no_said_probability() -> None:
    settings_ = DECISION.ranking.settings.model_copy(update={"calibration": None})
    of_0_1 = DECISION.model_copy(update={"ranking": DECISION.ranking.model_copy(update={"settings": settings_})})
    assert calibration(counted(verdict(proposal_id="b@0"), decision=of_0_1)).verdicts == 0


def test_a_million_verdicts_are_learned_from_in_a_moment() -> None:
    counts = {f'["said","{bucket}","right"]': 50_000 for bucket in range(BUCKETS)}
    learned = calibration(counts | {f'["said","{bucket}","wrong"]': 50_000 for bucket in range(BUCKETS)})
    assert learned.verdicts == 2_000_000
    assert learned.apply(0.9) < 0.7


VERDICTS = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bob", "eve", TIMEOUT]),
        st.sampled_from([("accept", "b@0"), ("reject", None), ("prefer", "a@0"), ("prefer", "c@0")]),
        st.integers(0, 3),
    ),
    max_size=12,
)


@given(said=VERDICTS)
@settings(max_examples=examples(150))
def test_counted_one_by_one_it_is_what_stands_in_the_end(
    said: list[tuple[str, tuple[str, str | None], int]],
) -> None:
    verdicts = [
        verdict(verdict_id=f"v-{number}", by=by, verdict=kind, proposal_id=best, said_at=float(at))
        for number, (by, (kind, best), at) in enumerate(said)
    ]
    figures = people_figures(counted(*verdicts))
    stand = standing(verdicts).values()
    kinds = Counter(one.verdict for one in stand)
    assert (figures.accepted, figures.rejected, figures.preferred) == (
        kinds["accept"],
        kinds["reject"],
        kinds["prefer"],
    )
    scores = {"agent-1": {"b@0": 9, "c@0": 3}, "agent-2": {"a@0": 5, "c@0": 5}, "agent-3": {"a@0": 2, "b@0": 8}}
    for reviewer, given_ in scores.items():
        tops = [proposal for proposal, score in given_.items() if score == max(given_.values())]
        compared = [one.proposal_id for one in stand if one.proposal_id in given_]
        agreed = sum((Fraction(best in tops, len(tops)) for best in compared), Fraction(0))
        row = figures.reviewers.get(f"DEV/{reviewer}")
        assert (row.verdicts if row else 0) == len(compared)
        assert (row.agreed if row else 0) == pytest.approx(float(agreed))
    assert calibration(counted(*verdicts)).verdicts == len(stand)
