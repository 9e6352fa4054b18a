"""Thoughts are told from answers in every notation, and sound texts that speak of such tags stay whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.adapters.openai.thoughts import Answer, without_thoughts

PLAN = "1. Add the endpoint.\n2. Test it."
LONG = 4_000_000


@pytest.mark.parametrize(
    "text",
    [
        f"<think>Let me see…</think>{PLAN}",
        f"<think>\nLet me see…\n</think>\n\n{PLAN}\n",
        f"\n<think></think>\n{PLAN}",
        f"Okay, the user wants…\n</think>\n\n{PLAN}",
        f"<THINK>Let me see…</THINK>{PLAN}",
        f"<thinking>Let me see…</thinking>\n{PLAN}",
        f"<thought>Let me see…</thought>\n{PLAN}",
        f"<reasoning>Let me see…</reasoning>\n{PLAN}",
        f"[THINK]Let me see…[/THINK]{PLAN}",
        f"Let me see…[/THINK]{PLAN}",
        f"◁think▷Let me see…◁/think▷{PLAN}",
        f"<seed:think>Let me see…</seed:think>{PLAN}",
        f"<|begin_of_thought|>Let me see…<|end_of_thought|>\n<|begin_of_solution|>{PLAN}<|end_of_solution|>",
        f"<|START_THINKING|>Let me see…<|END_THINKING|><|START_RESPONSE|>{PLAN}<|END_RESPONSE|>",
        f"<think>Let me see…</think><answer>{PLAN}</answer>",
        f"<think>First.</think><think>Second.</think>{PLAN}",
        f"<think>He may write <think> in code.</think>{PLAN}",
        f"<think>Let <think>me</think> see…</think>{PLAN}",
        f'<think duration="3">Let me see…</think>{PLAN}',
        f"< think >Let me see…</ think >{PLAN}",
        f"<think>Let me see…</thinking>{PLAN}",
        f"\ufeff<think>Let me see…</think>{PLAN}",
        f"<think>Let me see…</think>{PLAN}\n</think>",
        f"```python\nan_open_fence()\n</think>\n{PLAN}",
        f"Is a ` needed? </think>{PLAN}",
        "<|channel|>analysis<|message|>We need steps.<|end|><|start|>assistant<|channel|>final<|message|>"
        f"{PLAN}<|return|>",
        f"<|channel|>analysis<|message|>We need steps.<|end|><|start|>assistant<|channel|>final<|message|>{PLAN}",
        f"analysisWe need steps.assistantfinal{PLAN}",
    ],
)
def test_what_follows_the_thoughts_is_the_answer(text: str) -> None:
    assert without_thoughts(text) == Answer(PLAN, thought=True)


@pytest.mark.parametrize(
    "text",
    [
        "<think>Let me see, first the",
        "\n<thinking>Let me see",
        "[THINK]Let me see",
        "First.</think><think>Second, which does not end",
        "Sure!\n<think>Let me see",
        "\u200b<think>Let me see",
        '<think type="slow">Let me see',
        "<|channel|>analysis<|message|>We need steps, first",
        "<|channel|>commentary<|message|>to=functions.plan",
        "analysisWe need steps, first",
    ],
)
def test_thoughts_that_never_end_leave_no_answer(text: str) -> None:
    assert without_thoughts(text) == Answer("", thought=True, unfinished=True)


@pytest.mark.parametrize(
    "text",
    [
        PLAN,
        "",
        "1. Strip `<think>` and `</think>` from answers.\n2. Test it.",
        "Remove it:\n```python\ntext.split('</think>')\n```\nThen test.",
        "Remove it:\n```\n</think>\n```\nThen test.",
        "Parse `<|channel|>` and `<|message|>` out of answers.",
        "analysis of the problem comes first",
        "Think about <thinking> users.",
        "7\n8\n6",
    ],
)
def test_sound_texts_stay_as_they_are(text: str) -> None:
    assert without_thoughts(text) == Answer(text)


def test_thoughts_between_steps_leave_the_steps() -> None:
    text = "<think>First.</think>1. Add it.\n<think>Second.</think>\n2. Test it."
    assert without_thoughts(text) == Answer("1. Add it.\n\n2. Test it.", thought=True)


def test_a_text_that_begins_within_a_thought_may_hold_another() -> None:
    assert without_thoughts(f"Well.\n<think>So.</think>{PLAN}", opened=True) == Answer(PLAN, thought=True)
    assert without_thoughts("Well.\n<think>So.", opened=True).unfinished


@pytest.mark.parametrize(
    "text",
    [
        "<|channel|>" + "a" * LONG,
        "<think></think>" * (LONG // 15),
        "</think>" * (LONG // 8),
        "```\n" + "x</think>" * (LONG // 9) + "\n```",
        "`x </think> `" * (LONG // 13),
        "<think " * (LONG // 7),
        "\n" * LONG,
    ],
    ids=["channel", "pairs", "closing tags", "fence", "spans", "attributes", "lines"],
)
def test_a_text_as_long_as_an_answer_may_be_stops_no_process(text: str) -> None:
    """Where time grew with the square of the length, each of these took hours."""
    assert len(without_thoughts(text).text) <= len(text)


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    answer = without_thoughts(text)
    assert answer.text in text or answer.text in text.strip()
    assert answer.thought or answer.text == text
