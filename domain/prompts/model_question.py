"""A question to a model as a value: what to ask, what to record of the answer, what to ask next."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeVar

from domain.chat import ChatAnswer, ChatFailure, ChatOutcome, ChatRequest, FailureReason, Message, ScoreForm
from domain.council import Agent
from domain.entry import Entry
from domain.review.presentation import ShownOrder
from domain.thinking import Thinking, room_for

Number = TypeVar("Number", int, float)
CHECK_NAME = re.compile(r"meets \d+")
"""What the lines of a checklist are called: no criterion may bear such a name there."""
LONGEST_NAME = 32
"""Characters of a criterion's name that a ballot's lines repeat."""


@dataclass(frozen=True, kw_only=True)
class ModelQuestion(ABC):
    """One model call on behalf of one agent, and the entry, or the part of one, that its outcome becomes."""

    agent: Agent
    request: ChatRequest

    @property
    def key(self) -> str:
        """Key of the entry that holds the answer (`domain.keys`); questions of one key make one entry."""
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
        """A line for each proposal to be scored and each criterion, proposal by proposal; then any checks."""
        assert self.request.form is not None
        return self.request.form

    def scores(self, answer: str) -> dict[str, dict[str, int]] | None:
        """Read proposal id → criterion → score (1 to 9) out of an answer; None if it is off form. Never raises."""
        values = self.form.read(answer)
        return None if values is None else self._by_proposal(values)

    def expected(self, outcome: ChatOutcome) -> dict[str, dict[str, float]]:
        """Return proposal id → criterion → expected score; empty where the engine did not tell it."""
        told = self._told(outcome)
        return self._by_proposal(told) if told else {}

    def _told(self, outcome: ChatOutcome) -> tuple[float, ...]:
        """Return each line's mean under the model's probabilities; empty where the engine did not tell all."""
        told = outcome.expected if isinstance(outcome, ChatAnswer) else ()
        return told if len(told) == len(self.form.rows) else ()

    def _by_proposal(self, scores: Sequence[Number]) -> dict[str, dict[str, Number]]:
        width = len(self.criteria)
        rows = (scores[row * width : (row + 1) * width] for row in range(len(self.scored)))
        return {
            proposal_id: dict(zip(self.criteria, row, strict=True))
            for proposal_id, row in zip(self.scored, rows, strict=True)
        }

    def scores_of(self, outcome: ChatOutcome) -> dict[str, dict[str, int]] | FailureReason:
        """Return the scores as written, or why there are none."""
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
        words = " and yes or no for each y" if self.form.checks else ""
        reminder = f"\nWrite exactly this with a digit for each x{words}, nothing else:\n{self.form.shape}"
        request = self.request.model_copy(
            update={
                "messages": (*before, user.model_copy(update={"content": user.content + reminder})),
                "seed": None if self.request.seed is None else self.request.seed + 1,
            }
        )
        return replace(self, request=request, reminded=True)


def score_form(labels: Sequence[str], criteria: Sequence[str], *, checks: int = 0) -> ScoreForm:
    """Return the form with a line for each label and criterion; with one criterion the label alone names it.

    `checks`: how many questions of yes or no follow for each label.
    """
    lines = tuple(f"{name} {criterion}" for name in labels for criterion in line_names(criteria))
    return ScoreForm(
        lines=tuple(labels) if len(criteria) == 1 else lines,
        checks=tuple(f"{name} {check}" for name in labels for check in _check_names(checks)),
    )


def criteria_form(criteria: Sequence[str], *, checks: int = 0) -> ScoreForm:
    """Return the form with a line for each criterion of one proposal, which the prompt names, then the checks."""
    return ScoreForm(lines=tuple(line_names(criteria)), checks=_check_names(checks))


def _check_names(checks: int) -> tuple[str, ...]:
    return tuple(f"meets {number}" for number in range(1, checks + 1))


def line_names(criteria: Sequence[str]) -> list[str]:
    """Return what criteria are called in a ballot's lines: their names, or numbers for what no form can hold.

    Names come from plans: signs that mean something to a grammar are no part of a line.
    """
    told = [" ".join(name.split())[:LONGEST_NAME].strip() for name in criteria]
    plain = all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _-]*", name) for name in told)
    if plain and len(set(told)) == len(told) and not any(CHECK_NAME.fullmatch(name) for name in told):
        return told
    return [f"criterion {number}" for number in range(1, len(criteria) + 1)]


def text_request(
    agent: Agent, key: str, system: str, *sections: str, max_tokens: int, timeout_s: float
) -> ChatRequest:
    """Ask for free text, sampled as the agent is; the user's turn is the sections, parted by blank lines."""
    return ChatRequest(
        key=key,
        model=agent.model or "",
        agent_id=agent.agent_id,
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
        agent_id=agent.agent_id,
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
