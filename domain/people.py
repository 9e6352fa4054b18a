"""How far councils, reviewers and models agree with people, and how often a said probability was right.

The latter by people and by checks of `conclave prove`; a check's finding is no person's opinion, and counts there
alone.

Counted like all statistics: integers, raised in the same step as the verdict that they are about. A verdict that
replaces its author's earlier one takes back what that had counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domain.contract import CompletedBody
from domain.counter_names import Scope, counter_name, scope_and_key
from domain.deliberation import Deliberation
from domain.ranking import Calibration, calibrate
from domain.statistics import MICRO
from domain.value import Value
from domain.verdict import CHECK, Verdict, standing

BUCKETS = 20
"""Of said probabilities: five points each."""
MOST_PAIRS = 2000
"""Verdicts that a calibration is learned from; more are scaled down, which changes nothing that can be seen."""


class WithPeople(Value):
    """How far somebody agrees with people."""

    verdicts: int
    """People's verdicts that it can be compared with."""
    agreed: float
    """Of them, those that it agrees with; a reviewer with a shared top proposal agrees with its share."""

    @property
    def share(self) -> float:
        """The part of the verdicts that it agrees with, 0 to 1."""
        return self.agreed / self.verdicts if self.verdicts else 0.0


class SaidFigures(Value):
    """Decisions that said about the same probability before any correction, as far as they were judged."""

    low: float
    """The lower bound; the upper one is five points above."""
    verdicts: int
    right: int


class PeopleFigures(Value):
    """People's standing verdicts, and who agrees with them."""

    accepted: int = 0
    rejected: int = 0
    preferred: int = 0
    """Verdicts that name a proposal."""
    overdue: int = 0
    """Decisions that nobody judged in time."""
    councils: dict[str, WithPeople] = {}
    """Role → how often its decision was what a person wanted."""
    reviewers: dict[str, WithPeople] = {}
    """`ROLE/agent`, a reviewer in its own council → how often its best was a person's."""
    models: dict[str, WithPeople] = {}
    """Model → the same over all reviewers that ran on it."""
    said: tuple[SaidFigures, ...] = ()
    """What P(winner) was worth, lowest first; by people's verdicts and by checks."""


def counts_of(
    deliberation: Deliberation, decision: CompletedBody, before: Iterable[Verdict], verdict: Verdict
) -> dict[str, int]:
    """Return what a verdict adds to every counter; `before` are those recorded before it."""
    if not verdict.by_person:
        return {counter_name(("verdicts", deliberation.role), "overdue"): 1}
    known = tuple(before)
    earlier, now = standing(known).get(verdict.by), standing((*known, verdict))[verdict.by]
    if now != verdict:
        return {}
    added = _counts(deliberation, decision, verdict)
    taken_back = _counts(deliberation, decision, earlier) if earlier else {}
    sums = {name: added.get(name, 0) - taken_back.get(name, 0) for name in added | taken_back}
    return {name: count for name, count in sums.items() if count}


def _counts(deliberation: Deliberation, decision: CompletedBody, verdict: Verdict) -> dict[str, int]:
    scopes = {} if verdict.by == CHECK else _opinion(deliberation, decision, verdict)
    said = _said(decision, verdict)
    if said is not None:
        scopes["said", str(_bucket(said[0]))] = {"right" if said[1] else "wrong": 1}
    return {
        counter_name(scope, key): count for scope, keys in scopes.items() for key, count in keys.items() if count
    }


def _opinion(deliberation: Deliberation, decision: CompletedBody, verdict: Verdict) -> dict[Scope, dict[str, int]]:
    winner = decision.winner.proposal_id if decision.winner else None
    agreed = verdict.proposal_id is not None and verdict.proposal_id == winner
    scopes: dict[Scope, dict[str, int]] = {
        ("verdicts", deliberation.role): {verdict.verdict: 1, "agreed": int(agreed)}
    }
    if verdict.proposal_id is not None:
        for scope, agreement in _reviewers(deliberation, decision, verdict.proposal_id):
            counted = scopes.setdefault(scope, {"verdicts": 0, "agreed": 0})
            counted["verdicts"] += 1
            counted["agreed"] += agreement
    return scopes


