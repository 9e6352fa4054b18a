"""Why a call to an engine failed, in the domain's words; quotes no prompt and no answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from openai import APIConnectionError, APIStatusError

from domain.chat import FailureReason

BUSY = frozenset({429, 503})
TOO_LONG = re.compile(
    r"context[ _](length|size|window)|exceed_context|maximum context|longer than the maximum model", re.I
)
QUOTED = re.compile(r"['\"]?(?:input|prompt|messages)['\"]?\s*[:=]", re.I)
"""Where an engine's complaint begins to quote the request."""
LONGEST = 200


class AnswerTooLong(Exception):
    """The engine answered more than is read."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the engine's answer is longer than {limit} bytes")


class EngineBusy(Exception):
    """The engine takes no more calls now."""

    def __init__(self, detail: str, retry_after_s: float) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


def reason_of(error: Exception) -> tuple[FailureReason, str]:
    """Return the reason and one sentence for what a call to an engine raised.

    BUSY where the engine says so: the caller decides how long to try again.
    """
    if isinstance(error, APIStatusError):
        return _of_status(error)
    if isinstance(error, AnswerTooLong):
        return FailureReason.MALFORMED, str(error)
    if isinstance(error, APIConnectionError):
        return FailureReason.UNREACHABLE, f"the connection failed or broke: {_root(error)}"
    if isinstance(error, ValueError):
        return FailureReason.MALFORMED, f"the answer is not a chat completion ({type(error).__name__})"
    return FailureReason.UNREACHABLE, f"the call broke: {type(error).__name__}"


def retry_after(error: Exception) -> float:
    """Return the seconds a busy engine asks to be left alone; 0 where it names none."""
    seconds = error.response.headers.get("Retry-After", "") if isinstance(error, APIStatusError) else ""
    return float(seconds) if re.fullmatch(r"\d{1,6}(\.\d+)?", seconds) else 0.0


def complaint(error: APIStatusError) -> str:
    """Return the engine's own words, cut before they quote the request."""
    message = _message(error.response.content) or error.response.reason_phrase or "no reason given"
    return QUOTED.split(" ".join(message.split()), maxsplit=1)[0][:LONGEST].strip(" ,{[")


def _message(body: bytes) -> str:
    """Read OpenAI's form of an error, or one without its envelope; empty for any other."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for key in ("error", "message"):
        message = message.get(key, message) if isinstance(message, dict) else message
    return message if isinstance(message, str) else ""


def _of_status(error: APIStatusError) -> tuple[FailureReason, str]:
    status, message = error.status_code, complaint(error)
    if status < 400:
        address = f"{error.request.url.scheme}://{error.request.url.netloc.decode()}"
        return FailureReason.REFUSED, f"the engine at {address} redirects ({status}): name its final address"
    if status in BUSY:
        return FailureReason.BUSY, f"the engine is busy ({status}): {message}"
    if status >= 500:
        return FailureReason.UNREACHABLE, f"the engine failed ({status}): {message}"
    if status == 404:
        return FailureReason.NOT_SERVED, f"the engine does not know the model (404): {message}"
    if status in (400, 413) and TOO_LONG.search(message):
        return FailureReason.CONTEXT_EXCEEDED, f"the engine refused the prompt as too long: {message}"
    return FailureReason.REFUSED, f"the engine refused the request ({status}): {message}"


def _root(error: BaseException) -> str:
    """Name the first cause: the client's own wrappers say nothing."""
    *_, cause = _causes(error)
    message = " ".join(str(cause).split())[:LONGEST]
    return f"{type(cause).__name__}: {message}" if message else type(cause).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    yield error
    if error.__cause__ is not None:
        yield from _causes(error.__cause__)
