"""What engines answer is foreign input: bounded while it is read, never redirected, without a memory."""

from __future__ import annotations

import gzip
import itertools
import json
import tracemalloc
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from domain.chat import ChatAnswer, ChatFailure, ChatOutcome, FailureReason
from domain.engine import EngineKind, EngineRecord, Guidance
from tests.support.foreign_engine import ask, http_answer, model_at
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from tests.support.raw_server import RawServer
from tests.support.scripted_engine import ScriptedEngine
from workers.adapters.clock import SystemClock
from workers.adapters.openai.chat_model import OpenAIChatModel
from workers.adapters.openai.http_client import MAX_ANSWER_BYTES
from workers.portal import Portal

COMPLETION = json.dumps({"model": "m", "choices": [{"message": {"content": "yes"}}]}).encode()
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    portal = Portal()
    yield portal
    portal.close()


def endless(*headers: str, status: str = "200 OK") -> Iterator[bytes]:
    head = (f"HTTP/1.1 {status}", *headers, "Transfer-Encoding: chunked", "", "")
    yield "\r\n".join(head).encode()
    yield from itertools.repeat(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


def outcome_of(portal: Portal, pieces: Iterable[bytes], **options: Any) -> ChatOutcome:
    with RawServer(pieces) as server:
        return ask(model_at(portal, f"http://{server.address}/v1", **options))


def failure_of(portal: Portal, pieces: Iterable[bytes], **options: Any) -> ChatFailure:
    outcome = outcome_of(portal, pieces, **options)
    assert isinstance(outcome, ChatFailure)
    return outcome


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
def test_a_redirect_is_not_followed_and_the_sentence_names_the_engine(portal: Portal, status: str) -> None:
    with ScriptedEngine("m") as elsewhere:
        location = f"Location: {elsewhere.openai_url}/chat/completions"
        with RawServer([http_answer(b"", location, status=status)]) as server:
            failed = ask(model_at(portal, f"http://{server.address}/v1"))
    assert isinstance(failed, ChatFailure)
    assert failed.reason is FailureReason.REFUSED
    assert failed.detail == (
        f"the engine at http://{server.address} redirects ({status[:3]}): name its final address"
    )
    assert elsewhere.bodies == []


def test_an_answer_as_long_as_the_bound_is_read_and_one_byte_more_is_malformed(portal: Portal) -> None:
    size = len(COMPLETION)
    assert isinstance(outcome_of(portal, [http_answer(COMPLETION)], max_answer_bytes=size), ChatAnswer)
    failed = failure_of(portal, [http_answer(COMPLETION)], max_answer_bytes=size - 1)
    assert failed.reason is FailureReason.MALFORMED
    assert failed.detail == f"the engine's answer is longer than {size - 1} bytes"


def test_an_answer_that_never_ends_is_left_at_the_bound(portal: Portal) -> None:
    with RawServer(endless()) as server:
        outcome = ask(model_at(portal, f"http://{server.address}/v1"))
    assert isinstance(outcome, ChatFailure)
    assert outcome.reason is FailureReason.MALFORMED
    # What lies in the sockets' buffers counts as sent.
    assert MAX_ANSWER_BYTES < server.sent < 3 * MAX_ANSWER_BYTES


def test_a_compressed_answer_is_read(portal: Portal) -> None:
    outcome = outcome_of(portal, [http_answer(gzip.compress(COMPLETION), "Content-Encoding: gzip")])
    assert isinstance(outcome, ChatAnswer)
    assert outcome.text == "yes"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "x" * 100])
def test_an_answer_that_cannot_be_unpacked_is_none(portal: Portal, encoding: str) -> None:
    failed = failure_of(portal, [http_answer(b"\x1f\x8b nothing packed", f"Content-Encoding: {encoding}")])
    assert failed.reason in (FailureReason.UNREACHABLE, FailureReason.MALFORMED)
    assert "the call broke" not in failed.detail


def test_a_compressed_answer_is_bounded_by_what_it_unpacks_to(portal: Portal) -> None:
    bomb = gzip.compress(b" " * (512 * MIB), compresslevel=1)
    tracemalloc.start()
    try:
        failed = failure_of(portal, [http_answer(bomb, "Content-Encoding: gzip")])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert failed.detail == f"the engine's answer is longer than {MAX_ANSWER_BYTES} bytes"
    assert peak < 6 * MAX_ANSWER_BYTES


def test_an_error_that_never_ends_keeps_its_meaning(portal: Portal) -> None:
    failed = failure_of(portal, endless(status="500 Engine Died"))
    assert (failed.reason, failed.detail) == (FailureReason.UNREACHABLE, "the engine failed (500): Engine Died")


@pytest.mark.parametrize(
    "headers", [["X-Long: " + "x" * 100_000], [f"X-{number}: x" for number in range(1000)]], ids=["long", "many"]
)
def test_headers_beyond_the_bound_are_no_answer(portal: Portal, headers: list[str]) -> None:
    failed = failure_of(portal, [http_answer(COMPLETION, *headers)])
    assert failed.reason is FailureReason.MALFORMED
    assert "headers are longer than 8192 bytes" in failed.detail
    assert not failed.reason.passing, "the same call would be answered the same way again"


