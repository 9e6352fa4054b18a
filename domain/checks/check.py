"""A check: one question to a proposal that needs no model. Users add their own (docs/checks.md)."""

from __future__ import annotations

from typing import Protocol

from pydantic import Field, JsonValue

from domain.value import Name, Value


class PlanFacts(Value):
    """The parts of the plan that checks may read, and what was said to its authors."""

    title: str = ""
    description: str = ""
    acceptance_criteria: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    instructions: tuple[str, ...] = ()
    """What proposers are told beside the plan: how to write, and each one's persona."""
    output_schema: dict[str, JsonValue] | None = None
    """JSON Schema that proposals must satisfy; None where the plan demands none."""


class CheckResult(Value):
    """The result of one check."""

    name: Name
    judged: bool = True
    """False where the check could not tell: the result then counts neither for nor against the proposal."""
    passed: bool
    hard: bool = False
    """With `passed` False: removes the proposal from the vote, or caps it where `cap` says so."""
    score: float = Field(ge=0, le=1)
    """1 is faultless; its mean over all checks is the overall score."""
    reason: str = ""
    """One sentence for people. It goes into events and logs: never text of the proposal."""
    cap: float | None = Field(default=None, ge=0, le=1)
    """With a hard failure: the proposal's final score may not exceed this part of the way from worst to best."""


class NotJudged(Exception):
    """The check can't tell, for this reason: one sentence for people, without text of the proposal."""


class Check(Protocol):
    """Looks at one proposal. Created without arguments, once per process that runs it."""

    @property
    def name(self) -> str:
        """Name of the result in the event; unique among the installed checks."""
        ...

    @property
    def hard(self) -> bool:
        """Whether this check can remove or cap a proposal; one that can't only lowers the overall score."""
        ...

    def run(self, proposal_text: str, plan_facts: PlanFacts) -> CheckResult:
        """Return the result: the same for the same arguments, in time proportional to the text.

        The text is hostile: any characters, any length. NotJudged says that the check can't tell; whatever else it
        raises is recorded as its own failure.
        """
        ...
