"""One run of the concluding step: what is known so far, and how it asks models and writes down what they said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain import events
from domain.chat import ChatFailure, ChatOutcome, ChatRequest, FailureReason
from domain.deliberation import Deliberation
from domain.entry import BallotCast, Closed, Entry
from domain.errors import EngineAway
from domain.event import Event
from domain.record import Record
from domain.services import Services
from domain.statistics import tally_of


@dataclass(frozen=True)
class Question:
    """A model call and what to make of its outcome: an entry, or the question put once more."""

    key: str
    """Key of the entry that will hold the answer; a question whose entry exists isn't asked again."""
    request: ChatRequest
    settle: Callable[[ChatOutcome], Entry | Question]


class Conclusion:
    """Holds the record while a deliberation is concluded, and the token that makes this run the only writer."""

    def __init__(self, record: Record, services: Services) -> None:
        self.record = record
        self.services = services
        self._token = services.deliberations.take_over(record.deliberation.deliberation_id)

    @property
    def deliberation(self) -> Deliberation:
        return self.record.deliberation

    def now(self) -> float:
        """Return epoch seconds."""
        return self.services.clock.now()

    def timeout_s(self) -> float:
        """Return what a call starting now may take, in seconds; never 0, the deadline is checked in `ask`."""
        left = self.deliberation.deadline_at - self.now()
        return max(0.001, min(self.deliberation.call_timeout_s, left))

    def note(self, entry: Entry, news: Sequence[Event] = ()) -> Entry:
        """Write an entry and return the one under its key. Raises ConclusionTakenOver, DeliberationClosed."""
        identity = self.deliberation.deliberation_id
        counters = tally_of(self.record, entry) if isinstance(entry, Closed) else None
        standing = self.services.deliberations.record(
            identity, entry, events=news, counters=counters, token=self._token
        )
        self.record = self.record.plus(standing)
        return standing

    def ask(self, questions: Sequence[Question]) -> None:
        """Put all questions at once and write down every answer as it comes.

        Questions with an entry are passed over. Raises EngineAway, after all other answers are written down, if
        an engine was away for one and the deadline has not passed.
        """
        open_questions = [one for one in questions if one.key not in self.record.entries]
        while open_questions:
            open_questions = self._wave(open_questions)

    def _wave(self, questions: Sequence[Question]) -> list[Question]:
        by_key = {question.request.key: question for question in self._affordable(questions)}
        again: list[Question] = []
        away: ChatFailure | None = None
        for outcome in self.services.model.ask([question.request for question in by_key.values()]):
            if isinstance(outcome, ChatFailure) and self._worth_waiting(outcome):
                away = outcome
                continue
            self._settle(by_key[outcome.key], outcome, again)
        if away is not None:
            raise EngineAway(away)
        return again

    def _affordable(self, questions: Sequence[Question]) -> list[Question]:
        """Settle what time or tokens no longer allow; this run is the only writer, so its sum holds."""
        left = self.deliberation.token_budget - self.record.usage.completion_tokens
        late = self.now() >= self.deliberation.deadline_at
        affordable = []
        for question in questions:
            left -= question.request.max_tokens
            reason = FailureReason.DEADLINE if late else FailureReason.BUDGET if left < 0 else None
            if reason is None:
                affordable.append(question)
            else:
                refusal = ChatFailure(key=question.request.key, reason=reason, detail=self._unaffordable(reason))
                self._settle(question, refusal, [])
        return affordable

    def _unaffordable(self, reason: FailureReason) -> str:
        if reason is FailureReason.DEADLINE:
            return "nothing was asked, since the deliberation's deadline has passed"
        return f"nothing was asked, since the budget of {self.deliberation.token_budget} tokens is spent"

    def _worth_waiting(self, failure: ChatFailure) -> bool:
        return failure.reason.passing and self.now() < self.deliberation.deadline_at

    def _settle(self, question: Question, outcome: ChatOutcome, again: list[Question]) -> None:
        settled = question.settle(outcome)
        if isinstance(settled, Question):
            again.append(settled)
            return
        entry = self.note(settled)
        stage = "ballot" if isinstance(entry, BallotCast) else entry.kind
        self.tell(stage, entry.key)

    def tell(self, stage: str, what: str) -> None:
        """Publish progress."""
        event = events.progress(self.deliberation, at=self.now(), stage=stage, what=what, body={})
        self.services.publisher.publish_progress([event])
