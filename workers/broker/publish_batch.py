"""kombu's batch of messages, with what goes to one list in one command."""

from __future__ import annotations

from typing import Any


class MergedCommands:
    """A pipeline of redis-py's, for what a batch is made of: messages, notifications, broadcasts.

    A group of tasks for one queue takes three commands, however many they are, and one round trip.
    """

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._pushed: dict[str, list[Any]] = {}
        self._expiries: dict[str, int] = {}
        self._broadcasts: list[tuple[str, Any]] = []

    def lpush(self, key: str, *values: Any) -> None:
        """Append to a list, in the order of the calls."""
        self._pushed.setdefault(key, []).extend(values)

    def pexpire(self, key: str, milliseconds: int) -> None:
        self._expiries[key] = milliseconds

    def publish(self, topic: str, payload: Any) -> None:
        self._broadcasts.append((topic, payload))

    def execute(self) -> None:
        """Send everything at once; raises what redis-py raises, and may have been done all the same then."""
        for key, values in self._pushed.items():
            self._pipeline.lpush(key, *values)
        for key, milliseconds in self._expiries.items():
            self._pipeline.pexpire(key, milliseconds)
        for topic, payload in self._broadcasts:
            self._pipeline.publish(topic, payload)
        self._pipeline.execute()
        self._forget()

    def reset(self) -> None:
        """Send nothing of what was added."""
        self._forget()
        self._pipeline.reset()

    def _forget(self) -> None:
        self._pushed, self._expiries, self._broadcasts = {}, {}, []
