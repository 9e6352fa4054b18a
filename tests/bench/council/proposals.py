"""Proposals in a file, a line each, written as soon as they are there: what is in it is not asked again."""

from __future__ import annotations

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


def complete(council: BenchCouncil, task: CheckedTask, path: Path) -> list[Proposed | AgentFailed]:
    """Return the task's proposals, by author; those that the file lacks are asked for, one after another."""
    found = read_proposals(path).get(task.task_id, {})
    for number in range(1, AUTHORS + 1):
        if f"dev-{number}" not in found:
            entry = found[f"dev-{number}"] = council.propose(task, number)
            LineFile(path).append({"task": task.task_id, "entry": entry.model_dump(mode="json")})
    return [found[author] for author in sorted(found)]
