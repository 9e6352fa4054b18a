"""Who runs the checks on a text: the contract, and the run within this process. It survives any check."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from domain.checks.check import Check, CheckResult, NotJudged, PlanFacts


class CheckRunner(Protocol):
    """Runs the installed checks."""

    def run(self, text: str, facts: PlanFacts) -> tuple[CheckResult, ...]:
        """Return one result per check, always in the same order; a check that exceeds a bound has not judged.

        Never raises for what a check or a text does. May be called from several threads.
        """
        ...


class InProcess:
    """Runs checks one after another in the caller's process, without any bound on what they take."""

    def __init__(self, checks: Iterable[Check]) -> None:
        self._checks = tuple(checks)

    def run(self, text: str, facts: PlanFacts) -> tuple[CheckResult, ...]:
        """Return each check's outcome, in the order in which the checks were given."""
        return tuple(outcome(check, text, facts) for check in self._checks)


def outcome(check: Check, text: str, facts: PlanFacts) -> CheckResult:
    """Return the check's result; its failure where it raises, or returns no result under its own name.

    A check that fails scores 0 but is never hard: no author gains by crashing it, none is removed for its faults.
    One that says that it can't tell, or runs out of memory, has not judged.
    """
    try:
        result = check.run(text, facts)
    except NotJudged as reason:
        return not_judged(check.name, str(reason))
    except MemoryError:
        return not_judged(check.name, "it ran out of memory")
    except Exception as error:
        return _broken(check, f"the check itself failed with {type(error).__name__}")
    if not isinstance(result, CheckResult) or result.name != check.name:
        return _broken(check, "the check did not return a result under its own name")
    if result.hard and not check.hard:
        return result.model_copy(update={"hard": False, "cap": None})
    return result


def not_judged(name: str, reason: str) -> CheckResult:
    """Return the result of a check that could not tell. Readers that know no `judged` see that it did not fail."""
    return CheckResult(name=name, judged=False, passed=True, score=1.0, reason=f"not judged: {reason}")


def _broken(check: Check, reason: str) -> CheckResult:
    return CheckResult(name=check.name, passed=False, score=0.0, reason=reason)
