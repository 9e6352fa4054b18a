"""A ChatModel that answers from a script: proposals, ballots by a preference, faults on order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from domain.chat import ChatAnswer, ChatFailure, ChatOutcome, ChatRequest, FailureReason

ALONE = ""
"""The label of a proposal that is shown by itself."""
Script = Callable[[ChatRequest, int], ChatOutcome | None]
"""Gets a request and the number of earlier requests under its key; None leaves the answer to the model."""


class ScriptedModel:
    """Answers every request at once and keeps all requests.

    A ballot gives every proposal the scores that `liking` gives its text; by default the longer text is better. Of
    two that it compares it chooses the one that it likes better, else the first.
    """

    def __init__(self, *, liking: Callable[[str], int] = lambda text: min(9, max(1, len(text) // 20))) -> None:
        self.requests: list[ChatRequest] = []
        self.waves: list[list[ChatRequest]] = []
        self._liking = liking
        self._script: Script = lambda request, before: None

    def follow(self, script: Script) -> None:
        """Let a script decide about requests first."""
        self._script = script

    def ask(self, requests: Sequence[ChatRequest]) -> Iterator[ChatOutcome]:
        self.waves.append(list(requests))
        for request in requests:
            before = sum(earlier.key == request.key for earlier in self.requests)
            self.requests.append(request)
            yield self._script(request, before) or self._answer(request)

    def _answer(self, request: ChatRequest) -> ChatAnswer:
        text = self._ballot(request) if request.form else f"Proposal by seed {request.seed}: " + "step. " * 12
        return answer(request, text)

    def _ballot(self, request: ChatRequest) -> str:
        prompt = request.messages[-1].content
        texts = dict(re.findall(r"=== \w+ PROPOSAL ?([A-Z]*) ===\n(.*?)\n=== ", prompt, flags=re.DOTALL))
        assert request.form is not None
        if request.form.highest == 2:
            one, other = (self._liking(texts[name]) for name in re.findall(r"\d: PROPOSAL ([A-Z])\.", prompt))
            return f"better: {1 if one >= other else 2}"
        labels = [ALONE if ALONE in texts else name.split()[0] for name in request.form.lines]
        scores = zip(request.form.lines, labels, strict=True)
        told = [f"{name}: {self._liking(texts[label])}" for name, label in scores]
        return "\n".join([*told, *(self._check(name, texts) for name in request.form.checks)])

    def _check(self, name: str, texts: Mapping[str, str]) -> str:
        """Say yes of a text that is liked by half, to all criteria but the third."""
        text = texts[ALONE if ALONE in texts else name.split()[0]]
        return f"{name}: {'yes' if self._liking(text) >= 5 and not name.endswith(' 3') else 'no'}"


def answer(request: ChatRequest, text: str, **changes: object) -> ChatAnswer:
    """Return an answer to the request with plausible counts."""
    values = {"prompt_tokens": 100, "completion_tokens": len(text) // 4, "duration_ms": 5.0, "engine": "scripted"}
    return ChatAnswer.model_validate({"key": request.key, "model": request.model, "text": text} | values | changes)


def failure(request: ChatRequest, reason: FailureReason) -> ChatFailure:
    """Return a failure of the request."""
    return ChatFailure(key=request.key, reason=reason, detail=f"scripted {reason}")
