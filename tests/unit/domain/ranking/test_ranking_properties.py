"""What must hold for every panel: the properties that make a ranking worth trusting."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.ranking import Ballot, Ranking, RankingSettings, rank
from tests.support.examples import examples
from tests.unit.domain.ranking.panels import (
    CRITERIA,
    Drawn,
    authorship,
    ballot,
    entry_of,
    judged,
    panels,
    reviewed,
)

NEAR = 1e-7
"""A thousand added to scores of a few points costs three of sixteen digits; eight decimals remain with room."""


def order(ranking: Ranking) -> list[tuple[str, int]]:
    return [(entry.proposal, entry.rank) for entry in ranking.entries]


def scores_of(ballot: Ballot) -> dict[str, dict[str, float]]:
    return {p: dict(row) for p, row in ballot.scores.items()}


@given(panels(), st.data())
def test_what_an_agent_says_of_its_own_proposal_changes_nothing(drawn: Drawn, data: st.DataObject) -> None:
    poison: st.SearchStrategy[Any] = st.one_of(
        st.floats(), st.just("9"), st.dictionaries(st.sampled_from(CRITERIA), st.floats()), st.none()
    )
    poisoned = [
        Ballot(
            b.reviewer,
            author_of=b.author_of,
            scores={**b.scores, **{p: data.draw(poison) for p in b.author_of if b.author_of[p] == b.reviewer}},
        )
        for b in drawn.ballots
    ]
    honest = rank(drawn.ballots, authors=drawn.author_of)
    assert rank(poisoned, authors=drawn.author_of).model_dump_json() == honest.model_dump_json()


@given(panels(), st.permutations(range(7)))
def test_renaming_agents_and_proposals_renames_the_result_and_nothing_else(drawn: Drawn, to: list[int]) -> None:
    names = {f"a{i}": f"a{to[i]}" for i in range(len(drawn.author_of))}
    titles = {f"p{i}": f"p{to[i]}" for i in range(len(drawn.author_of))}
    renamed = [
        Ballot(
            names.get(b.reviewer, b.reviewer),
            author_of={titles[p]: names[a] for p, a in b.author_of.items()},
            scores={titles[p]: row for p, row in b.scores.items()},
        )
        for b in drawn.ballots
    ]
    authors = {titles[p]: names[a] for p, a in drawn.author_of.items()}
    before = rank(drawn.ballots, hashes=drawn.hashes, authors=drawn.author_of)
    after = rank(renamed, hashes={titles[p]: h for p, h in drawn.hashes.items()}, authors=authors)
    assert order(after) == [(titles[p], place) for p, place in order(before)]
    assert [e.tied for e in after.entries] == [e.tied for e in before.entries]
    assert (after.contested, after.decided_by) == (before.contested, before.decided_by)
    assert after.agreement.kendall_w == pytest.approx(before.agreement.kendall_w)
    for moved, plain in zip(after.entries, before.entries, strict=True):
        assert moved.effect == pytest.approx(plain.effect, abs=1e-9)
        assert moved.copeland == plain.copeland


@given(panels(least=2, most=4), st.permutations(range(4)))
def test_renaming_moves_no_probability_where_all_resamples_are_counted(drawn: Drawn, to: list[int]) -> None:
    titles = {f"p{i}": f"p{to[i]}" for i in range(len(drawn.author_of))}
    names = {f"a{i}": f"a{to[i]}" for i in range(len(drawn.author_of))}
    renamed = [
        Ballot(
            names.get(b.reviewer, b.reviewer),
            author_of={titles[p]: names[a] for p, a in b.author_of.items()},
            scores={titles[p]: row for p, row in b.scores.items()},
        )
        for b in drawn.ballots
    ]
    assume(len({b.reviewer for b in drawn.ballots}) <= 6)
    before = rank(drawn.ballots, hashes=drawn.hashes)
    after = rank(renamed, hashes={titles[p]: h for p, h in drawn.hashes.items()})
    assert after.p_winner == pytest.approx(before.p_winner)
    assert [e.interval for e in after.entries] == [e.interval for e in before.entries]


def shifted(ballots: list[Ballot], chosen: str, constant: float) -> list[Ballot]:
    """The same ballots with a constant added to all scores of one reviewer."""
    return [
        b
        if b.reviewer != chosen
        else Ballot(
            b.reviewer,
            author_of=b.author_of,
            scores={p: {c: s + constant for c, s in row.items()} for p, row in b.scores.items()},
        )
        for b in ballots
    ]


CONSTANTS = st.sampled_from([-1000.0, -3.5, 0.1, 2.0, 1000.0])


@given(panels(), CONSTANTS, st.integers(0, 9))
def test_in_version_1_a_constant_added_to_one_reviewers_scores_changes_nothing(
    drawn: Drawn, constant: float, number: int
) -> None:
    reviewers = sorted({b.reviewer for b in drawn.ballots})
    assume(reviewers)
    moved = shifted(drawn.ballots, reviewers[number % len(reviewers)], constant)
    _assert_unmoved(drawn, moved, RankingSettings())


@given(panels(), CONSTANTS, st.integers(0, 9))
def test_where_every_reviewer_scores_all_it_changes_nothing_today(
    drawn: Drawn, constant: float, number: int
) -> None:
    """Without gaps severity cancels. With gaps part of it is taken for quality, see test_severity."""
    whole = [b for b in drawn.ballots if set(b.scores) == set(drawn.author_of)]
    assume(whole)
    reviewers = sorted({b.reviewer for b in whole})
    chosen = reviewers[number % len(reviewers)]
    judged_only = Drawn(drawn.author_of, whole, drawn.hashes)
    _assert_unmoved(judged_only, shifted(whole, chosen, constant), RankingSettings.current())


def _assert_unmoved(drawn: Drawn, ballots: list[Ballot], rules: RankingSettings) -> None:
    before, after = (
        rank(given_, hashes=drawn.hashes, authors=drawn.author_of, settings=rules)
        for given_ in (drawn.ballots, ballots)
    )
    assert order(after) == order(before)
    assert (after.winner, after.tied, after.contested) == (before.winner, before.tied, before.contested)
    assert after.decided_by == before.decided_by
    assert after.agreement.kendall_w == before.agreement.kendall_w
    assert after.p_winner == pytest.approx(before.p_winner)
    for moved, plain in zip(after.entries, before.entries, strict=True):
        assert moved.effect == pytest.approx(plain.effect, abs=NEAR)
        assert (moved.interval, moved.borda, moved.copeland) == (plain.interval, plain.borda, plain.copeland)
        if moved.score is not None and plain.score is not None:
            assert moved.score - (after.level or 0) == pytest.approx(plain.score - (before.level or 0), abs=NEAR)


@given(panels(least=3, gaps=False), st.data())
def test_a_proposal_better_on_every_ballot_ranks_above(drawn: Drawn, data: st.DataObject) -> None:
    lifted = []
    for b in drawn.ballots:
        scores = scores_of(b)
        if "p0" in scores and "p1" in scores:
            worse = data.draw(st.integers(1, 8))
            better = data.draw(st.integers(worse + 1, 9))
            scores |= {"p0": dict.fromkeys(CRITERIA, better), "p1": dict.fromkeys(CRITERIA, worse)}
        lifted.append(Ballot(b.reviewer, author_of=b.author_of, scores=scores))
    assume(not _goes_in_circles(lifted))
    ranking = rank(lifted)
    assert entry_of(ranking, "p0").rank < entry_of(ranking, "p1").rank


def _goes_in_circles(ballots: list[Ballot]) -> bool:
    """Unanimity in a circle can't be kept: p0 over p1, p1 over p2, p2 over p0, each by all who saw both."""
    proposals = sorted(ballots[0].author_of)
    totals: dict[str, dict[str, list[float]]] = {}
    for b in ballots:
        for p, parts in b.scores.items():
            totals.setdefault(b.reviewer, {}).setdefault(p, []).append(sum(parts.values()))
    means = [{p: sum(all_) / len(all_) for p, all_ in row.items()} for row in totals.values()]

    def above(a: str, b: str) -> bool:
        both = [row[a] > row[b] for row in means if a in row and b in row]
        return bool(both) and all(both)

    beaten = {p: {q for q in proposals if above(p, q)} for p in proposals}
    reach = {"p1"}
    while more := {q for p in reach for q in beaten[p]} - reach:
        reach |= more
    return "p0" in reach