@pytest.mark.parametrize("garbage", [b"\x00" * 100_000, b"HTTP/1.1 \r\n\r\n", b"220 smtp ready\r\n"])
def test_what_is_not_http_is_no_answer(portal: Portal, garbage: bytes) -> None:
    failed = failure_of(portal, [garbage])
    assert failed.reason is FailureReason.MALFORMED
    assert failed.detail == "the engine's answer is no HTTP, or its headers are longer than 8192 bytes"


def test_an_engine_that_hangs_up_may_be_back(portal: Portal) -> None:
    assert failure_of(portal, [b""]).reason is FailureReason.UNREACHABLE


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"error": {"code": [], "param": {}, "type": 1, "message": {}}}', b"\xff\xfe"]
)
def test_any_body_of_an_error_is_taken(portal: Portal, body: bytes) -> None:
    failed = failure_of(portal, [http_answer(body, "Content-Type: application/json", status="400 Bad Request")])
    assert (failed.reason, failed.detail) == (
        FailureReason.REFUSED,
        "the engine refused the request (400): Bad Request",
    )


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        (b"\xef\xbb\xbf<html>", FailureReason.MALFORMED, "the engine answered a page of HTML"),
        (b": PROCESSING\n\ndata: {}", FailureReason.MALFORMED, "the engine answered with a stream"),
        (b" \n", FailureReason.MALFORMED, "the engine answered with an empty body"),
        (b'{"choices": null, "error": {"message": "no slot"}}', FailureReason.REFUSED, "no slot"),
        (b'{"error": {"code": 502}}', FailureReason.UNREACHABLE, "the engine failed (502): no reason given"),
    ],
)
def test_the_sentence_says_what_came_in_place_of_an_answer(
    portal: Portal, body: bytes, reason: FailureReason, words: str
) -> None:
    failed = failure_of(portal, [http_answer(body)])
    assert failed.reason is reason
    assert words in failed.detail


def test_a_byte_order_mark_and_odd_headers_hide_no_answer(portal: Portal) -> None:
    answer = http_answer(b"\xef\xbb\xbf" + COMPLETION, "Content-Type: ?charset=")
    assert isinstance(outcome_of(portal, [answer.replace(b"?", b"\xff\xe9")]), ChatAnswer)


def test_an_engine_that_asks_for_a_long_pause_holds_up_no_call_that_another_takes(portal: Portal) -> None:
    busy = http_answer(b"", "Retry-After: 600", status="429 Too Many Requests")
    with RawServer([busy]) as full, RawServer([http_answer(COMPLETION)]) as free:
        directory = MemoryEngineDirectory(clock=SystemClock())
        for name, server in (("a", full), ("b", free)):
            url = f"http://{server.address}/v1"
            record = EngineRecord(name=name, model="m", url=url, kind=EngineKind.VLLM, guidance=Guidance.REGEX)
            directory.publish(record, ttl_s=600)
        outcome = ask(OpenAIChatModel(directory, portal))
    assert isinstance(outcome, ChatAnswer)
    assert (len(full.heads), outcome.engine) == (1, "b")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_a_status_without_an_answer_is_no_redirect(portal: Portal, status: str) -> None:
    failed = failure_of(portal, [http_answer(b"", status=status)])
    assert failed.reason is FailureReason.MALFORMED
    assert "redirects" not in failed.detail


@pytest.mark.parametrize("status", ["401 Unauthorized", "500 Error", "200 OK"])
def test_no_sentence_repeats_the_key(portal: Portal, status: str) -> None:
    key = "sk-1234567890abcdef"
    body = json.dumps({"error": {"message": f"Incorrect key provided: {key}. Ask for another."}}).encode()
    failed = failure_of(portal, [http_answer(body, status=status)], api_key=lambda record: key)
    assert failed.detail.endswith("Incorrect key provided:")


def test_a_cookie_of_an_engine_is_not_sent_back(portal: Portal) -> None:
    with RawServer([http_answer(COMPLETION, "Set-Cookie: session=1; Path=/")]) as server:
        model = model_at(portal, f"http://{server.address}/v1")
        assert isinstance(ask(model), ChatAnswer)
        assert isinstance(ask(model), ChatAnswer)
    assert len(server.heads) == 2
    assert "cookie" not in "".join(server.heads).lower()


def test_what_the_environment_says_of_openai_does_not_reach_an_engine(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID", "BASE_URL"):
        monkeypatch.setenv(f"OPENAI_{name}", "http://secret.invalid")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Custom: secret")
    with RawServer([http_answer(COMPLETION)]) as server:
        assert isinstance(ask(model_at(portal, f"http://{server.address}/v1")), ChatAnswer)
    head = server.heads[0].lower()
    assert "secret" not in head
    assert "authorization" not in head
    assert "openai" not in head


def test_a_login_in_the_address_is_sent_as_one(portal: Portal) -> None:
    with RawServer([http_answer(COMPLETION)]) as server:
        assert isinstance(ask(model_at(portal, f"http://user:word@{server.address}/v1")), ChatAnswer)
    assert "authorization: basic dxnlcjp3b3jk" in server.heads[0].lower()
