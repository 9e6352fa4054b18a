"""The filter of a list as it stands in an address, for pages and programs alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Query
from starlette.exceptions import HTTPException

from domain.record import DeliberationState
from domain.value import Value
from domain.views.listing import ListFilter

REFUSED = "refused"
"""Chooses messages that became dead letters; no deliberation is in that state."""


class Chosen(Value):
    """The fields as they were sent; an empty one holds for all."""

    state: str = ""
    role: str = ""
    plan: str = ""
    text: str = ""
    since: str = ""
    until: str = ""

    @property
    def wanted(self) -> ListFilter:
        """Raises HTTPException for a field that can't be understood."""
        try:
            return ListFilter(
                state=DeliberationState(self.state) if self.state else None,
                role=self.role.strip(),
                plan=self.plan.strip(),
                text=self.text.strip(),
                since=_epoch(self.since),
                until=_epoch(self.until),
            )
        except ValueError as error:
            raise HTTPException(400, "The filter can't be understood: a state or a date is none.") from error

    @property
    def of_messages(self) -> ListFilter:
        """The same for messages that were refused. Raises HTTPException as `wanted` does."""
        return (self.model_copy(update={"state": ""}) if self.state == REFUSED else self).wanted


def _text(description: str, *, most: int) -> Any:
    return Query(max_length=most, description=description)


def _chosen(
    state: Annotated[
        str, _text("proposing, reviewing, decided, failed, cancelled, or refused: dead letters alone", most=20)
    ] = "",
    role: Annotated[str, _text("A role, in any case.", most=200)] = "",
    plan: Annotated[str, _text("A plan's id.", most=512)] = "",
    text: Annotated[str, _text("Part of the plan's title or of an id, in any case.", most=200)] = "",
    since: Annotated[str, _text("A date or time in UTC, ISO 8601; itself included.", most=40)] = "",
    until: Annotated[str, _text("A date or time in UTC, ISO 8601; itself excluded.", most=40)] = "",
) -> Chosen:
    return Chosen(state=state, role=role, plan=plan, text=text, since=since, until=until)


ChosenFilter = Annotated[Chosen, Depends(_chosen)]
Skip = Annotated[int, Query(ge=0, le=1_000_000, description="How many of the newest deliberations to pass over.")]


def _epoch(moment: str) -> float | None:
    """Read a date or a time; one without an offset is in UTC."""
    if not moment:
        return None
    read = datetime.fromisoformat(moment)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
