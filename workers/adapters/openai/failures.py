"""Why a call to an engine failed, in the domain's words; quotes no prompt and no answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from openai import APIConnectionError, APIStatusError

from domain.chat import FailureReason

BUSY = frozenset({429, 503})
TOO_LONG = re.compile(
    r"context[ _](length|size|window)|exceed_context|maximum context|longer than the maximum model", re.I
)
QUOTED = re.compile(r"['\"]?(?:input|prompt|messages)['\"]?\s*[:=]", re.I)
"""Where an engine's complaint begins to quote the request."""
LONGEST = 200
FEWEST_OF_KEY, FEWEST_OF_PROMPT = 12, 32
"""Characters that are taken for a quotation; shorter keys are words such as `ollama`."""

SPEAKS_OF_MODEL = re.compile(r"model", re.I)
"""In a 404: without it the path is unknown, not the model."""


class UnreadableAnswer(Exception):
    """The engine answered what is not read, such as more than the bound; the text is a sentence."""


class ErrorUnderOk(Exception):
    """The engine told of an error with the status of success, as gateways do for what stands behind them."""

    def __init__(self, status: int, complaint: str) -> None:
        """`status`: what the error's own words say, 0 for nothing."""
        super().__init__(complaint)
        self.status = status


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
        return _of_status(error.status_code, complaint(error)) if error.status_code >= 400 else _unasked(error)
    if isinstance(error, ErrorUnderOk):
        return _of_status(error.status, str(error)) if error.status else _refused("200, with an error", str(error))
    if isinstance(error, UnreadableAnswer):
        return FailureReason.MALFORMED, str(error)
    if isinstance(error, APIConnectionError):
        return FailureReason.UNREACHABLE, f"the connection failed or broke: {_root(error)}"
    if isinstance(error, ValueError):
        return FailureReason.MALFORMED, f"the answer is not a chat completion ({type(error).__name__})"
    return FailureReason.UNREACHABLE, f"the call broke: {type(error).__name__}"


def without_quotation(words: str, *, key: str, prompt: Iterable[str]) -> str:
    """Cut a sentence before it quotes the engine's key or a piece of the prompt: gateways repeat either."""
    cuts = [words.find(key[:FEWEST_OF_KEY])] if len(key) >= FEWEST_OF_KEY else []
    for text in prompt:
        flat = " ".join(text.split())
        starts = range(len(words) - FEWEST_OF_PROMPT + 1)
        cuts.append(next((at for at in starts if words[at : at + FEWEST_OF_PROMPT] in flat), -1))
    cut = min((at for at in cuts if at >= 0), default=len(words))
    return words[:cut].rstrip() or "the engine only repeated the request"


def retry_after(error: Exception) -> float:
    """Return the seconds a busy engine asks to be left alone; 0 where it names none."""
    seconds = error.response.headers.get("Retry-After", "") if isinstance(error, APIStatusError) else ""
    return float(seconds) if re.fullmatch(r"\d{1,6}(\.\d+)?", seconds) else 0.0


def complaint(error: APIStatusError) -> str:
    """Return the engine's own words, cut before they quote the request."""
    _, message = complaint_in(error.response.content)
    return message or plain(error.response.reason_phrase) or "no reason given"


def complaint_in(body: bytes) -> tuple[int, str]:
    """Read OpenAI's form of an error, or one without its envelope: a status (0 for none) and the engine's words.

    Both are empty for any other body: a page of HTML is not quoted.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return 0, ""
    status = 0
    for key in ("error", "message", "detail"):
        if isinstance(told, dict):
            status = _status(told.get("code")) or status
            told = told.get(key, told)
    return status, plain(told) if isinstance(told, str) else ""


def plain(text: str) -> str:
    """Return foreign words in one printable line of bounded length, cut before they quote the request."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text[: 4 * LONGEST])
    return QUOTED.split(" ".join(printable.split()), maxsplit=1)[0][:LONGEST].strip(" ,{[")


def _status(code: object) -> int:
    """Return an error's code if it is one of HTTP; engines write it as a number or in digits."""
    number = int(code) if isinstance(code, str) and re.fullmatch(r"[45]\d\d", code) else code
    return number if isinstance(number, int) and 400 <= number < 600 else 0


def _of_status(status: int, message: str) -> tuple[FailureReason, str]:
    if status in BUSY:
        return FailureReason.BUSY, f"the engine is busy ({status}): {message}"
    if status >= 500 or status == 408:
        return FailureReason.UNREACHABLE, f"the engine failed ({status}): {message}"
    if status == 404 and SPEAKS_OF_MODEL.search(message):
        return FailureReason.NOT_SERVED, f"the engine does not know the model (404): {message}"
    if status in (404, 405):
        remedy = "its URL must be where the API begins, as in http://host:8000/v1, without /chat/completions"
        return FailureReason.REFUSED, f"the engine has no such path ({status}): {message}; {remedy}"
    if status in (400, 413) and TOO_LONG.search(message):
        return FailureReason.CONTEXT_EXCEEDED, f"the engine refused the prompt as too long: {message}"
    return _refused(str(status), message)


def _refused(status: str, message: str) -> tuple[FailureReason, str]:
    return FailureReason.REFUSED, f"the engine refused the request ({status}): {message}"


def _unasked(error: APIStatusError) -> tuple[FailureReason, str]:
    """Say what a status between success and error means."""
    if error.status_code < 300 or error.status_code == 304:
        return FailureReason.MALFORMED, f"the engine answered with status {error.status_code}, which is no answer"
    address = f"{error.request.url.scheme}://{error.request.url.netloc.decode()}"
    return (
        FailureReason.REFUSED,
        f"the engine at {address} redirects ({error.status_code}): name its final address",
    )


def _root(error: BaseException) -> str:
    """Name the first cause: the client's own wrappers say nothing."""
    *_, cause = _causes(error)
    message = " ".join(str(cause).split())[:LONGEST]
    return f"{type(cause).__name__}: {message}" if message else type(cause).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    yield error
    if error.__cause__ is not None:
        yield from _causes(error.__cause__)
