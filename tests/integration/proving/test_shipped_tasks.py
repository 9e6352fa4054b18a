"""Every task that ships can be got right, and is not got right by saying nothing of it."""

from __future__ import annotations

import pytest

from domain.proving.checked_task import CheckedTask
from workers.proving.answer_check import AnswerCheck
from workers.proving.sandbox import SandboxBounds
from workers.proving.tasks_file import shipped_tasks

TASKS = {task.task_id: task for task in shipped_tasks()}
ANSWERS = {
    "bakery": "36",
    "train-times": "15:35",
    "discount": "183.60",
    "water-tank": "40",
    "ages": "16",
    "handshakes": "60",
    "extract-order": "A-20471",
    "extract-total": "42.15",
    "format-date": "2027-03-03",
    "format-csv": "16,36,64",
    "slug": "senor-mullers-3-best-ideas",
}
CODE = {
    "sum-of-digits": "def digit_sum(n):\n    return sum(map(int, str(abs(n))))",
    "run-lengths": (
        "from itertools import groupby\ndef runs(text):\n    return [(c, len(list(g))) for c, g in groupby(text)]"
    ),
    "balanced-brackets": """
def balanced(text):
    pairs, stack = {")": "(", "]": "[", "}": "{"}, []
    for sign in text:
        if sign in "([{":
            stack.append(sign)
        elif sign in pairs and (not stack or stack.pop() != pairs[sign]):
            return False
    return not stack
""",
    "roman-numerals": """
def roman(n):
    table = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"),
             (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]
    text = ""
    for value, sign in table:
        text += sign * (n // value)
        n %= value
    return text
""",
    "merge-intervals": """
def merge(intervals):
    merged = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
""",
    "second-largest": """
def second_largest(numbers):
    found = sorted(set(numbers))
    return found[-2] if len(found) > 1 else None
""",
    "word-counts": """
import re
from collections import Counter
def most_frequent(text, count):
    words = Counter(re.findall("[a-z]+", text.lower()))
    return sorted(words, key=lambda word: (-words[word], word))[:count]
""",
    "leap-years": (
        "from calendar import isleap\n"
        "def leap_years(first, last):\n    return sum(map(isleap, range(first, last + 1)))"
    ),
    "json-object": '{"enabled": true, "name": "gateway", "ports": [80, 443]}',
}
RIGHT = {name: f"We compute it.\n\nAnswer: {answer}" for name, answer in ANSWERS.items()} | {
    name: f"Here it is.\n\n```\n{code}\n```\n" for name, code in CODE.items()
}
WRONG = "We do it step by step.\n\n```\n[]\n```\nAnswer: 17"


def test_there_are_twenty_with_every_kind_of_check() -> None:
    assert len(TASKS) == 20
    assert TASKS.keys() == RIGHT.keys()
    for kind in ("answer", "matches", "asserts", "command"):
        assert any(getattr(task, kind) is not None for task in TASKS.values())


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS.keys())
def test_a_right_answer_is_right_and_a_wrong_one_wrong(task: CheckedTask) -> None:
    texts = [RIGHT[task.task_id], WRONG]
    assert AnswerCheck(SandboxBounds(time_s=60)).right(task, texts) == {RIGHT[task.task_id]}
