"""Why a client could not do what it was asked: one sentence each, and the event that said so, if one did."""

from __future__ import annotations

from domain.contract import CancelledBody, ClosingBody, FailedBody, MessageRejectedBody


class ClientError(Exception):
    """What was asked could not be done; the text is one sentence that names the thing and the remedy."""


class NotConnected(ClientError):
    """NATS does not answer, refuses the login, or has closed the connection for good."""


class NotAllowed(ClientError):
    """NATS answers, and the login may not read what the client needs, or there is no stream to read."""


class InvalidMessage(ClientError, ValueError):
    """The plan or verdict would be a dead letter; nothing was published. The text is its first mistake."""

    def __init__(self, reason: str, mistakes: tuple[str, ...]) -> None:
        super().__init__(reason)
        self.mistakes = mistakes
        """A sentence for each mistake."""


class OtherContent(ClientError):
    """Another plan is stored under the message id; nothing was published."""


class NotPublished(ClientError):
    """JetStream did not confirm the message in time; it may be stored all the same."""


class NotDecided(ClientError):
    """The plan or the deliberation came to an end without a decision."""


class DeadLettered(NotDecided):
    """The bridge could not take the message in."""

    def __init__(self, event: MessageRejectedBody) -> None:
        super().__init__(f"the message {event.stream}:{event.sequence} is a dead letter: {event.reason}")
        self.event = event


class NothingAsked(NotDecided):
    """The plan names no roles, and the installation asks none by default."""


class DeliberationFailed(NotDecided):
    """A council ended without a decision, such as below its quorum."""

    def __init__(self, event: FailedBody) -> None:
        super().__init__(f"{event.deliberation_id} of role {event.role} failed: {event.reason}")
        self.event = event


class NoCouncil(DeliberationFailed):
    """Nobody deliberates for the role."""


class DeliberationCancelled(NotDecided):
    """An operator or a program ended the deliberation."""

    def __init__(self, event: CancelledBody) -> None:
        super().__init__(f"{event.deliberation_id} of role {event.role} was cancelled: {event.reason}")
        self.event = event


class NotInTime(ClientError, TimeoutError):
    """The wait is over; the deliberation goes on, and can be waited for again."""

    def __init__(self, sentence: str, ends: dict[str, ClosingBody]) -> None:
        super().__init__(sentence)
        self.ends = ends
        """Role → the end of those roles that came to theirs in time."""
