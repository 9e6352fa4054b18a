"""Read checked tasks from YAML, JSON or JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any

from domain.identity import digest
from domain.proving.checked_task import CheckedTask
from domain.validation.places import Place
from domain.validation.validate import validate_each
from domain.validation.words import listing
from workers.notation import Unreadable, documents

MOST_TASKS = 10_000


class TasksFileError(ValueError):
    """A file does not hold checked tasks; the text names every mistake with its place, one a line."""


def shipped_tasks() -> tuple[CheckedTask, ...]:
    """Return the twenty tasks that ship with Conclave."""
    text = resources.files("workers.proving").joinpath("tasks.yaml").read_text(encoding="utf-8")
    return parse_tasks(text, source="the shipped tasks")


def parse_tasks(text: str, *, source: str) -> tuple[CheckedTask, ...]:
    """Read a list of tasks, an object with `tasks`, or a JSON object a line.

    `source` names the text in errors. Raises TasksFileError; nothing is returned unless all of it is right.
    """
    try:
        tasks, mistakes, unlisted = validate_each(CheckedTask, _objects(text, source))
    except Unreadable as error:
        raise TasksFileError(str(error)) from error
    mistakes += _doubled(tasks)
    if mistakes:
        raise TasksFileError(listing(f"{source}:", mistakes, unlisted=unlisted))
    if not tasks:
        raise TasksFileError(f"{source} holds no task: write a list, each with `id:`, `question:` and a check")
    if len(tasks) > MOST_TASKS:
        raise TasksFileError(f"{source} holds {len(tasks)} tasks, {MOST_TASKS} are allowed; split it")
    return tuple(tasks)


def digest_of(tasks: Sequence[CheckedTask]) -> str:
    """Name these tasks: another question or check gives another name."""
    return digest(*(task.model_dump_json() for task in tasks))


def _doubled(tasks: Sequence[CheckedTask]) -> list[str]:
    ids = [task.task_id for task in tasks]
    doubled = sorted({task_id for task_id in ids if ids.count(task_id) > 1}) if len(set(ids)) < len(ids) else []
    return [f"there are two tasks with the id {task_id}; rename one" for task_id in doubled]


def _objects(text: str, source: str) -> Iterator[tuple[Place, Any]]:
    lines = _json_lines(text)
    if lines is not None:
        yield from (((index,), task) for index, task in enumerate(lines))
        return
    for document in documents(text, source=source):
        if isinstance(document, dict) and set(document) == {"tasks"} and isinstance(document["tasks"], list):
            yield from ((("tasks", index), task) for index, task in enumerate(document["tasks"]))
        elif isinstance(document, list):
            yield from (((index,), task) for index, task in enumerate(document))
        elif document is not None:
            yield (), document


def _json_lines(text: str) -> list[Any] | None:
    """Return the object of every line, where each line that is not blank holds one; None for another notation."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or not all(line.startswith("{") and line.rstrip().endswith("}") for line in lines):
        return None
    try:
        return [json.loads(line) for line in lines]
    except (ValueError, RecursionError):
        return None
