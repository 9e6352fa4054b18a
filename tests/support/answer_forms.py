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

BROKEN = [
    row(
        "broken off by the engine",
        "vllm-project/vllm#57082",
        said("1. Add the", "abort"),
        (FailureReason.UNREACHABLE, "the engine broke the answer off (abort)"),
    ),
    row(
        "an error as the end",
        "vLLM's finish reasons",
        said("1. Add the", "error"),
        (FailureReason.UNREACHABLE, "the engine broke the answer off (error)"),
    ),
    row(
        "filtered",
        PROTOCOL,
        said("1. Add the", "content_filter"),
        (FailureReason.REFUSED, "the engine filtered the answer (content_filter)"),
    ),
    row(
        "a tool instead of an answer",
        PROTOCOL,
        said(None, "tool_calls", tool_calls=[{"id": "1", "type": "function"}]),
        (FailureReason.MALFORMED, "the model called a tool instead of answering (tool_calls)"),
    ),
    row(
        "refused",
        PROTOCOL,
        said(None, refusal="I can't help."),
        (FailureReason.REFUSED, "the model refused to answer"),
    ),
    row(
        "a reason of its own",
        "any gateway",
        said("1. Add the", "quota\x1b[31m"),
        (FailureReason.MALFORMED, "the answer ended for an unknown reason (quota [31m)"),
    ),
    row("nothing", "many reports", said(""), (FailureReason.EMPTY, "the model said nothing")),
    row(
        "nothing within the bound",
        "many reports",
        said("", "length"),
        (FailureReason.CUT_OFF, "the model said nothing within 16 tokens"),
    ),
    row(
        "an error as an answer, busy",
        "spring-projects/spring-ai#6908",
        {"error": {"message": "Provider returned error", "code": 502}},
        (FailureReason.UNREACHABLE, "the engine failed (502): Provider returned error"),
    ),
    row(
        "an error as an answer, without a code",
        "ENTERPILOT/GoModel#949",
        {"error": {"message": "no provider left"}},
        (FailureReason.REFUSED, "the engine refused the request (200, with an error): no provider left"),
    ),
    row(
        "an error as an answer, in vLLM's old form",
        "vLLM before 0.10",
        {"object": "error", "message": "maximum context length is 8", "code": 400},
        (FailureReason.CONTEXT_EXCEEDED, "maximum context length is 8"),
    ),
    row(
        "no choices",
        "langgenius/dify#9197",
        {"id": "c", "choices": []},
        (FailureReason.MALFORMED, "not a chat completion"),
    ),
    row(
        "a choice without a message",
        "a gateway's bug",
        {"choices": [{"text": PLAN}]},
        (FailureReason.MALFORMED, "not a chat completion"),
    ),
    row(
        "a page",
        "a proxy in front of the engine",
        b"<!DOCTYPE html><html>internal page</html>",
        (FailureReason.MALFORMED, "the engine answered a page of HTML; its URL must be the API's"),
    ),
    row(
        "half of an object",
        "a connection that broke",
        b'{"choices": [{"mess',
        (FailureReason.MALFORMED, "not a chat completion"),
    ),
    row(
        "a stream",
        "a gateway that always streams",
        b'data: {"choices": []}\n\n',
        (FailureReason.MALFORMED, "a stream, which was not asked for: turn it off there"),
    ),
    row(
        "no such path, in Go",
        "jakobdylanc/llmcord#56, continuedev/continue#10696",
        b"404 page not found",
        (FailureReason.REFUSED, "its URL must be where the API begins, as in http://host:8000/v1"),
        status="404 Not Found",
    ),
    row(
        "no such path, in FastAPI",
        "vLLM",
        {"detail": "Not Found"},
        (FailureReason.REFUSED, "the engine has no such path (404): Not Found"),
        status="404 Not Found",
    ),
    row(
        "no such model",
        "vLLM",
        {"error": {"message": "The model `m` does not exist.", "code": 404}},
        (FailureReason.NOT_SERVED, "the engine does not know the model (404)"),
        status="404 Not Found",
    ),
    row(
        "roles that must alternate",
        "microsoft/autogen#1037",
        {"object": "error", "message": "Conversation roles must alternate user/assistant/user/assistant/..."},
        (FailureReason.REFUSED, "Conversation roles must alternate"),
        status="400 Bad Request",
    ),
    row(
        "a bound that the model names otherwise",
        "moeru-ai/airi#2249",
        {"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model."}},
        (FailureReason.REFUSED, "'max_tokens' is not supported"),
        status="400 Bad Request",
    ),
    row(
        "busy upstream",
        "open-webui/computer#293",
        {"error": {"message": "Provider returned error", "code": 429}},
        (FailureReason.BUSY, "the engine is busy (429)"),
    ),
]

FORMS = [*THOUGHTS, *WRAPPINGS, *BROKEN]
