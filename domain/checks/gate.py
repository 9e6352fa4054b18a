"""The gate: all checks on each proposal, and which proposals the vote takes. It survives any check."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field

from domain.checks.check import Check, CheckResult, PlanFacts
from domain.plan import Plan
from domain.review.candidate import Candidate
from domain.value import Value


class GateReport(Value):
    """What the checks say about one proposal."""

    results: tuple[CheckResult, ...]
    overall_score: float = Field(ge=0, le=1)
    """Mean of the checks' scores, at most the cap; 0 for a proposal that is removed, 1 if nothing was checked."""
    excluded: bool
    """The proposal takes no part in the vote."""
    cap: float | None = Field(default=None, ge=0, le=1)
    """The final score may not exceed this part of the way from worst to best; None where nothing caps it."""

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """The hard failures: why the proposal is excluded or capped."""
        return tuple(result for result in self.results if result.hard and not result.passed)

    def capped(self, score: float, *, worst: float = 1.0, best: float = 9.0) -> float:
        """Return a final score with the cap applied, on the scale from worst to best."""
        return score if self.cap is None else min(score, worst + self.cap * (best - worst))


class CheckGate:
    """Runs the checks once per text and lets through what none of them removes."""

    def __init__(self, checks: Sequence[Check], plan: Plan) -> None:
        self._checks = checks
        self._facts = PlanFacts(
            title=plan.title,
            description=plan.description,
            acceptance_criteria=plan.acceptance_criteria,
            requirements=plan.constraints.requirements,
        )
        self.reports: dict[str, GateReport] = {}
        """By proposal id."""

    def admit(self, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """Return the candidates that no hard check removes."""
        for candidate in candidates:
            if candidate.proposal_id not in self.reports:
                self.reports[candidate.proposal_id] = run_gate(self._checks, candidate.text, self._facts)
        return tuple(candidate for candidate in candidates if not self.reports[candidate.proposal_id].excluded)


def run_gate(checks: Sequence[Check], text: str, facts: PlanFacts) -> GateReport:
    """Run every check, in the order given. Never raises for what a check does."""
    return report(_outcome(check, text, facts) for check in checks)


def report(results: Iterable[CheckResult]) -> GateReport:
    """Draw the conclusions from the results: a hard failure without a cap excludes, the lowest cap holds."""
    results = tuple(results)
    hard = [result for result in results if result.hard and not result.passed]
    excluded = any(result.cap is None for result in hard)
    cap = min((result.cap for result in hard if result.cap is not None), default=None)
    mean = round(sum(result.score for result in results) / len(results), 4) if results else 1.0
    overall = 0.0 if excluded else min(mean, 1.0 if cap is None else cap)
    return GateReport(results=results, overall_score=overall, excluded=excluded, cap=cap)


def _outcome(check: Check, text: str, facts: PlanFacts) -> CheckResult:
    """Return the check's result; its failure where it raises, or returns no result under its own name.

    A check that fails scores 0 but is never hard: no author gains by crashing it, none is removed for its faults.
    """
    try:
        result = check.run(text, facts)
    except Exception as error:
        return _broken(check, f"the check itself failed with {type(error).__name__}")
    if not isinstance(result, CheckResult) or result.name != check.name:
        return _broken(check, "the check did not return a result under its own name")
    if result.hard and not check.hard:
        return result.model_copy(update={"hard": False, "cap": None})
    return result


def _broken(check: Check, reason: str) -> CheckResult:
    return CheckResult(name=check.name, passed=False, score=0.0, reason=reason)
