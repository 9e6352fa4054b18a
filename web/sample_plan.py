"""A plan to begin with, for the first visit."""

from __future__ import annotations

from collections.abc import Sequence

from web.plan_form import PlanForm


def sample_plan(roles: Sequence[str]) -> PlanForm:
    """Fill the form with a plan that any council can deliberate on, for the first of the roles."""
    return PlanForm(
        title="Let users reset a forgotten password",
        description=(
            "The web shop has accounts with e-mail and password, and no way back in for people who forgot it. "
            "Add a reset by a link in an e-mail.\n\n"
            "Stack: Python, PostgreSQL, an e-mail service that sometimes takes minutes."
        ),
        acceptance_criteria=(
            "A reset link works once and for one hour.\n"
            "The answer to a request is the same whether or not the account exists.\n"
            "All other sessions of the account end when the password changes."
        ),
        roles=tuple(roles[:1]),
    )
