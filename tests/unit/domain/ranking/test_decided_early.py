"""Skipping a second pass: only where no remaining ballot could change the winner, tried against many of them."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.ranking import Ballot, RankingSettings, decided_early, rank
from tests.support.examples import examples
from tests.unit.domain.ranking.panels import authorship, ballot, judged, reviewed

SWING = RankingSettings(swing=1)
CLEAR = reviewed([9, 5, 4, 2], judges=1)
REVIEWERS = sorted({b.reviewer for b in CLEAR})


def test_a_clear_lead_is_safe_if_scores_move_little_between_passes() -> None:
    assert decided_early(CLEAR, waiting=REVIEWERS, settings=SWING) == "p0"


def test_nothing_is_safe_while_every_score_may_still_come() -> None:
    assert decided_early(CLEAR, waiting=REVIEWERS) is None


def test_a_unanimous_lead_is_safe_once_nobody_is_waited_for() -> None:
    assert decided_early(reviewed([6, 5, 4]), waiting=[]) == "p0"


def test_a_reviewer_of_whom_nothing_is_known_keeps_it_open() -> None:
    assert decided_early(CLEAR, waiting=["late judge"], settings=SWING) is None


def test_a_capped_proposal_is_never_safe() -> None:
    assert decided_early(CLEAR, waiting=REVIEWERS, settings=SWING, caps={"p0": 3}) is None


def test_a_removed_proposal_is_out_of_the_race() -> None:
    assert decided_early(CLEAR, waiting=REVIEWERS, settings=SWING, excluded=["p0", "p1"]) == "p2"


@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=4),
    st.integers(0, 2),
    st.integers(0, 2),
    st.data(),
)
@settings(max_examples=examples(100))
def test_no_ballot_still_out_changes_a_winner_called_safe(
    quality: list[int], judges: int, swing: int, data: st.DataObject
) -> None:
    lead = max(quality) + data.draw(st.integers(1, 3))
    first = [_near(b, 1, data) for b in reviewed([*quality, lead], judges)]
    rules = RankingSettings(swing=swing)
    waiting = data.draw(st.lists(st.sampled_from([b.reviewer for b in first]), unique=True))
    safe = decided_early(first, waiting=waiting, settings=rules)
    assume(safe is not None)
    second = [_near(b, swing, data) for b in first if b.reviewer in waiting and data.draw(st.booleans())]
    assert rank([*first, *second], settings=rules).winner == safe


@given(st.lists(st.integers(1, 6), min_size=2, max_size=4), st.integers(0, 2), st.data())
@settings(max_examples=examples(60))
def test_places_voices_and_bounds_change_no_winner_called_safe(
    quality: list[int], judges: int, data: st.DataObject
) -> None:
    """Unanimity is read off the scores as given, whatever the model takes out of them."""
    lead = max(quality) + data.draw(st.integers(2, 3))
    first = [_shown(_near(b, 1, data), data) for b in reviewed([*quality, lead], judges)]
    safe = decided_early(first, waiting=[b.reviewer for b in first], settings=SWING)
    assume(safe is not None)
    second = [_shown(_near(b, 1, data), data, voice=b.voice) for b in first]
    assert rank([*first, *second]).winner == safe


def _shown(given_: Ballot, data: st.DataObject, voice: str | None = None) -> Ballot:
    """The same ballot with an order and a voice."""
    order = tuple(data.draw(st.permutations(sorted(given_.author_of))))
    spoken = data.draw(st.sampled_from(["", "x", "y"])) if voice is None else voice
    return given_.model_copy(update={"presentation": order, "voice": spoken})


def _near(given_: Ballot, swing: int, data: st.DataObject) -> Ballot:
    """Another ballot of the same reviewer, every score moved by at most the swing; some scores missing."""
    moved = {
        p: min(9, max(1, parts["fit"] + data.draw(st.integers(-swing, swing))))
        for p, parts in given_.scores.items()
    }
    return ballot(given_.reviewer, given_.author_of, moved)


def test_safe_winners_are_found_often_enough_to_be_worth_asking() -> None:
    lead = [judged(*[[9, 5, 3]] * n) for n in range(1, 6)]
    assert all(
        decided_early(ballots, waiting=[b.reviewer for b in ballots], settings=SWING) == "p0" for ballots in lead
    )


def test_authors_without_ballots_do_not_make_their_proposals_safe() -> None:
    author_of = authorship(3)
    ballots = [ballot("judge", author_of, {"p0": 9, "p1": 1})]
    assert decided_early(ballots, waiting=[]) is None
