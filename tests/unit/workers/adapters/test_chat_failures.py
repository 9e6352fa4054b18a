"""Every way a call can fail, in the domain's words."""

from __future__ import annotations

import json
from json import JSONDecodeError

import pytest
from aiohttp import ClientConnectionError, ConnectionTimeoutError

from domain.chat import FailureReason
from workers.adapters.openai.failures import LONGEST, ErrorStatus, complaint, reason_of, retry_after


def status(code: int, message: str = "", retry_after: str = "") -> ErrorStatus:
    body = json.dumps({"error": {"message": message, "type": "x"}}) if message else ""
    return ErrorStatus(code, "Reason Phrase", body.encode(), retry_after)


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
    error = ClientConnectionError()
    error.__cause__ = ConnectionResetError("connection reset by peer")
    assert reason_of(error) == (
        FailureReason.UNREACHABLE,
        "the connection failed or broke: ConnectionResetError: connection reset by peer",
    )


def test_a_connection_that_is_not_made_in_time_is_no_connection() -> None:
    assert reason_of(ConnectionTimeoutError())[0] is FailureReason.UNREACHABLE


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
    assert complaint(ErrorStatus(503, "Reason Phrase", body)) == words
