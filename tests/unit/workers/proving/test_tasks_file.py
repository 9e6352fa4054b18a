"""Files of tasks as people write them, right and wrong."""

from __future__ import annotations

import json

import pytest

from workers.proving.tasks_file import TasksFileError, digest_of, parse_tasks

ADD = {"id": "add", "question": "What is 1 + 1?", "answer": "2"}
YEAR = {"id": "year", "question": "Name a year.", "matches": r"\d{4}"}


def ids(text: str) -> list[str]:
    return [task.task_id for task in parse_tasks(text, source="tasks.yaml")]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([ADD, YEAR]),
        json.dumps({"tasks": [ADD, YEAR]}, indent=2),
        f"{json.dumps(ADD)}\n\n{json.dumps(YEAR)}\n",
        "- {id: add, question: Add 1 and 1., answer: 2}\n- id: year\n  question: Name one.\n  matches: '\\d{4}'\n",
        "id: add\nquestion: 1 + 1?\nanswer: 2\n---\nid: year\nquestion: Name one.\nmatches: '\\d'\n",
    ],
)
def test_tasks_may_be_yaml_json_or_json_lines(text: str) -> None:
    assert ids(text) == ["add", "year"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "holds no task"),
        ("[]", "holds no task"),
        ("tasks: [", "is neither YAML nor JSON"),
        ("just words", "tasks.yaml"),
        (json.dumps([ADD, ADD]), "there are two tasks with the id add; rename one"),
        (json.dumps([ADD | {"id": ""}]), r"\[0\].id|0.*id"),
        (json.dumps([{"id": "add", "question": "?"}]), "exactly one of"),
        (json.dumps([ADD | {"time": 3}]), "field time is not known here"),
    ],
)
def test_what_is_no_file_of_tasks_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(TasksFileError, match=sentence):
        ids(text)


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(TasksFileError) as refused:
        ids(json.dumps([{"id": "a"}, ADD | {"answer": None}]))
    assert "question" in str(refused.value)
    assert "exactly one of" in str(refused.value)


def test_other_questions_or_checks_have_another_digest() -> None:
    same = [digest_of(parse_tasks(json.dumps(tasks), source="x")) for tasks in ([ADD], {"tasks": [ADD]})]
    assert same[0] == same[1]
    other = digest_of(parse_tasks(json.dumps([ADD | {"answer": "3"}]), source="x"))
    assert other != same[0]
