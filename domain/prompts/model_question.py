"""A question to a model as a value: what to ask, what to record of the answer, what to ask next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Self

from domain.chat import ChatFailure, ChatOutcome, ChatRequest, FailureReason, Message, ScoreForm
from domain.council import Agent
from domain.entry import Entry
from domain.review.presentation import ShownOrder
from domain.thinking import Thinking, room_for


@dataclass(frozen=True, kw_only=True)
class ModelQuestion(ABC):
    """One model call on behalf of one agent, and the entry that its outcome becomes."""

    agent: Agent
    request: ChatRequest

    @property
    def key(self) -> str:
        """Key of the entry that holds the answer (`domain.keys`), and of the request."""
        return self.request.key

    @abstractmethod
    def entry(self, outcome: ChatOutcome, *, at: float) -> Entry:
        """Return what to record under `key`; `at` is the time of the outcome in epoch seconds."""

    def retry(self, outcome: ChatOutcome) -> Self | None:
        """Return the question to ask instead of recording this outcome; None for an outcome to be recorded."""
        return None


@dataclass(frozen=True, kw_only=True)
class ScoreQuestion(ModelQuestion):
    """A question that is answered with scores in a form, and asked again after a first answer off the form."""

    shown_order: ShownOrder
    scored: tuple[str, ...]
    """Proposal ids to be scored, in the order of the form's rows; never the agent's own."""
    criteria: tuple[str, ...]
    """In the order of the form's columns."""
    reminded: bool = False

    @property
    def form(self) -> ScoreForm:
        """A row for each proposal to be scored, a column for each criterion."""
        return ScoreForm(rows=len(self.scored), columns=len(self.criteria))

    def scores(self, answer: str) -> dict[str, dict[str, int]] | None:
        """Read proposal id → criterion → score (1 to 9) out of an answer; None if it is off form. Never raises."""
        rows = self.form.read(answer)
        if rows is None:
            return None
        by_criterion = [dict(zip(self.criteria, row, strict=True)) for row in rows]
        return dict(zip(self.scored, by_criterion, strict=True))

    def scores_of(self, outcome: ChatOutcome) -> dict[str, dict[str, int]] | FailureReason:
        """Return the scores, or why there are none."""
        if isinstance(outcome, ChatFailure):
            return outcome.reason
        scores = self.scores(outcome.text)
        return FailureReason.MALFORMED if scores is None else scores

    def retry(self, outcome: ChatOutcome) -> Self | None:
        """Return the question with a reminder of the form after a first answer off form.

        The prompt's prefix stays, so that the repetition costs no prefill; a seed, if there is one, moves on.
        """
        if self.reminded or isinstance(outcome, ChatFailure) or self.scores(outcome.text) is not None:
            return None
        *before, user = self.request.messages
        reminder = f" Write exactly {self.form.shape} with a digit for each x, nothing else."
        request = self.request.model_copy(
            update={
                "messages": (*before, user.model_copy(update={"content": user.content + reminder})),
                "seed": None if self.request.seed is None else self.request.seed + 1,
            }
        )
        return replace(self, request=request, reminded=True)


def text_request(
    agent: Agent, key: str, system: str, *sections: str, max_tokens: int, timeout_s: float
) -> ChatRequest:
    """Ask for free text, sampled as the agent is; the user's turn is the sections, parted by blank lines."""
    return ChatRequest(
        key=key,
        model=agent.model or "",
        messages=_turns(system, *sections),
        max_tokens=max_tokens,
        temperature=agent.temperature,
        seed=agent.seed,
        thinking_tokens=room_for(agent.thinking),
        timeout_s=timeout_s,
    )


def score_request(
    agent: Agent,
    key: str,
    system: str,
    *sections: str,
    form: ScoreForm,
    thinking: Thinking | None,
    timeout_s: float,
) -> ChatRequest:
    """Ask for scores in a form, at temperature 0; `thinking` is whether the model thinks before."""
    return ChatRequest(
        key=key,
        model=agent.model or "",
        messages=_turns(system, *sections),
        max_tokens=form.max_tokens,
        seed=agent.seed,
        timeout_s=timeout_s,
        form=form,
        thinking_tokens=room_for(thinking),
    )


def _turns(system: str, *sections: str) -> tuple[Message, ...]:
    return (
        Message(role="system", content=system),
        Message(role="user", content="\n\n".join(section for section in sections if section)),
    )
