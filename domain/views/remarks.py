"""What a decision says of failures and checks, a line for each."""

from __future__ import annotations

from collections.abc import Iterator

from domain.contract import CompletedBody
from domain.contract_rows import FailureRow
from domain.views.why import label


def failure_line(failure: FailureRow) -> str:
    """Say in a line who failed where and why."""
    detail = f" ({failure.detail})" if failure.detail else ""
    return f"{failure.agent_id}, {failure.stage}: {failure.reason}{detail}"


def telling_checks(decision: CompletedBody) -> Iterator[str]:
    """Name the checks that a proposal did not pass, and those that could not tell."""
    for row in decision.decisions:
        for name, check in row.checks.rows.items():
            if not (check.passed and check.judged):
                yield f"{label(row.proposal.proposal_id)}, {name}: {check.reason or 'not passed'}"
