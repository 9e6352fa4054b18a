"""What ports and steps raise; each docstring says what the caller may do about it."""

from __future__ import annotations

from domain.engine_wait import EngineWait


class DeliberationClosed(Exception):
    """The deliberation has ended; nothing more is written to it."""


class ConclusionTakenOver(Exception):
    """Another run took the concluding step over; this one may no longer write."""


class CannotJudge(Exception):
    """The verdict can't be taken, now or later; the message says why and what to do."""


class VerdictsChanged(Exception):
    """Another verdict on the decision was recorded meanwhile; look at the verdicts again."""


class PublishFailed(Exception):
    """The broker did not confirm an event; it may or may not be stored. Publish it again under its id.

    `confirmed` and `unconfirmed` are ids. A broker that is up was sent the unconfirmed ones and stays silent
    about them: each repetition may be stored once more, so repeat them ever more rarely.
    """

    def __init__(self, reason: str, *, confirmed: tuple[str, ...] = (), unconfirmed: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.confirmed = confirmed
        self.unconfirmed = unconfirmed


class PublishRefused(PublishFailed):
    """The broker takes everything but this event, however often it is offered: it is too large."""

    def __init__(self, reason: str, event_id: str) -> None:
        super().__init__(reason)
        self.event_id = event_id


class StoreUnreconciled(Exception):
    """The store may have lost what was told; nothing ends until it was compared with the streams."""


class NewerRecord(Exception):
    """A record holds what this version does not know. A process of the version that wrote it can go on."""


class HistoryUnreadable(Exception):
    """The streams can't be read now; the message says why and what to do."""

    def __init__(self, reason: str, *, forbidden: bool = False) -> None:
        """`forbidden`: this login may not read them, so that no later call can either."""
        super().__init__(reason)
        self.forbidden = forbidden


class FeedAway(Exception):
    """Events can't be read now; the message says why. Try again."""


class NoSuchDeadLetter(LookupError):
    """There is no dead letter of that number."""


class NotReplayable(Exception):
    """A dead letter can't be sent again; the message says why."""


class SystemUnreadable(Exception):
    """A part of the installation can't be looked at; the message says why, and what to do."""


class EngineAway(Exception):
    """The engine can't answer now; the same step may succeed later.

    Raised only before `until`, in epoch seconds: afterwards the step records the failure instead.
    """

    def __init__(self, wait: EngineWait, *, until: float) -> None:
        super().__init__(f"{wait.reason}: {wait.detail}")
        self.wait = wait
        self.until = until


class CannotRepeat(Exception):
    """The deliberation can't be repeated; the message says why and what to do."""


class CannotSchedule(Exception):
    """The scheduled re-deliberation could never run; the message says why and what to do."""


class InvalidCouncils(ValueError):
    """A text does not hold councils; the message names every mistake with its place, one a line."""


class InvalidCron(ValueError):
    """The text is no cron expression, or names a day that never comes; the message says what is wrong with it."""


class RequestRefused(Exception):
    """What was asked from outside can't be taken, now or later; the message says why and what to do."""


class KeyTaken(RequestRefused):
    """Another plan was approved under the key, and stands; nothing was published. Send this one under another."""


class RequestUndelivered(Exception):
    """The message system did not take or answer a request in time; the message says what to do."""
