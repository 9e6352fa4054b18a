"""The tasks that docs/proving.md shows are tasks, and their checks do what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workers.proving.answer_check import AnswerCheck
from workers.proving.sandbox import SandboxBounds
from workers.proving.tasks_file import parse_tasks

PAGE = Path(__file__).parents[3] / "docs/proving.md"
SHOWN = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
TASKS = {task.task_id: task for text in SHOWN for task in parse_tasks(text, source="docs/proving.md")}
ANSWERS = {
    "rolls": ("14 · 24 it is.\n**Answer:** 336.", "Answer: 33"),
    "year": ("Answer: '69", "Answer: in 1969"),
    "double": (
        "```python\ndef double(x):\n    return x + x\n```",
        "```python\ndef double(x):\n    return x ** 2\n```",
    ),
    "script": ("```sh\nfor i in 1 2 3; do echo $((i * i)); done\n```", "```sh\necho 1 4 9\n```"),
}


def test_every_task_shown_has_an_answer_here() -> None:
    assert TASKS.keys() == ANSWERS.keys()


@pytest.mark.parametrize("task_id", ANSWERS)
def test_the_right_answer_is_right_and_the_wrong_one_wrong(task_id: str) -> None:
    right, wrong = ANSWERS[task_id]
    assert AnswerCheck(SandboxBounds(time_s=60)).right(TASKS[task_id], [right, wrong]) == {right}
