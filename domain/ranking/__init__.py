"""Peer review's ranking: ballots in, a verdict with its doubts out. Pure; no model, store or clock."""

from domain.ranking.agreement import kendall_w, krippendorff_alpha
from domain.ranking.ballot import Ballot
from domain.ranking.calibration import Calibration, calibrate
from domain.ranking.comparisons import MOST_COMPARED, Comparison
from domain.ranking.early import decided_early
from domain.ranking.ranking import rank
from domain.ranking.ranking_inputs import RankingInputs, RankingSettings
from domain.ranking.reliability import Reliability
from domain.ranking.result import Agreement, RankedProposal, Ranking, ReviewerReport

__all__ = [
    "MOST_COMPARED",
    "Agreement",
    "Ballot",
    "Calibration",
    "Comparison",
    "RankedProposal",
    "Ranking",
    "RankingInputs",
    "RankingSettings",
    "Reliability",
    "ReviewerReport",
    "calibrate",
    "decided_early",
    "kendall_w",
    "krippendorff_alpha",
    "rank",
]
