"""The gate: all checks on each proposal, and which proposals the vote takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field

from domain.checks.check import CheckResult, PlanFacts
from domain.checks.runner import CheckRunner, not_judged
from domain.plan import Plan
from domain.review.candidate import Candidate
from domain.value import Value

OUTPUT_SCHEMA = "output_schema"
"""Name of the check that holds a proposal to the schema of `constraints.output_schema`."""


class GateReport(Value):
    """What the checks say about one proposal."""

    results: tuple[CheckResult, ...]
    overall_score: float = Field(ge=0, le=1)
    """Mean of the scores of what was judged, at most the cap; 0 for a proposal that is removed, 1 without any."""
    excluded: bool
    """The proposal takes no part in the vote."""
    cap: float | None = Field(default=None, ge=0, le=1)
    """The final score may not exceed this part of the way from worst to best; None where nothing caps it."""

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """The hard failures: why the proposal is excluded or capped."""
        return _hard_failures(self.results)

    @property
    def off_form(self) -> bool:
        """Whether the proposal is excluded for not satisfying its plan's schema."""
        return any(result.name == OUTPUT_SCHEMA for result in self.failures)

    def capped(self, score: float, *, worst: float = 1.0, best: float = 9.0) -> float:
        """Return a final score with the cap applied, on the scale from worst to best."""
        return score if self.cap is None else min(score, worst + self.cap * (best - worst))


class CheckGate:
    """Runs the checks once per text and lets through what none of them removes."""

    def __init__(self, checks: CheckRunner, plan: Plan, *, instructions: Sequence[str] = ()) -> None:
        self._checks = checks
        self._facts = PlanFacts(
            title=plan.title,
            description=plan.description,
            acceptance_criteria=plan.acceptance_criteria,
            requirements=plan.constraints.requirements,
            instructions=tuple(instructions),
            output_schema=plan.constraints.output_schema,
        )
        self.reports: dict[str, GateReport] = {}
        """By proposal id."""

    def admit(self, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """Return the candidates that no hard check removes."""
        for candidate in candidates:
            if candidate.proposal_id not in self.reports:
                self.reports[candidate.proposal_id] = run_gate(self._checks, candidate.text, self._facts)
        return tuple(candidate for candidate in candidates if not self.reports[candidate.proposal_id].excluded)

    def admits(self, text: str) -> bool:
        """Whether no hard check removes a text that stands for no election; nothing is reported of it."""
        return not run_gate(self._checks, text, self._facts).excluded


def run_gate(checks: CheckRunner, text: str, facts: PlanFacts) -> GateReport:
    """Run every check on a text. Never raises for what a check does."""
    results = checks.run(text, facts)
    if facts.output_schema is None:
        return report(result for result in results if result.name != OUTPUT_SCHEMA)
    return report(held_to_schema(results))


def held_to_schema(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """Have only a text win that was seen to satisfy the plan's schema: one not judged is removed as well.

    Other checks look for faults, so that who can't tell says nothing. Here the plan was promised the form.
    """
    by_name = {result.name: result for result in results}
    found = by_name.get(OUTPUT_SCHEMA) or not_judged(OUTPUT_SCHEMA, "this check is left out here")
    if not (found.judged and found.passed):
        reason = found.reason if found.judged else f"{found.reason}; what was not seen to satisfy it can't win"
        failed = {"judged": True, "passed": False, "hard": True, "cap": None, "score": 0.0, "reason": reason}
        found = found.model_copy(update=failed)
    return tuple({**by_name, OUTPUT_SCHEMA: found}.values())


def report(results: Iterable[CheckResult]) -> GateReport:
    """Draw the conclusions from the results: a hard failure without a cap excludes, the lowest cap holds.

    What was not judged is only listed.
    """
    results = tuple(results)
    hard = _hard_failures(results)
    excluded = any(result.cap is None for result in hard)
    cap = min((result.cap for result in hard if result.cap is not None), default=None)
    scores = [result.score for result in results if result.judged]
    mean = round(sum(scores) / len(scores), 4) if scores else 1.0
    overall = 0.0 if excluded else min(mean, 1.0 if cap is None else cap)
    return GateReport(results=results, overall_score=overall, excluded=excluded, cap=cap)


def _hard_failures(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    return tuple(result for result in results if result.judged and result.hard and not result.passed)
