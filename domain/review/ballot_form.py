"""The compact ballot: one digit a criterion, one group a proposal, `786,554`. It never guesses."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domain.chat import ScoreForm

MAX_TOKENS_A_PROPOSAL = 10
"""What a ballot may cost: eight criteria and a comma take nine."""


def ballot_form(labels: Sequence[str], criteria: Sequence[str]) -> ScoreForm:
    """Return the form of a ballot that scores these labels on these criteria."""
    return ScoreForm(rows=len(labels), columns=len(criteria))


def parse_ballot(text: str, *, labels: Sequence[str], criteria: Sequence[str]) -> dict[str, dict[str, int]] | None:
    """Read label → criterion → score (1 to 9), groups in the order of `labels`; None if off form.

    White space round the whole is dropped; everything else must fit exactly: the right number of groups and
    digits, ASCII, no zero. Raises nothing, whatever the text.
    """
    form = ballot_form(labels, criteria)
    row = rf"[1-9]{{{form.columns}}}"
    written = text.strip(" \t\r\n")
    if re.fullmatch(rf"{row}(?:,{row}){{{form.rows - 1}}}", written) is None:
        return None
    groups = written.split(",")
    return {
        label: {criterion: int(digit) for criterion, digit in zip(criteria, group, strict=True)}
        for label, group in zip(labels, groups, strict=True)
    }


def max_tokens(form: ScoreForm) -> int:
    """Bound a ballot's answer: a token a digit, one a comma, one to end, one to spare.

    At most ten tokens a proposal; an engine that answers in another form sets its own bound.
    """
    return form.rows * (form.columns + 1) + 1


def shape(form: ScoreForm) -> str:
    """Draw the form with x for digits: an example with digits would be copied by small models."""
    group = "x" * form.columns
    return ",".join([group] * form.rows)
