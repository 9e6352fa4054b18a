"""What applying councils would change, so that a person sees it before it is done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.council import Council
from domain.identity import digest
from domain.value import Value


class CouncilChange(Value):
    """One role's council, before and after."""

    role: str
    before: Council | None
    """None: the role has no council yet."""
    after: Council


def council_changes(wanted: Iterable[Council], present: Iterable[Council]) -> tuple[CouncilChange, ...]:
    """Return a change for each wanted council that is not there as it is; others are left alone."""
    by_role = {council.role: council for council in present}
    return tuple(
        CouncilChange(role=council.role, before=by_role.get(council.role), after=council)
        for council in wanted
        if by_role.get(council.role) != council
    )


def fingerprint(changes: Sequence[CouncilChange]) -> str:
    """Return a digest of the changes: another one if anything they rest on has changed meanwhile."""
    return digest(*(change.model_dump_json() for change in changes))