def _reviewers(deliberation: Deliberation, decision: CompletedBody, best: str) -> Iterable[tuple[Scope, int]]:
    """Yield every reviewer that judged a person's best and others, with its agreement in millionths.

    It agrees where it gave that proposal its highest score, and by 1/k where k proposals share it. Counted under
    its own council, and under the model that its ballots name.
    """
    models = {ballot.reviewer: ballot.model for ballot in decision.ballots if ballot.model}
    for reviewer, scores in decision.ranking.matrix.items():
        if best not in scores or len(scores) < 2:
            continue
        top = max(scores.values())
        shared = [proposal for proposal, score in scores.items() if score == top]
        agreement = MICRO // len(shared) if best in shared else 0
        yield ("people and reviewer", *deliberation.home_of(reviewer)), agreement
        if reviewer in models:
            yield ("people and model", models[reviewer]), agreement


def _said(decision: CompletedBody, verdict: Verdict) -> tuple[float, bool] | None:
    """Return the probability that the ranking gave its winner before calibration, and whether the verdict bears it
    out.

    None where nothing was said, where the bootstrap's share stood for it (version 1 of the ranking), or where a
    rejection is of the architect's choice and not of the ranking's winner.
    """
    ranking, earlier = decision.ranking, decision.ranking.settings.calibration
    if ranking.p_winner is None or ranking.winner is None or earlier is None:
        return None
    said = earlier.undo(ranking.p_winner)
    if verdict.proposal_id is not None:
        return said, verdict.proposal_id == ranking.winner
    rejected = decision.winner.proposal_id if decision.winner else None
    return (said, False) if rejected == ranking.winner else None


def _bucket(said: float) -> int:
    return min(BUCKETS - 1, max(0, int(said * BUCKETS)))


def calibration(counts: Mapping[str, int]) -> Calibration:
    """Learn from the counters what a said probability is worth here; a bucket's verdicts stand at its middle."""
    right, wrong = _outcomes(counts)
    total = sum(right) + sum(wrong)
    scale = min(1.0, MOST_PAIRS / total) if total else 1.0
    pairs = [
        ((bucket + 0.5) / BUCKETS, outcome)
        for outcome, tallies in ((True, right), (False, wrong))
        for bucket, count in enumerate(tallies)
        for _ in range(round(count * scale))
    ]
    return calibrate(pairs).model_copy(update={"verdicts": total})


def _outcomes(counts: Mapping[str, int]) -> tuple[list[int], list[int]]:
    """Return how often each bucket of said probabilities was right and wrong."""
    right, wrong = [0] * BUCKETS, [0] * BUCKETS
    for scope, key, count in _scopes(counts):
        if scope[0] == "said" and len(scope) == 2 and scope[1].isdecimal() and int(scope[1]) < BUCKETS:
            (right if key == "right" else wrong)[int(scope[1])] += max(0, count)
    return right, wrong


def people_figures(counts: Mapping[str, int]) -> PeopleFigures:
    """Read the counters."""
    by_scope: dict[Scope, dict[str, int]] = {}
    for scope, key, count in _scopes(counts):
        by_scope.setdefault(scope, {})[key] = count
    roles = {scope[1]: keys for scope, keys in by_scope.items() if scope[0] == "verdicts"}
    said = {
        role: sum(keys.get(name, 0) for name in ("accept", "reject", "prefer")) for role, keys in roles.items()
    }
    return PeopleFigures(
        accepted=sum(keys.get("accept", 0) for keys in roles.values()),
        rejected=sum(keys.get("reject", 0) for keys in roles.values()),
        preferred=sum(keys.get("prefer", 0) for keys in roles.values()),
        overdue=sum(keys.get("overdue", 0) for keys in roles.values()),
        councils={
            role: WithPeople(verdicts=said[role], agreed=roles[role].get("agreed", 0))
            for role in sorted(roles)
            if said[role]
        },
        reviewers=_agreements(by_scope, "people and reviewer"),
        models=_agreements(by_scope, "people and model"),
        said=tuple(
            SaidFigures(low=bucket / BUCKETS, verdicts=right + wrong, right=right)
            for bucket, (right, wrong) in enumerate(zip(*_outcomes(counts), strict=True))
            if right + wrong
        ),
    )


def _agreements(by_scope: Mapping[Scope, Mapping[str, int]], kind: str) -> dict[str, WithPeople]:
    return {
        "/".join(scope[1:]): WithPeople(verdicts=keys["verdicts"], agreed=keys.get("agreed", 0) / MICRO)
        for scope, keys in sorted(by_scope.items())
        if scope[0] == kind and keys.get("verdicts", 0)
    }


def _scopes(counts: Mapping[str, int]) -> Iterable[tuple[Scope, str, int]]:
    for name, count in counts.items():
        yield *scope_and_key(name), count
