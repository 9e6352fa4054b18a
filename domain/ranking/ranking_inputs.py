"""What a ranking is made from besides the ballots."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from domain.ranking.calibration import Calibration
from domain.ranking.reliability import Reliability
from domain.value import OpenValue

VERSION = 2
"""Of the ranking that this program makes; it replays all earlier ones."""


class RankingSettings(OpenValue):
    """The ranking's parameters. Store them beside the ballots: a replay needs both.

    Defaults are what version 1 ranked by, since decisions stored then lack the later parts; `current` turns
    those on. Raises ValueError for a version that this program does not know.
    """

    version: int = Field(default=1, ge=1, le=VERSION)
    """Which ranking made the decision; absent in what version 1 stored."""
    ridge: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Pull of a reviewer's offset towards its own mean, in scores' worth of evidence. Matters with gaps only."""
    spread_shrinkage: float = Field(default=0.5, ge=0, le=1)
    """How far a reviewer's spread moves to the panel's median; half, as few scores measure a spread badly."""
    interval: float = Field(default=0.9, gt=0, lt=1)
    """Probability that a rank interval holds; proposals whose interval reaches rank 1 are tied with the winner."""
    resamples: int = Field(default=256, ge=1, le=100_000)
    """Bootstrap draws where a full enumeration is too long; 256 keep the stability's standard error near 0.03."""
    exact_up_to: int = Field(default=6, ge=0, le=7)
    """Panels of up to this many voices are enumerated (462 resamples for six): no sampling error, no seed."""
    seed: int = Field(default=0, ge=0, lt=2**64)
    """Seed of the bootstrap's generator."""
    robust_from: int = Field(default=5, ge=3)
    """Voices needed before disagreement lowers a weight; fewer can't tell dissent from error: flags only."""
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

    by_voice: bool = False
    """Count voices, not reviewers: one voice weighs as much as another, however many ballots it handed in."""
    skip_flat: bool = False
    """Take a ballot of equal scores out where other reviewers compared all of its proposals."""
    place_ridge: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Estimate the places' effect and take it out; pull of each place towards no effect, in scores' worth."""
    spread_variance: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Variance of reviewers' log spreads, from which each one's shrinkage follows; None: `spread_shrinkage`."""
    severity_prior: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Estimate how far severities differ instead of taking all of it out; degrees of freedom of the prior."""
    bound: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """From `robust_from` voices on: how far above a ballot's middle a score may count, in evenly spread scores."""
    calibration: Calibration | None = None
    """What this installation learned about said probabilities; None: P(winner) is the bootstrap's share itself."""

    @classmethod
    def current(cls, **changes: Any) -> RankingSettings:
        """Return the settings of this version's ranking; docs/ranking.md says how each number was found."""
        parts: dict[str, Any] = {
            "version": VERSION,
            "by_voice": True,
            "skip_flat": True,
            "place_ridge": 0.5,
            "spread_variance": 0.1,
            "severity_prior": 8.0,
            "bound": 1.15,
            "calibration": Calibration(),
        }
        return cls(**{**parts, **changes})

    @model_validator(mode="after")
    def _ordered(self) -> RankingSettings:
        if self.distrusted_agreement >= self.trusted_agreement:
            raise ValueError("distrusted_agreement must be below trusted_agreement")
        if self.lowest >= self.highest:
            raise ValueError("lowest must be below highest")
        return self


DEFAULT_SETTINGS = RankingSettings.current()


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
    voices: dict[str, str] = Field(default_factory=dict)
    """agent id → whose opinion its ballots are; an agent that is absent speaks for itself."""
    reliability: Reliability | None = None
    """The reviewers' records over earlier deliberations, where the rules weigh by them."""
    second_look: tuple[str, ...] = ()
    """Ids of the tied proposals that were compared again, in the order that the ballots gave; the comparisons of
    that round decide among them."""
    settings: RankingSettings
