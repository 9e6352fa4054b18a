"""What a ranking is made from besides the ballots."""

from __future__ import annotations

from domain.ranking.ranking_settings import RankingSettings
from domain.ranking.reliability import Reliability
from domain.value import OpenValue


class RankingInputs(OpenValue):
    """Everything the ranking was made from besides the ballots; stored with the decision, for the replay."""

    round: int
    """The round whose ballots decide."""
    authors: dict[str, str]
    """proposal id → agent id."""
    reviewers: tuple[str, ...]
    """Agent ids of the neutral judges."""
    checks: dict[str, float]
    """proposal id → overall score of its checks."""
    hashes: dict[str, str]
    """proposal id → SHA-256 of its text, in hexadecimal."""
    caps: dict[str, float]
    """proposal id → the highest score that its checks allow; proposals without a cap are absent."""
    excluded: tuple[str, ...] = ()
    reliability: Reliability | None = None
    """The reviewers' records over earlier deliberations, where the rules weigh by them."""
    settings: RankingSettings
