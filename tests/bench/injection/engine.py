"""A real engine, asked directly: one POST a request, a few at once."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from domain.chat import ChatRequest
from workers.adapters.openai.expected_scores import expected_scores
from workers.engines.guided_decoding import Grammar, GuidedDecoding, JsonSchema, Regex

NOTATIONS: dict[str, GuidedDecoding] = {"grammar": Grammar(), "regex": Regex(), "json_schema": JsonSchema()}


@dataclass(frozen=True)
class Answer:
    """A ballot's text, and what the model would have scored on average."""

    text: str
    expected: tuple[float, ...] = ()
    """For each digit the mean under the model's probabilities, digits before it being those of the text.

    A small model may write the same digits whatever it reads; its probabilities still move. Empty where the
    engine does not tell them for every digit of the form.
    """


class Engine:
    """An OpenAI-compatible endpoint and the way it is made to answer in form."""

    def __init__(self, *, url: str, model: str, notation: str, logprobs: int, parallel: int) -> None:
        """`url` ends in /v1; `logprobs` is how many tokens' probabilities to ask for at each place, 0 for none.

        `parallel` requests run at once: one suits llama.cpp, whose slots each read a shared prefix anew.
        """
        self.url = f"{url.rstrip('/')}/chat/completions"
        self.model = model
        self.notation = NOTATIONS[notation]
        self.logprobs = logprobs
        self.parallel = parallel

    def ask(self, requests: Sequence[ChatRequest]) -> list[Answer]:
        """Return the answers in the order of the requests; raises OSError for an engine out of reach."""
        with ThreadPoolExecutor(self.parallel) as pool:
            return list(pool.map(self._answer, requests))

    def _answer(self, request: ChatRequest) -> Answer:
        assert request.form is not None
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [message.model_dump() for message in request.messages],
            "max_tokens": self.notation.max_tokens(request.form, request.max_tokens),
            "temperature": request.temperature,
            **({"logprobs": True, "top_logprobs": self.logprobs} if self.logprobs else {}),
            **self.notation.request_fields(request.form),
        }
        post = urllib.request.Request(self.url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(post, timeout=request.timeout_s) as answer:
            choice = json.load(answer)["choices"][0]
        text = self.notation.compact_text(choice["message"]["content"], request.form)
        told = choice["message"]["content"]
        return Answer(text=text, expected=expected_scores(choice.get("logprobs"), told, request.form))
