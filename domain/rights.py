"""What people and programs may be allowed to do at the page and its interfaces."""

from __future__ import annotations

from enum import StrEnum


class Right(StrEnum):
    """None holds another: a program that only approves need not be able to read."""

    READ = "read"
    """See deliberations, councils, figures and the state of the system."""
    APPROVE = "approve"
    """Have councils deliberate: approve a plan, ask a question, deliberate once more."""
    JUDGE = "judge"
    """Accept, reject, or prefer another proposal."""
    OPERATE = "operate"
    """Cancel, change councils, send again or drop what lies aside."""


ALL = frozenset(Right)
MEMBER = frozenset({Right.READ, Right.APPROVE, Right.JUDGE})
"""What a user has unless settings say otherwise: what adds to the record under the user's own name. What ends the
work of others, or changes councils for all, is given by name."""
