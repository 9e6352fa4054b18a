"""The client for Python programs: `from bridge.client import Conclave`. docs/client.md shows it."""

from bridge.client.blocking import BlockingConclave
from bridge.client.conclave import Conclave
from bridge.client.errors import (
    ClientError,
    DeadLettered,
    DeliberationCancelled,
    DeliberationFailed,
    InvalidMessage,
    NoCouncil,
    NotAllowed,
    NotConnected,
    NotDecided,
    NothingAsked,
    NotInTime,
    NotPublished,
    OtherContent,
)
from domain.approval import Approval

__all__ = [
    "Approval",
    "BlockingConclave",
    "ClientError",
    "Conclave",
    "DeadLettered",
    "DeliberationCancelled",
    "DeliberationFailed",
    "InvalidMessage",
    "NoCouncil",
    "NotAllowed",
    "NotConnected",
    "NotDecided",
    "NotInTime",
    "NotPublished",
    "NothingAsked",
    "OtherContent",
]
