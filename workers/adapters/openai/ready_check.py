"""The ready check: before an engine gets work it is asked what proposals and ballots ask, in its own dialect.

What it found goes into the engine's record, so that every caller asks it alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from domain.chat import ChatAnswer, ChatFailure, ChatOutcome, ChatRequest, FailureReason, Message, ScoreForm
from domain.engine import Dialect, EngineRecord, ReadyCheckResult, ThinkingSwitch
from domain.thinking import Thoughts, ThoughtsPlace
from workers.adapters.openai.engine_client import EngineClients
from workers.adapters.openai.http_client import MAX_ANSWER_BYTES
from workers.engines.errors import CannotChat
from workers.portal import Portal

SYSTEM = Message(role="system", content="You are a member of a council.")
QUESTION = (SYSTEM, Message(role="user", content="Write the single word: ready"))
BALLOT = (SYSTEM, Message(role="user", content="Score A and B from 1 to 9, one line for each, as in A: x"))
FORM = ScoreForm(lines=("A", "B"))
ANSWER_TOKENS = 16
THINKING_TOKENS = 32
"""Enough to see where a thought appears; it need not end."""
DIALECT = frozenset({FailureReason.REFUSED, FailureReason.UNREACHABLE})
"""Failures that another dialect may mend: llama.cpp and others answer 500 where a template raises."""
ANSWERED = frozenset({FailureReason.EMPTY, FailureReason.CUT_OFF})
"""Failures of engines that do answer; a model of a few megabytes may say nothing."""


class OpenAIReadyCheck:
    """ReadyCheck over OpenAI's API, on an event loop of its own: the worker's may not run yet."""

    def __init__(self, *, api_key: str, switch_chosen: bool) -> None:
        """`api_key`: empty for none. `switch_chosen`: the operator said how the engine is told not to think."""
        self._api_key = api_key
        self._switch_chosen = switch_chosen

    def __call__(self, record: EngineRecord, within_s: float) -> EngineRecord:
        """Return the record with the dialect that the engine understands and what was found out.

        Each of up to eight short calls takes `within_s` seconds at most. Raises CannotChat.
        """
        portal = Portal()
        clients = EngineClients(
            api_key=lambda record: self._api_key, max_in_flight=None, max_answer_bytes=MAX_ANSWER_BYTES
        )
        portal.before_close(clients.close)
        try:
            return portal.call(_Examination(clients, within_s).of, record, self._switch_chosen)
        finally:
            portal.close()


class _Examination:
    def __init__(self, clients: EngineClients, within_s: float) -> None:
        self._clients = clients
        self._within_s = within_s

    async def of(self, record: EngineRecord, switch_chosen: bool) -> EngineRecord:
        record, unasked = await self._understood(record, switch_chosen)
        record = _with(record, template_opens=await self._template_opens(record))
        asked = await self._ask(record, thinking_tokens=THINKING_TOKENS)
        # A second look: now it is known whether the text begins within a thought.
        unasked = await self._ask(record) if record.found.template_opens == "always" else unasked
        record = _with(record, thoughts=_thoughts(unasked, asked), place=_place(unasked, asked))
        ballot = await self._ask(record, form=FORM)
        return _with(record, ballot=_ballot(ballot), logprobs=self._probabilities(record, ballot))

    def _probabilities(self, record: EngineRecord, ballot: ChatOutcome) -> str:
        """Say whether the engine tells probabilities; one that gave no ballot leaves it open."""
        if self._clients.of(record).refuses_probabilities:
            return "refused"
        if isinstance(ballot, ChatFailure) or FORM.read(ballot.text) is None:
            return "unknown"
        return "given" if ballot.expected else "absent"

    async def _understood(self, record: EngineRecord, switch_chosen: bool) -> tuple[EngineRecord, ChatOutcome]:
        """Try dialects until the engine accepts one; raises CannotChat with what it said to the first."""
        first = None
        for dialect in _dialects(record.dialect, switch_chosen):
            tried = record.model_copy(update={"dialect": dialect})
            outcome = await self._ask(tried)
            if isinstance(outcome, ChatAnswer) or outcome.reason in ANSWERED:
                return tried, outcome
            first = first or outcome
            if outcome.reason not in DIALECT:
                break
        assert first is not None
        raise CannotChat(first.reason, first.detail)

    async def _template_opens(self, record: EngineRecord) -> str:
        client = self._clients.of(record)
        if await client.begins_thinking(record, QUESTION, thinks=False):
            return "always"
        return "on" if await client.begins_thinking(record, QUESTION, thinks=True) else "never"

    async def _ask(
        self, record: EngineRecord, *, thinking_tokens: int = 0, form: ScoreForm | None = None
    ) -> ChatOutcome:
        request = ChatRequest(
            key="ready",
            model=record.model,
            messages=BALLOT if form else QUESTION,
            max_tokens=form.max_tokens if form else ANSWER_TOKENS,
            temperature=0.0 if form else 0.7,
            seed=1,
            timeout_s=self._within_s,
            form=form,
            thinking_tokens=thinking_tokens,
        )
        client = self._clients.of(record)
        try:
            async with asyncio.timeout(self._within_s):
                return await client.answer(record, request)
        except TimeoutError:
            detail = f"no answer for {self._within_s:g} s"
            return ChatFailure(key=request.key, reason=FailureReason.TIMEOUT, detail=detail)
        except Exception as error:
            return client.failure(error, record, request)


def _dialects(dialect: Dialect, switch_chosen: bool) -> Iterator[Dialect]:
    """Yield the dialect and what an engine may understand instead: without the switch, without a system turn."""
    switches = [dialect.thinking_switch]
    if not switch_chosen and dialect.thinking_switch is not ThinkingSwitch.NONE:
        switches.append(ThinkingSwitch.NONE)
    for system_turn in [True, False] if dialect.system_turn else [False]:
        for switch in switches:
            yield dialect.model_copy(update={"thinking_switch": switch, "system_turn": system_turn})


def _with(record: EngineRecord, **found: object) -> EngineRecord:
    result = ReadyCheckResult.model_validate({**record.found.model_dump(), **found})
    return record.model_copy(update={"found": result})


def _thoughts(unasked: ChatOutcome, asked: ChatOutcome) -> Thoughts:
    if unasked.thoughts is not ThoughtsPlace.NOWHERE:
        return Thoughts.ALWAYS
    if asked.thoughts is not ThoughtsPlace.NOWHERE:
        return Thoughts.ON_DEMAND
    return Thoughts.NEVER if isinstance(asked, ChatAnswer) else Thoughts.UNKNOWN


def _place(*outcomes: ChatOutcome) -> ThoughtsPlace:
    places = (outcome.thoughts for outcome in outcomes)
    return next((place for place in places if place is not ThoughtsPlace.NOWHERE), ThoughtsPlace.NOWHERE)


def _ballot(outcome: ChatOutcome) -> str:
    if isinstance(outcome, ChatFailure):
        return "none"
    return "off_form" if FORM.read(outcome.text) is None else "kept"
