"""A check of your own: a proposal that names nobody for the rollback can't be better than the middle."""

from domain.checks.check import CheckResult, PlanFacts


class RollbackOwner:
    """Caps a proposal without a line that begins with `Rollback owner:`."""

    name = "rollback_owner"
    hard = True

    def run(self, proposal_text: str, plan_facts: PlanFacts) -> CheckResult:
        if "rollback owner:" in proposal_text.lower():
            return CheckResult(name=self.name, passed=True, score=1.0)
        reason = "names no rollback owner; capped at 0.5"
        return CheckResult(name=self.name, passed=False, hard=True, score=0.0, reason=reason, cap=0.5)
