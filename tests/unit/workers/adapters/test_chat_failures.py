"""Every way a call can fail, in the domain's words."""

from __future__ import annotations

import json
from json import JSONDecodeError

import httpx2
import pytest
from openai import APIConnectionError, APIStatusError

from domain.chat import FailureReason
from workers.adapters.openai.failures import (
    LONGEST,
    UnreadableAnswer,
    complaint,
    reason_of,
    retry_after,
    without_quotation,
)

CALL = httpx2.Request("POST", "http://user:word@10.0.0.2:8000/v1/chat/completions")


def status(code: int, message: str = "", retry_after: str = "", body: bytes | None = None) -> APIStatusError:
    if body is None:
        body = json.dumps({"error": {"message": message, "type": "x"}}).encode() if message else b""
    headers = {"Retry-After": retry_after} if retry_after else {}
    phrase = {"reason_phrase": b"Reason Phrase"}
    response = httpx2.Response(code, headers=headers, content=body, extensions=phrase, request=CALL)
    return APIStatusError("", response=response, body=None)


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        (429, "slow down", FailureReason.BUSY),
        (503, "queue full", FailureReason.BUSY),
        (500, "EngineCore died", FailureReason.UNREACHABLE),
        (502, "", FailureReason.UNREACHABLE),
        (404, "The model `x` does not exist.", FailureReason.NOT_SERVED),
        (401, "Unauthorized", FailureReason.REFUSED),
        (400, "temperature must be at most 2", FailureReason.REFUSED),
        (400, "This model's maximum context length is 100 tokens.", FailureReason.CONTEXT_EXCEEDED),
        (400, "request (9120 tokens) exceeds the available context size", FailureReason.CONTEXT_EXCEEDED),
    ],
)
def test_an_engines_status_says_what_went_wrong(code: int, message: str, reason: FailureReason) -> None:
    found, detail = reason_of(status(code, message))
    assert found is reason
    assert message in detail


def test_a_broken_connection_names_its_first_cause() -> None:
    error = APIConnectionError(request=CALL)
    error.__cause__ = httpx2.NetworkError("")
    error.__cause__.__cause__ = ConnectionResetError("connection reset by peer")
    assert reason_of(error) == (
        FailureReason.UNREACHABLE,
        "the connection failed or broke: ConnectionResetError: connection reset by peer",
    )


def test_an_engine_that_redirects_is_named_with_the_remedy() -> None:
    assert reason_of(status(307)) == (
        FailureReason.REFUSED,
        "the engine at http://10.0.0.2:8000 redirects (307): name its final address",
    )


def test_an_answer_that_is_not_read_is_malformed() -> None:
    assert reason_of(UnreadableAnswer("it is long")) == (FailureReason.MALFORMED, "it is long")


def test_an_unknown_path_is_told_from_an_unknown_model() -> None:
    reason, detail = reason_of(status(404, body=b'{"detail": "Not Found"}'))
    assert reason is FailureReason.REFUSED
    assert detail == (
        "the engine has no such path (404): Not Found; "
        "its URL must be where the API begins, as in http://host:8000/v1, without /chat/completions"
    )


def test_an_engines_words_come_as_one_printable_line() -> None:
    words = complaint(status(400, "two\nlines,\x1b[31m red \u202e and turned"))
    assert words == "two lines, [31m red and turned"


def test_an_answer_that_is_no_completion_is_malformed() -> None:
    assert reason_of(JSONDecodeError("Expecting value", "<html>", 0)) == (
        FailureReason.MALFORMED,
        "the answer is not a chat completion (JSONDecodeError)",
    )


def test_a_refusal_is_quoted_without_the_request_it_quotes() -> None:
    message = (
        "[{'type': 'missing', 'msg': 'Field required', 'input': {'messages': [{'content': 'the secret plan'}]}}]"
    )
    assert "secret" not in complaint(status(400, message))
    assert "Field required" in complaint(status(400, message))
    assert len(complaint(status(400, "x" * 5000))) <= LONGEST


def test_a_sentence_ends_before_it_repeats_the_prompt() -> None:
    prompt = ["You are on call.", "Move the orders of\nall customers to the new database, tonight."]
    words = "refused (400): bad token in Move the orders of all customers to the new"
    assert without_quotation(words, key="", prompt=prompt) == "refused (400): bad token in"
    assert without_quotation(words[28:], key="", prompt=prompt) == "the engine only repeated the request"
    assert (
        without_quotation("no orders of all customers", key="ollama", prompt=prompt)
        == "no orders of all customers"
    )
    assert without_quotation("ollama is away", key="ollama", prompt=[]) == "ollama is away"


def test_an_engine_may_ask_for_a_pause() -> None:
    assert retry_after(status(503, "full", "2")) == 2.0
    assert retry_after(status(503, "full", "Wed, 21 Oct 2015 07:28:00 GMT")) == 0.0
    assert retry_after(ValueError()) == 0.0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "queue full", "code": 503}}', "queue full"),
        (b'{"error": "queue full"}', "queue full"),
        (b'{"object": "error", "message": "queue full"}', "queue full"),
        (b'{"error": {"code": 503}}', "Reason Phrase"),
        (b'{"error": null}', "Reason Phrase"),
        (b'["queue full"]', "Reason Phrase"),
        (b"<html>queue full</html>", "Reason Phrase"),
        (b"[" * 100_000, "Reason Phrase"),
        (b"\xff", "Reason Phrase"),
        (b"", "Reason Phrase"),
    ],
)
def test_every_form_of_an_error_is_read_or_left_alone(body: bytes, words: str) -> None:
    assert complaint(status(503, body=body)) == words
