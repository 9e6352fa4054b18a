"""What a ranking is made from besides the ballots."""

from __future__ import annotations

from pydantic import Field, model_validator

from domain.ranking.reliability import Reliability
from domain.value import OpenValue


class RankingSettings(OpenValue):
    """The ranking's parameters. Store them beside the ballots: a replay needs both."""

    ridge: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Pull of a reviewer's offset towards its own mean, in scores' worth of evidence. Matters with gaps only."""
    spread_shrinkage: float = Field(default=0.5, ge=0, le=1)
    """How far a reviewer's spread moves to the panel's median; half, as few scores measure a spread badly."""
    interval: float = Field(default=0.9, gt=0, lt=1)
    """Probability that a rank interval holds; proposals whose interval reaches rank 1 are tied with the winner."""
    resamples: int = Field(default=256, ge=1, le=100_000)
    """Bootstrap draws where a full enumeration is too long; 256 keep the standard error of P(winner) near 0.03."""
    exact_up_to: int = Field(default=6, ge=0, le=7)
    """Panels of up to this many reviewers are enumerated (462 resamples for six): no sampling error, no seed."""
    seed: int = Field(default=0, ge=0, lt=2**64)
    """Seed of the bootstrap's generator."""
    robust_from: int = Field(default=5, ge=3)
    """Reviewers needed before disagreement lowers a weight; fewer can't tell dissent from error: flags only."""
    weight_floor: float = Field(default=0.1, gt=0, le=1)
    """The least weight of a reviewer: never silenced, since the odd one out may be right."""
    trusted_agreement: float = Field(default=0.0, ge=-1, le=1)
    """Leave-one-out correlation from which a reviewer counts fully."""
    distrusted_agreement: float = Field(default=-0.5, ge=-1, le=1)
    """Leave-one-out correlation at which the weight reaches its floor; linear in between."""
    unstable_below: float = Field(default=0.6, ge=0, le=1)
    """Swap consistency under which a reviewer is flagged unstable; 0.5 is what a coin reaches."""
    lowest: float = Field(default=1.0, allow_inf_nan=False)
    """The least score a ballot can hold; only `decided_early` reads it."""
    highest: float = Field(default=9.0, allow_inf_nan=False)
    """The greatest score a ballot can hold; only `decided_early` reads it."""
    swing: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Greatest change of one score between two passes that `decided_early` reckons with; None: the whole scale."""
    use_reliability: bool = False
    """Weigh reviewers by their earlier record. Off: a record earned on one task says little about another."""

    @model_validator(mode="after")
    def _ordered(self) -> RankingSettings:
        if self.distrusted_agreement >= self.trusted_agreement:
            raise ValueError("distrusted_agreement must be below trusted_agreement")
        if self.lowest >= self.highest:
            raise ValueError("lowest must be below highest")
        return self


DEFAULT_SETTINGS = RankingSettings()


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
