"""Answers of engines and gateways that are none, and the failure that each becomes."""

from __future__ import annotations

from domain.chat import FailureReason
from tests.support.answer_forms import PLAN, PROTOCOL, row, said

FAILURES = [
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