@given(st.integers(2, 8), st.integers(1, 4), st.permutations(range(8)))
def test_identical_ballots_of_opposite_order_are_a_tie_without_agreement(
    proposals: int, pairs: int, shuffled: list[int]
) -> None:
    up = [float(score) for score in shuffled[:proposals]]
    down = [8 - score for score in up]
    ranking = rank(judged(*[up, down] * pairs))
    assert ranking.agreement.kendall_w == pytest.approx(0, abs=1e-12)
    assert ranking.tied
    assert all(entry.tied and entry.effect == pytest.approx(0, abs=1e-9) for entry in ranking.entries)


@given(st.lists(st.integers(1, 9), min_size=3, max_size=8), st.integers(0, 3))
def test_unanimity_reports_full_agreement(quality: list[int], judges: int) -> None:
    assume(len(set(quality)) > 1)
    ranking = rank(reviewed(quality, judges))
    w = ranking.agreement.kendall_w
    assert w is None or w == pytest.approx(1)
    if len(set(quality)) == len(quality):
        assert w == pytest.approx(1)
        assert [e.proposal for e in ranking.entries] == [
            f"p{i}" for i in sorted(range(len(quality)), key=lambda i: -quality[i])
        ]


@given(panels(), st.data())
def test_missing_ballots_never_crash_and_are_named(drawn: Drawn, data: st.DataObject) -> None:
    ballots = data.draw(st.lists(st.sampled_from(drawn.ballots), unique_by=id)) if drawn.ballots else []
    ranking = rank(ballots, authors=drawn.author_of, reviewers=["judge0"])
    assert {entry.proposal for entry in ranking.entries} == set(drawn.author_of)
    missing = {report.reviewer: report.missing for report in ranking.reviewers}
    for reviewer in [*drawn.author_of.values(), "judge0"]:
        scored = {p for b in ballots if b.reviewer == reviewer for p in b.scores}
        unscored = {p for p, author in drawn.author_of.items() if author != reviewer} - scored
        assert set(missing[reviewer]) == unscored


