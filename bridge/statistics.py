"""What one bridge process has done since its start; read by metrics and by the micro service."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field


@dataclass
class SubjectStatistics:
    """Counters of one inbound subject, since the process started unless they say otherwise."""

    fetched: int = 0
    """Deliveries, repeated ones included."""
    redelivered: int = 0
    """Deliveries after the first of the same message."""
    accepted: int = 0
    """Messages whose requests the broker has, or that hold none."""
    rejected: int = 0
    """Messages that became dead letters."""
    naks: int = 0
    """Deliveries answered with a nak because the Dispatcher or a publication failed."""
    lost: int = 0
    """Messages that left the stream before a bridge read them, at most; each loss is counted by one bridge."""
    unconfirmed: int = 0
    """Acks without a confirmation of the server; the message is delivered again."""
    pending: int = 0
    """Messages in the stream that no bridge has fetched yet, at the last look: the lag."""
    ack_pending: int = 0
    """Messages delivered to some bridge and not acknowledged, at the last look."""
    last_error: str = ""


@dataclass
class BridgeStatistics:
    """Counters of one bridge process, by subject; written by its event loop, read from anywhere."""

    subjects: dict[str, SubjectStatistics] = field(default_factory=dict)
    connected: bool = False
    dead_letters: int = 0
    """Dead letters at the last look."""
    fill: dict[str, float] = field(default_factory=dict)
    """Stream that is read from → how near it was at the last look to refusing messages or dropping unread ones."""
    sessions: int = 0
    """Connections made; more than one means that the client had given up."""

    def of(self, subject: str) -> SubjectStatistics:
        """Return the counters of a subject."""
        return self.subjects.setdefault(subject, SubjectStatistics())

    def as_dict(self) -> dict[str, object]:
        """Return plain values, as a JSON object has them."""
        return asdict(self)
