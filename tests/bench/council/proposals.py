"""Proposals in a file, a line each, written as soon as they are there: what is in it is not asked again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from domain.entry import AgentFailed, Proposed
from domain.proving.checked_task import CheckedTask
from tests.bench.council.council import AUTHORS, BenchCouncil
from workers.proving.line_file import LineFile

ENTRY: TypeAdapter[Proposed | AgentFailed] = TypeAdapter(Proposed | AgentFailed)
ByTask = dict[str, dict[str, Proposed | AgentFailed]]
"""Task id → agent id → proposal."""


def read_proposals(path: Path) -> ByTask:
    """Return what the file holds."""
    found: ByTask = {}
    for row in LineFile(path).read():
        entry = ENTRY.validate_python(row["entry"])
        found.setdefault(row["task"], {})[entry.agent_id] = entry
    return found


def write_proposals(council: BenchCouncil, tasks: Sequence[CheckedTask], path: Path) -> None:
    """Ask for every proposal that the file lacks, one after another."""
    found = read_proposals(path)
    for place, task in enumerate(tasks, start=1):
        for number in range(1, AUTHORS + 1):
            if f"dev-{number}" not in found.get(task.task_id, {}):
                entry = council.propose(task, number)
                LineFile(path).append({"task": task.task_id, "entry": entry.model_dump(mode="json")})
        print(f"proposals: {place} of {len(tasks)} tasks", flush=True)
