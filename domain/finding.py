"""One line of a diagnosis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from domain.value import Value


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """Works, and may lose or slow down something."""
    FAIL = "fail"
    """Would break a deliberation."""


class Finding(Value):
    """What was looked at and what was found; the text names the remedy where one is needed."""

    level: Level
    subject: str
    text: str


def ok(subject: str, text: str) -> Finding:
    return Finding(level=Level.OK, subject=subject, text=text)


def warn(subject: str, text: str) -> Finding:
    return Finding(level=Level.WARN, subject=subject, text=text)


def fail(subject: str, text: str) -> Finding:
    return Finding(level=Level.FAIL, subject=subject, text=text)


def serious(findings: Iterable[Finding]) -> bool:
    """Whether any would break a deliberation."""
    return any(finding.level is Level.FAIL for finding in findings)


Findings = Iterator[Finding]
