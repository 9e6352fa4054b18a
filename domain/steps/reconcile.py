"""Compare the streams with a store that may have lost something, and give it back what it lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from domain.contract import CancelledBody, CompletedBody, DeliberationHead, FailedBody, StartedBody
from domain.entry import Entry, Opened
from domain.errors import HistoryUnreadable
from domain.identity import deliberation_id, request_id
from domain.plan import PlanRequest
from domain.policy import Policy
from domain.ports.continuity import Continuity
from domain.ports.deliberation_store import DeliberationStore
from domain.ports.dispatcher import Dispatcher
from domain.ports.event_history import EventHistory
from domain.ports.meter import Meter
from domain.ports.plan_store import PlanStore
from domain.ports.verdict_store import VerdictStore
from domain.restoring import FORGOTTEN, FORGOTTEN_REPEAT, decided_as_told, entries_as_told, refused_as_told
from domain.steps.ending import end_deliberation
from domain.steps.restore_verdicts import restore_verdicts
from domain.value import Value

AT_ONCE = 100
"""Requests handed to the dispatcher together."""


class Reconciled(Value):
    """What was done; each id stands under one name."""

    taken_in: tuple[str, ...] = ()
    """Requests whose approval was acknowledged and that no store knew: they are dispatched now."""
    ended: tuple[str, ...] = ()
    """Deliberations that were open here and whose end had been told: it stands as told."""
    restored: tuple[str, ...] = ()
    """Deliberations that ended and were unknown here: known again, as far as their events tell."""
    judged: tuple[str, ...] = ()
    """Verdicts that were unknown here: they stand as told, or are told now."""
    forgotten: tuple[str, ...] = ()
    """Deliberations that began, were unknown here and can't be taken up again: they fail with a sentence."""
    foreign: tuple[str, ...] = ()
    """What events under our types name that can't be ours, or can't be kept: passed over."""
    unread: str = ""
    """Why the streams were not compared at all, and never can be by this login; empty where they were."""

    @property
    def sentence(self) -> str:
        """What was done, for people."""
        if self.unread:
            return f"the store may have lost something, and was not compared with the streams: {self.unread}"
        counts = (
            (len(self.taken_in), "approvals taken in again"),
            (len(self.ended), "deliberations ended as told"),
            (len(self.restored), "ended deliberations restored"),
            (len(self.judged), "verdicts restored"),
            (len(self.forgotten), "deliberations failed because nothing is left of them"),
            (len(self.foreign), "events passed over, from which nothing can be restored"),
        )
        return ", ".join(f"{what}: {count}" for count, what in counts if count) or "nothing was missing"


def close_gap(
    *,
    continuity: Continuity,
    history: EventHistory,
    plans: PlanStore,
    deliberations: DeliberationStore,
    verdicts: VerdictStore,
    dispatcher: Dispatcher,
    meter: Meter,
    policy: Policy,
) -> Reconciled | None:
    """Reconcile where the store has a gap, and note that; None where it has none.

    Where this login may never read the streams the gap is closed all the same, since no deliberation could end
    otherwise. Raises HistoryUnreadable where they can't be read for now.
    """
    gap = continuity.gap()
    if gap is None:
        return None
    try:
        done = reconcile(
            gap.since,
            history=history,
            plans=plans,
            deliberations=deliberations,
            verdicts=verdicts,
            dispatcher=dispatcher,
            meter=meter,
            policy=policy,
        )
    except HistoryUnreadable as error:
        if not error.forbidden:
            raise
        done = Reconciled(unread=str(error))
    continuity.close(gap)
    return done


