"""Asks a running installation every task of a proof, as any publisher would, and checks what comes of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from bridge.intake import read
from bridge.message import InboundMessage
from bridge.rejection import Rejection
from bridge.subjects import DELIBERATION_REQUESTED
from domain.identity import deliberation_id, digest
from domain.inbound import deliberation_requested
from domain.plan import PlanRequest
from domain.proving.alone import NoSample, answer_alone
from domain.proving.checked_task import CORRECTNESS, CheckedTask
from domain.proving.outcome import SingleAgent, TaskOutcome, texts_of
from domain.record import Record
from domain.validation.words import listing
from workers.cli.cli_error import BadInput, CliError
from workers.cli.deliberation import loaded
from workers.cli.environment import open_ports
from workers.cli.output import complain
from workers.cli.proof_files import ProofFile
from workers.proving.answer_check import AnswerCheck
from workers.settings import Settings

if TYPE_CHECKING:
    from workers.cli.nats_session import NatsSession
    from workers.composition import Composition

OPENED_WITHIN_S = 60.0
"""From a request to its deliberation; longer means that no bridge or no control worker runs."""
PAST_DEADLINE_S = 60.0
"""Past a deliberation's deadline its end is no more waited for."""
LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class ProofRun:
    """One proof; tasks whose outcome is in its file are not asked again."""

    file: ProofFile
    role: str
    check: AnswerCheck

    def outcomes(
        self, settings: Settings, tasks: Sequence[CheckedTask], *, at_once: int, single: bool
    ) -> tuple[TaskOutcome, ...]:
        """Return every task's outcome, in the order of the tasks.

        Raises CliError, BadInput, StackError; what came before is in the file.
        """
        done = {outcome.task_id: outcome for outcome in self.file.outcomes()}
        waiting = [task for task in tasks if task.task_id not in done]
        complain(f"{len(waiting)} of {len(tasks)} tasks to do; `--results {self.file.path}` goes on with them")
        if waiting:
            with _installation(settings) as (ports, wire):
                self._refuse_without_council(ports)
                asker = _Asker(self, settings, ports, wire, single)
                for outcome in asker.outcomes(waiting, at_once):
                    self.file.append(outcome)
                    done[outcome.task_id] = outcome
                    complain(f"{len(done)} of {len(tasks)}: {_sentence(outcome)}")
        return tuple(done[task.task_id] for task in tasks)

    def _refuse_without_council(self, ports: Composition) -> None:
        roles = [council.role for council in ports.councils.all()]
        if self.role not in roles:
            there = (
                f"there is one for {', '.join(roles)}"
                if roles
                else "`conclave council apply --default` makes some"
            )
            raise BadInput(f"there is no council for {self.role}: {there}")


@dataclass(frozen=True)
class _Asker:
    run: ProofRun
    settings: Settings
    ports: Composition
    wire: NatsSession
    single: bool
    over: Event = field(default_factory=Event)
    """Set when the proof was broken off: what waits then, stops."""

    def outcomes(self, tasks: Sequence[CheckedTask], at_once: int) -> Iterator[TaskOutcome]:
        """Yield each outcome as it comes; the first error keeps tasks that have not begun from beginning."""
        # Made here: cached properties may be made twice by threads.
        _ = self.ports.model, self.ports.deliberations, self.ports.clock
        requests = [self._request(task) for task in tasks]
        pool = ThreadPoolExecutor(at_once)
        try:
            futures = [pool.submit(self._outcome, *pair) for pair in zip(tasks, requests, strict=True)]
            yield from (future.result() for future in as_completed(futures))
        finally:
            self.over.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _request(self, task: CheckedTask) -> tuple[bytes, PlanRequest]:
        """Return the message, and the request that a bridge makes of it. Raises BadInput where it would refuse."""
        payload = json.dumps(
            {
                "role": self.run.role,
                "question": task.question,
                "title": task.title or task.task_id,
                "request_id": f"prove-{self.run.file.head.proof}-{digest(task.task_id)}",
                "requested_by": "conclave prove",
                "acceptance_criteria": task.acceptance_criteria,
                "constraints": {"rubric": CORRECTNESS.model_dump(mode="json")},
            }
        ).encode()
        settings = self.settings
        message = InboundMessage(subject=DELIBERATION_REQUESTED, data=payload, received_at=time.time())
        intake = read(
            message,
            translate=deliberation_requested,
            max_bytes=settings.max_message_bytes,
            limits=settings.policy.limits,
        )
        if isinstance(intake, Rejection):
            head = f"task {task.task_id} can't be asked:"
            raise BadInput(listing(head, intake.mistakes, unlisted=intake.unlisted))
        return payload, intake.requests[0]

    def _outcome(self, task: CheckedTask, asked: tuple[bytes, PlanRequest]) -> TaskOutcome:
        payload, request = asked
        identity = deliberation_id(request.plan.plan_id, self.run.role, request.revision)
        if self._record(identity) is None:
            self.wire.request(payload)
        record = self._ended(identity, task)
        right = self.run.check.right(task, texts_of(record))
        outcome = TaskOutcome.of(task.task_id, record, right=right)
        return outcome.model_copy(update={"single": self._alone(task, record) if self.single else None})

    def _ended(self, identity: str, task: CheckedTask) -> Record:
        """Wait for the deliberation's end and return its record. Raises CliError where it does not come."""
        give_up_at = time.monotonic() + OPENED_WITHIN_S
        while (record := self._record(identity)) is None:
            if time.monotonic() > give_up_at:
                raise CliError(
                    f"the request of task {task.task_id} was not taken in within {OPENED_WITHIN_S:g} s: "
                    "a bridge and a control worker have to run; `conclave doctor` says what is missing"
                )
            self._pause()
        give_up_at = time.monotonic() + record.deliberation.deadline_at - time.time() + PAST_DEADLINE_S
        while record.closed is None:
            if time.monotonic() > give_up_at:
                raise CliError(f"{identity} has not ended by its deadline; `conclave doctor` says what is missing")
            self._pause()
            record = loaded(identity, self.ports.deliberations)
        return record

    def _pause(self) -> None:
        if self.over.wait(LOOK_EVERY_S):
            raise CliError("the proof was broken off")

    def _record(self, identity: str) -> Record | None:
        with suppress(LookupError):
            return self.ports.deliberations.load(identity)
        return None

    def _alone(self, task: CheckedTask, record: Record) -> SingleAgent | None:
        if not record.deliberation.agents:
            return None
        policy = self.settings.effective_policy
        try:
            answer = answer_alone(record, model=self.ports.model, clock=self.ports.clock, policy=policy)
        except NoSample as failure:
            complain(f"{task.task_id}: the single agent gave no answer: {failure}")
            return None
        return SingleAgent.of(answer, self.run.check.right(task, answer.best))


@contextmanager
def _installation(settings: Settings) -> Iterator[tuple[Composition, NatsSession]]:
    from workers.cli.nats_session import NatsSession
    from workers.composition import Composition

    with open_ports(settings), NatsSession.to(settings) as wire:
        ports = Composition(settings)
        try:
            yield ports, wire
        finally:
            ports.portal.close()


def _sentence(outcome: TaskOutcome) -> str:
    count = sum(proposal.right for proposal in outcome.proposals)
    council = "right" if outcome.winner_right else f"wrong ({outcome.reason})" if outcome.reason else "wrong"
    alone = f", single agent {outcome.single.right:.0%} right" if outcome.single else ""
    return (
        f"{outcome.task_id}: {count} of {len(outcome.proposals)} proposals right, council {council}{alone}, "
        f"{outcome.seconds:.1f} s"
    )
