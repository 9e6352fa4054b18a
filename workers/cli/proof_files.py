"""Files of `conclave prove`: outcomes, a line each, and the proof that later ones are compared with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import uuid4

from pydantic import ValidationError

from domain.proving.outcome import TaskOutcome
from domain.proving.proof import Proof
from domain.proving.rules import COUNCIL
from domain.value import OpenValue
from workers.cli.cli_error import BadInput, CliError
from workers.cli.output import complain
from workers.proving.line_file import LineFile


class ProofHead(OpenValue):
    """The first line of a results file: which proof it belongs to."""

    proof: str
    """Part of the ids of its deliberations, so that another proof asks anew."""
    role: str
    digest: str
    """Of its tasks."""


class Baseline(OpenValue):
    """A proof to compare with, and the tasks that it is about."""

    digest: str
    proof: Proof


@dataclass(frozen=True)
class ProofFile:
    """Outcomes as they come."""

    path: Path
    head: ProofHead

    @classmethod
    def open(cls, path: Path | None, state: Path, *, role: str, digest: str) -> Self:
        """Go on with the file, or begin one; without a path it lies in the state folder under a new name.

        Raises BadInput for a file of other tasks, of another role or of something else.
        """
        head = ProofHead(proof=uuid4().hex[:12], role=role, digest=digest)
        path = path or state / "prove" / f"{head.proof}.jsonl"
        lines = _read(path)
        if not lines:
            _append(path, head)
            return cls(path, head)
        try:
            found = ProofHead.model_validate(lines[0])
        except ValidationError:
            raise BadInput(f"{path} holds no results of `conclave prove`; name another file") from None
        if (found.role, found.digest) != (role, digest):
            raise BadInput(f"{path} holds results of other tasks or another role; name another file")
        return cls(path, found)

    def outcomes(self) -> tuple[TaskOutcome, ...]:
        """Return what is there already."""
        try:
            return tuple(TaskOutcome.model_validate(line) for line in _read(self.path)[1:])
        except ValidationError:
            raise BadInput(f"{self.path} holds lines that are no outcomes; name another file") from None

    def append(self, outcome: TaskOutcome) -> None:
        """Add one more."""
        _append(self.path, outcome)


def read_baseline(path: Path, digest: str) -> Proof:
    """Return the proof in the file. Raises BadInput where it holds none, or one of other tasks."""
    try:
        found = Baseline.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}") from error
    except ValidationError as error:
        raise BadInput(f"{path} holds no baseline; `conclave prove --save-baseline` writes one") from error
    if found.digest != digest:
        raise BadInput(f"{path} is a baseline of other tasks; prove with those, or save a new one")
    return found.proof


def refuse_unwritable(path: Path) -> None:
    """Raise BadInput where a baseline can't be written: before the proof, which takes hours. Nothing is left."""
    existed = path.exists()
    try:
        path.open("ab").close()
    except OSError as error:
        raise BadInput(f"{path} can't be written: {error.strerror}") from error
    if not existed:
        path.unlink()


def save_baseline(path: Path, digest: str, proof: Proof) -> None:
    """Write the proof, in place of an earlier one."""
    body = Baseline(digest=digest, proof=proof).model_dump(mode="json")
    try:
        path.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise CliError(f"{path} can't be written: {error.strerror}") from error
    complain(f"the baseline is in {path}")


def missed(proof: Proof, earlier: Proof) -> list[str]:
    """Say where the council is worse than before by more than chance: its interval ends below the former value."""
    now, before = proof.row(COUNCIL), earlier.row(COUNCIL)
    pairs = (("of the tasks right", now.right, before.right), ("of the gap", now.gap, before.gap))
    return [
        f"the council has {today.value:.2f} {what} (at most {today.high:.2f}), the baseline {former.value:.2f}"
        for what, today, former in pairs
        if today.value is not None
        and today.high is not None
        and former.value is not None
        and today.high < former.value
    ]


def _read(path: Path) -> Sequence[object]:
    try:
        return LineFile(path).read()
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise BadInput(f"{path} holds no results of `conclave prove`; name another file") from error


def _append(path: Path, value: OpenValue) -> None:
    try:
        LineFile(path).append(value.model_dump(mode="json"))
    except OSError as error:
        raise CliError(f"{path} can't be written: {error.strerror}") from error
