"""Short requests to an engine over HTTP, for the thread that watches it and for commands that examine it."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from pydantic import SecretStr

LARGEST = 8 * 1024 * 1024
LARGEST_ERROR = 2000
HTML = "it answers a page of HTML; its URL must be the API's, as in http://host:8000/v1"


class NoAnswer(Exception):
    """The engine did not answer in time, or not in its protocol; the text says what happened."""


class ErrorAnswer(NoAnswer):
    """The engine answered with an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {one_line(text, 300)}".strip())
        self.status = status


class EngineProbe:
    """Requests to one engine; each waits at most `within_s` seconds for its headers, and as long for its body."""

    def __init__(
        self, url: str, *, within_s: float, api_key: SecretStr | None = None, proxies: bool = False
    ) -> None:
        """`url`: base of its OpenAI API. `proxies`: take the environment's, for endpoints outside."""
        self.url = url.rstrip("/")
        self.root = self.url.removesuffix("/v1")
        self._within_s = within_s
        self._key = api_key.get_secret_value() if api_key else ""
        self._opener: OpenerDirector = build_opener(_NoRedirect, *([] if proxies else [ProxyHandler({})]))

    def health(self) -> None:
        """Return if the engine says it lives; raises NoAnswer."""
        self._get(f"{self.root}/health")

    def models(self) -> dict[str, int]:
        """Return the served models with their context in tokens, 0 where unknown; raises NoAnswer."""
        answer = self._json(self._get(f"{self.url}/models"))
        cards = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(cards, list):
            raise NoAnswer("its list of models is none")
        return {str(card["id"]): _context(card) for card in cards if isinstance(card, dict) and "id" in card}

    def metrics(self) -> str:
        """Return the metrics' text; raises NoAnswer."""
        return self._get(f"{self.root}/metrics")

    def _get(self, url: str) -> str:
        request = Request(url)
        if self._key:
            request.add_header("Authorization", f"Bearer {self._key}")
        try:
            with self._opener.open(request, timeout=self._within_s) as answer:
                return self._read(answer, LARGEST)
        except HTTPError as error:
            with error:
                if error.code < 400:
                    raise ErrorAnswer(error.code, "it redirects: name its final address") from error
                raise ErrorAnswer(error.code, self._words_of(error)) from error
        except (URLError, TimeoutError, OSError, http.client.HTTPException) as error:
            raise NoAnswer(str(getattr(error, "reason", error)) or type(error).__name__) from error

    def _words_of(self, error: HTTPError) -> str:
        """Return what an error says, without the key; nothing where that does not come."""
        try:
            words = self._read(error, LARGEST_ERROR)
        except (OSError, http.client.HTTPException):
            return ""
        return words.replace(self._key, "…") if self._key else words

    def _read(self, answer: Any, most_bytes: int) -> str:
        """Read a body to its bound. Raises TimeoutError: one that comes byte by byte never is silent for long."""
        until, body = time.monotonic() + self._within_s, bytearray()
        while len(body) < most_bytes and (piece := answer.read1(most_bytes - len(body))):
            body += piece
            if time.monotonic() > until:
                raise TimeoutError(f"its answer was not whole within {self._within_s:g} s")
        return body.decode("utf-8", "replace")

    def _json(self, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError as error:
            page = text.lstrip().startswith("<")
            raise NoAnswer(HTML if page else "its answer is no JSON") from error


class _NoRedirect(HTTPRedirectHandler):
    """Lets a redirect come back as the error that it is: another address must not see a key."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _context(card: dict[str, Any]) -> int:
    """Read the context from a model's card: vLLM's field, llama.cpp's (per slot), 0 for any other engine's."""
    meta = card.get("meta")
    tokens = card.get("max_model_len") or (meta.get("n_ctx") if isinstance(meta, dict) else 0)
    return tokens if isinstance(tokens, int) and tokens > 0 else 0


def one_line(text: str, longest: int) -> str:
    """Return foreign words in one printable line."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text[: 4 * longest])
    return " ".join(printable.split())[:longest]
