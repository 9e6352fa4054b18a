"""One run of the concluding step: its record so far, how it puts questions to models and records the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.chat import ChatFailure, ChatOutcome, FailureReason
from domain.contract import ProgressStage
from domain.deliberation import Deliberation
from domain.engine_wait import EngineWait
from domain.entry import BallotCast, Entry
from domain.errors import EngineAway
from domain.events import progress
from domain.keys import parse_key
from domain.ports.chat_model import arrived_with
from domain.prompts.model_question import ModelQuestion
from domain.prompts.parts import Parts
from domain.record import Record
from domain.services import Services

STAGES: Mapping[str, ProgressStage] = {
    "proposal": "proposal",
    "ballot": "ballot",
    "comparison": "comparison",
    "critique": "critique",
    "architect": "architect",
}
"""Kind of an answer's key → stage of its progress; a revision that failed has a proposal's key."""


class Conclusion:
    """Holds the record while a deliberation is concluded, and the `token` that makes this run the only writer."""

    def __init__(self, record: Record, services: Services, waited: EngineWait | None = None) -> None:
        """`waited`: what earlier runs met where an engine was away."""
        self.record_so_far = record
        self._waited = waited
        self._parts = Parts(())
        self.services = services
        self.token = services.deliberations.take_over(record.deliberation.deliberation_id)

    @property
    def deliberation(self) -> Deliberation:
        """The deliberation that this run concludes."""
        return self.record_so_far.deliberation

    def now(self) -> float:
        """Return epoch seconds, never before what is recorded: clocks of hosts differ, if by little."""
        return max(self.services.clock.now(), self.record_so_far.progress_at)

    def timeout_s(self) -> float:
        """Return the bound on a call that starts now, in seconds; never 0, since `ask` looks at the deadline."""
        left = self.deliberation.deadline_at - self.now()
        return max(0.001, min(self.deliberation.call_timeout_s, left))

    def record(self, entry: Entry) -> Entry:
        """Record an answer; return the entry that stands under its key.

        Raises ConclusionTakenOver, DeliberationClosed.
        """
        (standing,) = self._record_all([entry])
        return standing

    def _record_all(self, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        identity = self.deliberation.deliberation_id
        standing = self.services.deliberations.record_all(identity, entries, token=self.token)
        for entry in standing:
            self.record_so_far = self.record_so_far.plus(entry)
        return standing

    def publish_progress(self, stage: ProgressStage, what: str) -> None:
        """Publish that a part of the conclusion is done; `what` is its key."""
        event = progress(self.deliberation, at=self.now(), stage=stage, what=what)
        self.services.publisher.publish_progress([event])

    def ask(self, questions: Sequence[ModelQuestion]) -> None:
        """Put all questions at once and record every answer as it comes, then put the retries likewise.

        Questions with an entry are passed over; those that share a key make one entry, recorded when the last is
        answered. Answers that come at one moment are recorded in one step. Raises EngineAway, after all other
        entries are recorded, if an engine was away for one and the deadline has not passed.
        """
        unanswered = [question for question in questions if question.key not in self.record_so_far.entries]
        self._parts = Parts(unanswered)
        while unanswered:
            unanswered = self._ask_at_once(unanswered)

    def _ask_at_once(self, questions: Sequence[ModelQuestion]) -> list[ModelQuestion]:
        """Return the questions that the answers lead to."""
        by_key = {question.request.key: question for question in self._affordable(questions)}
        retries: list[ModelQuestion] = []
        away: EngineWait | None = None
        outcomes = self.services.model.ask([question.request for question in by_key.values()])
        for first in outcomes:
            answered: list[tuple[ModelQuestion, ChatOutcome]] = []
            for outcome in (first, *arrived_with(outcomes)):
                question = by_key[outcome.key]
                if isinstance(outcome, ChatFailure) and self._worth_waiting(question, outcome):
                    away = EngineWait.after(self._waited, outcome, now=self.now())
                elif (retry := question.retry(outcome)) is not None:
                    retries.append(retry)
                else:
                    answered.append((question, outcome))
            self._record_answers(answered)
        if away is not None:
            raise EngineAway(away, until=self.deliberation.deadline_at)
        return retries

    def _affordable(self, questions: Sequence[ModelQuestion]) -> list[ModelQuestion]:
        """Record those that time or tokens no longer allow; this run is the only writer, so its sum holds."""
        left = self.deliberation.token_budget - self.record_so_far.usage.completion_tokens
        late = self.now() >= self.deliberation.deadline_at
        affordable = []
        for question in questions:
            left -= question.request.max_tokens + question.request.thinking_tokens
            reason = FailureReason.DEADLINE if late else FailureReason.BUDGET if left < 0 else None
            if reason is None:
                affordable.append(question)
            else:
                self._record_answers([(question, self._unaffordable(question, reason))])
        return affordable

    def _unaffordable(self, question: ModelQuestion, reason: FailureReason) -> ChatFailure:
        if reason is FailureReason.DEADLINE and self._waited:
            reason, detail = self._waited.reason, self._waited.sentence
        elif reason is FailureReason.DEADLINE:
            detail = "nothing was asked, since the deliberation's deadline has passed"
        else:
            detail = f"nothing was asked, since the budget of {self.deliberation.token_budget} tokens is spent"
        return ChatFailure(key=question.request.key, reason=reason, detail=detail)

    def _worth_waiting(self, question: ModelQuestion, failure: ChatFailure) -> bool:
        """Whether to ask again later: not for a model that no worker serves or starts, beyond the wait for it."""
        now = self.now()
        if not failure.reason.passing or now >= self.deliberation.deadline_at:
            return False
        if failure.reason is not FailureReason.NOT_SERVED or not self._waited:
            return True
        if now - self._waited.since < self.services.policy.model_wait_s:
            return True
        return any(engine.model == question.request.model for engine in self.services.engines.all())

    def _record_answers(self, answered: Sequence[tuple[ModelQuestion, ChatOutcome]]) -> None:
        """Record answers that have come at one moment, then tell of each."""
        whole: dict[str, Entry] = {}
        for question, outcome in answered:
            entry: Entry | None = question.entry(outcome, at=self.now())
            if isinstance(entry, BallotCast):
                entry = self._parts.plus(entry)
            if entry is not None:
                whole.setdefault(entry.key, entry)
        if not whole:
            return
        for entry in self._record_all(list(whole.values())):
            self.publish_progress(STAGES[parse_key(entry.key).kind], entry.key)
