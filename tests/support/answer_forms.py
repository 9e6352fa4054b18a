"""Answers as engines and gateways really give them: the form, where it was reported, what becomes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from domain.chat import FailureReason, ScoreForm
from domain.engine import Guidance

PLAN = "1. Add the endpoint.\n2. Test it."
SCORES = ScoreForm(lines=("A", "B"))
PROTOCOL = "OpenAI's reference of chat completions"


@dataclass(frozen=True)
class AnswerForm:
    """One form of answer; `expected` is the text, or the reason and words of the failure's sentence."""

    name: str
    source: str
    body: bytes
    expected: str | tuple[FailureReason, str]
    form: ScoreForm | None = None
    guidance: Guidance = Guidance.REGEX
    status: str = "200 OK"


def said(
    content: Any, finish: Any = "stop", *, usage: Any = None, model: Any = "m", **message: Any
) -> dict[str, Any]:
    """A chat completion around one message."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion", "model": model, "choices": [choice], "usage": usage}


def row(
    name: str, source: str, body: Any, expected: str | tuple[FailureReason, str] = PLAN, **more: Any
) -> AnswerForm:
    """A row whose body is given as JSON, or as bytes."""
    return AnswerForm(
        name, source, body if isinstance(body, bytes) else json.dumps(body).encode(), expected, **more
    )


THOUGHT = "Okay, the user wants a plan."
CUT_OFF = (FailureReason.CUT_OFF, "the model still thought after 16 tokens")
DIGITS = "A: 7\nB: 5"

THOUGHTS = [
    row("thoughts in tags", "Qwen3, model card", said(f"<think>\n{THOUGHT}\n</think>\n\n{PLAN}")),
    row(
        "no thoughts in tags",
        "Qwen3 with enable_thinking false, model card",
        said(f"<think>\n\n</think>\n\n{PLAN}"),
    ),
    row("only the closing tag", "vllm-project/vllm#31045, #17144", said(f"{THOUGHT}\n</think>\n\n{PLAN}")),
    row("the tag never closes", "QwenLM/Qwen3#1459", said(f"<think>\n{THOUGHT}", "length"), CUT_OFF),
    row(
        "the model ends within its thoughts",
        "ggml-org/llama.cpp#21118",
        said(f"<think>\n{THOUGHT}", "stop"),
        (FailureReason.EMPTY, "the model ended within its thoughts"),
    ),
    row("the whole word as tag", "Granite 3.2 and others", said(f"<thinking>{THOUGHT}</thinking>\n{PLAN}")),
    row("square brackets", "Magistral's chat template", said(f"[THINK]{THOUGHT}[/THINK]{PLAN}")),
    row(
        "square brackets that never close",
        "Magistral's chat template",
        said(f"[THINK]{THOUGHT}", "length"),
        CUT_OFF,
    ),
    row(
        "harmony's channels",
        "NVIDIA/TensorRT-LLM#9256, ml-explore/mlx-lm#1867",
        said(f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>{PLAN}"),
    ),
    row(
        "harmony's channels without their marks",
        "Augustas11/macprovider#743",
        said(f"analysis{THOUGHT}assistantfinal{PLAN}"),
    ),
    row(
        "harmony without a final channel",
        "ml-explore/mlx-lm#1867",
        said(f"<|channel|>analysis<|message|>{THOUGHT}", "length"),
        CUT_OFF,
    ),
    row("thoughts beside the text", "DeepSeek's API", said(PLAN, reasoning_content=THOUGHT)),
    row("thoughts beside the text, named anew", "vLLM since 0.11, OpenRouter", said(PLAN, reasoning=THOUGHT)),
    row("thoughts beside it, as Ollama names them", "Ollama's API", said(PLAN, thinking=THOUGHT)),
    row(
        "thoughts beside no text",
        "raullenchai/Rapid-MLX#858, mindcraft-bots/mindcraft#789",
        said(None, "length", reasoning_content=THOUGHT),
        CUT_OFF,
    ),
    row(
        "thoughts, and then nothing",
        "kekzl/imp#1442",
        said("", "stop", reasoning=THOUGHT),
        (FailureReason.EMPTY, "the model thought, and then said nothing"),
    ),
    row(
        "parts, one of them thoughts in parts",
        "enricoros/big-AGI#873, agentjido/req_llm#742",
        said(
            [{"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]}, {"type": "text", "text": PLAN}]
        ),
    ),
    row(
        "parts, one of them a thought",
        "vercel/ai#8072",
        said([{"type": "thinking", "thinking": THOUGHT}, {"type": "text", "text": PLAN}]),
    ),
    row(
        "parts that are all thoughts",
        "vercel/ai#8072",
        said([{"type": "thinking", "thinking": THOUGHT}], "length"),
        CUT_OFF,
    ),
    row(
        "digits after thoughts",
        "vLLM without a reasoning parser",
        said(f"<think>7</think>\n{DIGITS}"),
        DIGITS,
        form=SCORES,
    ),
    row(
        "a ballot that is still thought about",
        "Qwen3 behind --reasoning-parser: the grammar waits for the end of thoughts",
        said(None, "length", reasoning=THOUGHT),
        (FailureReason.CUT_OFF, "the model still thought after 11 tokens"),
        form=SCORES,
    ),
    row(
        "tags in code",
        "a proposal that speaks of them",
        said(f"{PLAN}\n`</think>` ends it."),
        f"{PLAN}\n`</think>` ends it.",
    ),
]

WRAPPINGS = [
    row(
        "parts of text",
        PROTOCOL,
        said([{"type": "text", "text": "1. Add the endpoint.\n"}, {"type": "text", "text": "2. Test it."}]),
    ),
    row(
        "parts named as in the responses API",
        "OpenAI's responses API",
        said([{"type": "output_text", "text": PLAN}]),
    ),
    row("plain strings as parts", "gateways that join messages", said([PLAN])),
    row("no usage", "many servers", said(PLAN)),
    row(
        "usage without details",
        "OpenRouter's API",
        said(PLAN, usage={"prompt_tokens": None, "completion_tokens": None, "prompt_tokens_details": None}),
    ),
    row("usage in words", "a gateway's bug", said(PLAN, usage={"prompt_tokens": "ten", "completion_tokens": [3]})),
    row("usage that is no object", "a gateway's bug", said(PLAN, usage="free")),
    row("no name", "LM Studio behind proxies", said(PLAN, model=None)),
    row("a name of a megabyte", "a hostile engine", said(PLAN, model="m" * 1_000_000)),
    row("no reason to end", "openai/openai-openapi#20, vllm-project/vllm#27572", said(PLAN, None)),
    row("a reason in capitals", "Gemini's API behind gateways", said(PLAN, "STOP")),
    row("the token that ended it", "text-generation-inference", said(PLAN, "eos_token")),
    row(
        "a ballot in a fence",
        "vectorize-io/hindsight#645, unclecode/crawl4ai#1720",
        said('```json\n{"A": 7, "B": 5}\n```'),
        DIGITS,
        form=SCORES,
        guidance=Guidance.JSON_SCHEMA,
    ),
    row("digits in a fence", "the same", said(f"```\n{DIGITS}\n```"), DIGITS, form=SCORES),
]
