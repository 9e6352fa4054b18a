"""What a check on a proposal may take; the operator's word, handed in by settings."""

from __future__ import annotations

from pydantic import Field

from domain.value import Value


class CheckBounds(Value):
    """Bounds of the checks that parse or were added; one that exceeds a bound has not judged the proposal."""

    time_s: float = Field(default=5.0, gt=0, le=600)
    """Seconds for one check on one proposal; checks take milliseconds."""
    memory_mb: int = Field(default=512, ge=16)
    """MiB that a check may take beside what its helper process holds at rest, about 40."""
    input_bytes: int = Field(default=256 * 1024, ge=1024)
    """Of a proposal as UTF-8; a longer one is not put to these checks. Above what `proposal_chars` lets in."""
    processes: int = Field(default=2, ge=1, le=64)
    """Helper processes of one worker, started when they are needed: as many proposals are checked at once. Half as
    many more, at least one, are for proposals whose checks take long."""
    left_out: tuple[str, ...] = ()
    """Names of checks that are not run, as JSON: ["names_an_owner"]. For a broken one, which else stops every
    worker at its start, as a name does that no check has."""
