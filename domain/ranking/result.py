"""What a ranking says: the order, how sure it is, and everything needed to explain it. Values only."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from domain.ranking.order import DecidedBy
from domain.ranking.ranking_inputs import RankingSettings
from domain.value import OpenValue


class RankedProposal(OpenValue):
    """One proposal's place. Scores and effects are in score points, rounded to ten decimals."""

    proposal: str
    author: str
    rank: int = Field(ge=1)
    """1 is best; equal ranks are shared (1, 1, 3)."""
    score: float | None
    """What an average reviewer would give it, capped where a check said so; None if no reviewer compared it."""
    effect: float | None
    """How far it lies above the average proposal, before any cap; the ranking rests on it."""
    interval: tuple[int, int]
    """Ranks it takes over the bootstrap, best and worst, at the probability set. By one voice it says only how far
    that voice's own ballots waver."""
    p_best: float | None
    """Share of resamples in which it is best; None where fewer than two voices compared anything."""
    borda: float | None
    """Share of the others on a ballot that it beats, averaged over ballots: 1 is first everywhere."""
    copeland: int
    """Contests won less contests lost against the other proposals."""
    criteria: Mapping[str, float]
    """Mean score per criterion as given, in declared order."""
    criterion_effects: Mapping[str, float]
    """Effect per criterion, severity and spread taken out; weighted, they add up to `effect`."""
    reviewers: int
    """Reviewers that scored it."""
    tied: bool
    """Not to be told apart from the winner by these ballots, nor by a second look (for the winner: it is not
    alone)."""
    shared: bool
    """Nothing separates it from another proposal of the same rank; only the hash put one first."""
    capped_at: float | None
    """The greatest score that its checks allow, where one was set."""
    second_look: float | None = None
    """How far reviewers found it better than each tied one that it was compared with again, 0 to 1, summed up."""


class ReviewerReport(OpenValue):
    """What a reviewer's ballots were like."""

    reviewer: str
    neutral: bool
    """Wrote none of the proposals."""
    ballots: int
    scored: int
    offset: float | None
    """Severity: points it gives above (lenient) or below (severe) the panel for the same proposal."""
    spread: float | None
    """Standard deviation of its scores."""
    swap_difference: float | None
    """Mean change of a score between presentation passes, in points."""
    swap_consistency: float | None
    """Share of proposal pairs that its passes order alike; 1 is perfect, 0.5 chance."""
    agreement: float | None
    """Correlation with what the other reviewers find without it, -1 to 1."""
    weight: float
    """What its ballots counted, an equal part of its voice at most; 0 if it compared nothing."""
    winner_without: str | None
    """Who would be first by effect had its voice not voted; None where its ballots were not compared."""
    missing: tuple[str, ...]
    """Proposals that it was to score and did not."""
    flags: tuple[str, ...]
    """Any of: silent, gaps, flat, unstable, dissenting."""
    voice: str = ""
    """Whose opinion its ballots are; empty in version 1, which counted every reviewer."""


class Agreement(OpenValue):
    """How far the reviewers agree; None where too little was scored to say."""

    kendall_w: float | None
    krippendorff_alpha: float | None
    mean_correlation: float | None = None
    """Mean over voices of their reviewers' agreement with what the other voices find, -1 to 1."""


class Ranking(OpenValue):
    """The panel's verdict. Equal ballots and settings give an equal ranking, to the byte of its JSON."""

    entries: tuple[RankedProposal, ...]
    """Best first. Proposals that no reviewer compared come last."""
    winner: str | None
    """None only when no proposal was left to rank."""
    p_winner: float | None
    """Calibrated probability that people would call the winner best; None with fewer than two voices. In version 1
    the same as `stability`."""
    agreement: Agreement
    contested: bool
    """A proposal beats every other one head to head, yet another has the highest effect."""
    condorcet: str | None
    """The proposal that beats every other one head to head."""
    tied: bool
    """At least one other proposal can't be told apart from the winner."""
    decided_by: DecidedBy
    """What separated the winner from the runner-up."""
    level: float | None
    """What an average reviewer gives an average proposal; score = level + effect."""
    matrix: Mapping[str, Mapping[str, float]]
    """Weighted score per reviewer and proposal, passes averaged."""
    reviewers: tuple[ReviewerReport, ...]
    excluded: tuple[str, ...]
    """Proposals removed before ranking."""
    settings: RankingSettings
    stability: float | None = None
    """Share of resampled panels in which the winner stays first; says nothing of what all voices get wrong."""
    independent_voices: int | None = None
    """Voices whose ballots compared proposals; below two no confidence is claimed. None in version 1."""
    place_effect: Mapping[str, tuple[float, ...]] = Field(default_factory=dict)
    """Number of proposals shown → points that each place added, first to last; taken out of the scores."""

    @property
    def tied_with_winner(self) -> tuple[str, ...]:
        """The winner and all that can't be told apart from it, best first; empty if it stands alone."""
        return tuple(entry.proposal for entry in self.entries if entry.tied)
