"""What people say of a decision: accept it, reject it, or prefer another proposal; which of it stands and counts.

A person's later verdict replaces the earlier one, other persons' verdicts stand beside it. Where a decision awaits
a verdict, the first one that is recorded settles whether it counts, once and for all; later ones are opinions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field

from domain.identity import digest
from domain.value import OpenValue, Value

Opinion = Literal["accept", "reject", "prefer"]
TIMEOUT = "timeout"
"""Who judges where time ran out; no person may bear the name."""
CHECK = "conclave prove"
"""Who judges where an answer was checked: that is a finding, and no person's opinion."""
MOST_VERDICTS = 200
"""Of one decision: a program that judges in a loop must not fill the store."""


class VerdictRules(Value):
    """Whether a decision waits for a person, and what becomes of one that nobody judges; part of the record."""

    within_s: float | None = Field(default=None, gt=0, le=31_536_000)
    """Seconds in which a person's verdict is awaited before a decision counts, a year at most; not set: decisions
    count at once."""
    overdue: Literal["counts", "expires"] = "counts"
    """What becomes of a decision that nobody judged in time: it counts, or it expires."""


class SaidVerdict(Value):
    """A person's verdict as it came, not yet compared with the decision."""

    verdict_id: str
    """Derived from the deliberation and the message's key: the same verdict has the same one."""
    deliberation_id: str
    verdict: Opinion
    proposal: str = ""
    """For prefer: a proposal's id, or the agent that wrote it."""
    by: str
    reason: str = ""
    judged_at: str
    """ISO 8601, as its publisher wrote it."""
    said_at: float
    """Epoch seconds of `judged_at`, or when the message was stored if that was earlier."""
    causation_id: str = ""
    place: str = ""
    """Where its message is stored, as STREAM:SEQUENCE; empty for none."""


class Verdict(OpenValue):
    """A verdict as recorded."""

    verdict_id: str
    deliberation_id: str
    verdict: Opinion
    proposal_id: str | None
    """What its author holds for the best: the winner, or the preferred proposal; None for a rejection."""
    by: str
    reason: str = ""
    judged_at: str
    said_at: float
    """Epoch seconds; of one person's verdicts the one said last stands."""
    at: float
    """Epoch seconds when it was recorded."""
    counts: bool | None = None
    """For the verdict that settled an awaited decision: whether that counts. None for every other."""
    place: str = ""

    @property
    def by_person(self) -> bool:
        """Whether a person said it, and not the clock."""
        return self.by != TIMEOUT

    def says_as(self, other: Verdict) -> bool:
        """Whether both say the same; a publisher that tries again may stamp its message anew."""
        return self._content == other._content

    @property
    def _content(self) -> tuple[str, str | None, str, str]:
        return self.verdict, self.proposal_id, self.by, self.reason


def verdict_id(deliberation_id: str, *, by: str, judged_at: str, key: str = "") -> str:
    """Identify a verdict by its message's key, else by who said it when."""
    return f"v-{digest(deliberation_id, *(('key', key) if key else ('said', by, judged_at)))}"


def overdue_id(deliberation_id: str) -> str:
    """Identify the verdict of the clock; a deliberation has at most one."""
    return f"v-{digest(deliberation_id, TIMEOUT)}"


def standing(verdicts: Iterable[Verdict]) -> Mapping[str, Verdict]:
    """Return person → the verdict that the person said last, in the order of the names."""
    said = sorted((one for one in verdicts if one.by_person), key=lambda one: (one.said_at, one.verdict_id))
    last = {verdict.by: verdict for verdict in said}
    return dict(sorted(last.items()))


def settling(verdicts: Iterable[Verdict]) -> Verdict | None:
    """Return the verdict that settled whether an awaited decision counts; None where none has."""
    return next((verdict for verdict in verdicts if verdict.counts is not None), None)
