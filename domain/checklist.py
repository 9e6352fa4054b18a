"""The acceptance criteria as a checklist: which are asked about, and what reviewers' answers come to.

It stands beside the ranking and is no part of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from domain.entry import BallotCast

MOST_CRITERIA = 12
"""Of a plan's criteria, those that are asked about: with 33 candidates still a form that engines take."""
LONGEST_CRITERION = 200
"""Characters of a criterion that the checklist repeats; the whole of it stands in the task above."""
DECIMALS = 4
EVEN = 0.5


def asked_about(acceptance_criteria: Sequence[str]) -> tuple[str, ...]:
    """Return the criteria that a checklist holds, in the plan's order, each on one line."""
    return tuple(" ".join(text.split())[:LONGEST_CRITERION] for text in acceptance_criteria[:MOST_CRITERIA])


def checklists_of(ballots: Iterable[BallotCast], voices: Mapping[str, str]) -> dict[str, tuple[float, ...]]:
    """Return proposal id → how far it meets each criterion, 0 to 1, for those that a checklist was answered on.

    The answers of one voice are averaged first, so that copies of a reviewer count once; `voices` by agent id.
    """
    told: dict[str, dict[str, list[Sequence[float]]]] = defaultdict(lambda: defaultdict(list))
    for ballot in ballots:
        voice = voices.get(ballot.agent_id, ballot.agent_id)
        for proposal, row in ballot.checklist.items():
            told[proposal][voice].append(row)
    return {
        proposal: tuple(
            round(value, DECIMALS) for value in _mean_row([_mean_row(rows) for rows in by_voice.values()])
        )
        for proposal, by_voice in told.items()
    }


def share_met(checklist: Sequence[float]) -> float | None:
    """Return the share of criteria that are met rather than not; None for no checklist."""
    return round(fmean(map(is_met, checklist)), DECIMALS) if checklist else None


def is_met(value: float) -> bool:
    """Tell whether a criterion is met rather than not."""
    return value > EVEN


def _mean_row(rows: Sequence[Sequence[float]]) -> list[float]:
    return [fmean(column) for column in zip(*rows, strict=True)]