@given(panels(), st.randoms(use_true_random=False))
def test_the_order_of_ballots_and_keys_never_shows(drawn: Drawn, shuffle: Any) -> None:
    def turned(mapping: Any) -> dict[Any, Any]:
        return dict(reversed(list(mapping.items())))

    reordered = [
        Ballot(
            b.reviewer, author_of=turned(b.author_of), scores={p: turned(s) for p, s in turned(b.scores).items()}
        )
        for b in drawn.ballots
    ]
    shuffle.shuffle(reordered)
    first = rank(drawn.ballots, hashes=drawn.hashes, authors=drawn.author_of)
    second = rank(reordered, hashes=turned(drawn.hashes), authors=turned(drawn.author_of))
    assert first.model_dump_json() == second.model_dump_json()


@given(panels())
@settings(max_examples=examples(50))
def test_a_ranking_and_its_ballots_survive_storage_exactly(drawn: Drawn) -> None:
    stored = [b.model_dump_json() for b in drawn.ballots]
    replayed = rank([Ballot.model_validate_json(text) for text in stored])
    ranking = rank(drawn.ballots)
    assert replayed.model_dump_json() == ranking.model_dump_json()
    assert Ranking.model_validate_json(ranking.model_dump_json()) == ranking


def test_severity_does_not_decide_when_a_harsh_reviewer_saw_only_some() -> None:
    author_of = authorship(4)
    ballots = [
        ballot("a0", author_of, {"p1": 8, "p2": 7, "p3": 6}),
        ballot("a1", author_of, {"p0": 9, "p2": 7, "p3": 6}),
        ballot("harsh", author_of, {"p0": 3, "p1": 2}),
    ]
    assert [e.proposal for e in rank(ballots).entries] == ["p0", "p1", "p2", "p3"]