def reconcile(
    since: float,
    *,
    history: EventHistory,
    plans: PlanStore,
    deliberations: DeliberationStore,
    verdicts: VerdictStore,
    dispatcher: Dispatcher,
    meter: Meter,
    policy: Policy,
) -> Reconciled:
    """Give the store what the streams hold since that moment (epoch seconds) and it does not.

    Told ends first, so that nothing is decided again; then verdicts on them; then what was asked. Harmless where
    nothing is missing, and when several processes do it at once. Raises HistoryUnreadable.
    """
    begun = tuple(history.started(since))  # before the requests, so that none of it is without its own
    asked: dict[str, PlanRequest] = {}
    for request in history.requests(since):
        asked.setdefault(request.request_id, request)
    told, ended, restored, foreign = set[str](), list[str](), list[str](), list[str]()
    for end in history.ends(since):
        told.add(end.deliberation_id)
        try:
            opened = _opened(end, asked, deliberations, plans, policy)
        except ValueError:
            foreign.append(end.deliberation_id)
            continue
        if _end_as_told(end, deliberations, meter):
            (restored if opened else ended).append(end.deliberation_id)
    judged = restore_verdicts(since, history=history, deliberations=deliberations, verdicts=verdicts)
    unknown = [request for request in asked.values() if not _is_known(request, plans)]
    for first in range(0, len(unknown), AT_ONCE):
        dispatcher.plans(unknown[first : first + AT_ONCE])
    forgotten = []
    for start in begun:
        if start.deliberation_id not in told and _is_forgotten(start, asked, deliberations):
            try:
                forgotten.append(_give_up(start, plans, deliberations, dispatcher, policy))
            except ValueError:
                foreign.append(start.deliberation_id)
    return Reconciled(
        taken_in=tuple(request.request_id for request in unknown),
        ended=tuple(ended),
        restored=tuple(restored),
        judged=judged,
        forgotten=tuple(forgotten),
        foreign=tuple(foreign),
    )


def _opened(
    end: CompletedBody | FailedBody | CancelledBody,
    asked: Mapping[str, PlanRequest],
    deliberations: DeliberationStore,
    plans: PlanStore,
    policy: Policy,
) -> bool:
    """Open what ended and is unknown, as far as its end tells; False where the store knows it."""
    try:
        deliberations.load(end.deliberation_id)
        return False
    except LookupError:
        request = _request(end, asked, plans)
        entries: tuple[Entry, ...] = ()
        if isinstance(end, CompletedBody):
            deliberation, entries = decided_as_told(request, end, policy), tuple(entries_as_told(end))
        else:
            deliberation = refused_as_told(request, end, end.reason or FORGOTTEN, policy, now=end.timestamp)
        for entry in (Opened(deliberation=deliberation), *entries):
            deliberations.record(end.deliberation_id, entry)
        return True


def _end_as_told(
    end: CompletedBody | FailedBody | CancelledBody, deliberations: DeliberationStore, meter: Meter
) -> bool:
    record = deliberations.load(end.deliberation_id)
    if record.closed is not None:
        return False
    end_deliberation(record, end, deliberations=deliberations, meter=meter, told=True)
    return True


def _is_known(request: PlanRequest, plans: PlanStore) -> bool:
    try:
        plans.load(request.request_id)
    except LookupError:
        return False
    return True


def _request(told: DeliberationHead, asked: Mapping[str, PlanRequest], plans: PlanStore) -> PlanRequest | None:
    identity = request_id(told.plan_id, told.revision)
    try:
        return asked.get(identity) or plans.load(identity)
    except LookupError:
        return None


def _is_forgotten(start: StartedBody, asked: Collection[str], deliberations: DeliberationStore) -> bool:
    """Whether neither the store knows it nor the dispatch of an approval opens it again."""
    by_approval = start.deliberation_id == deliberation_id(start.plan_id, start.role, start.revision)
    if by_approval and request_id(start.plan_id, start.revision) in asked:
        return False
    try:
        deliberations.load(start.deliberation_id)
    except LookupError:
        return True
    return False


def _give_up(
    start: StartedBody,
    plans: PlanStore,
    deliberations: DeliberationStore,
    dispatcher: Dispatcher,
    policy: Policy,
) -> str:
    """Open it without a council, so that its conclusion ends it, or the sweep where this is interrupted."""
    request = _request(start, {}, plans)
    reason = FORGOTTEN if request is None else FORGOTTEN_REPEAT.format(start.deliberation_id)
    refused = refused_as_told(request, start, reason, policy, now=start.timestamp)
    deliberations.record(start.deliberation_id, Opened(deliberation=refused))
    dispatcher.deliberation(refused, ())
    return start.deliberation_id
