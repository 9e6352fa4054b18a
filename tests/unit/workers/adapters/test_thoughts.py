"""Thoughts are told from answers in every notation, and sound texts that speak of such tags stay whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.adapters.openai.thoughts import Answer, without_thoughts

PLAN = "1. Add the endpoint.\n2. Test it."


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
        "analysis of the problem comes first",
        "Think about <thinking> users.",
        "7\n8\n6",
    ],
)
def test_sound_texts_stay_as_they_are(text: str) -> None:
    assert without_thoughts(text) == Answer(text)


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    answer = without_thoughts(text)
    assert answer.text in text or answer.text in text.strip()
    assert answer.thought or answer.text == text
