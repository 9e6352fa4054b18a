"""A batch of messages takes one command for each list, and keeps their order."""

from __future__ import annotations

import pytest

from workers.broker.publish_batch import MergedCommands


class Pipeline:
    """Notes what is added, and what of it was sent."""

    def __init__(self) -> None:
        self.added: list[tuple[object, ...]] = []
        self.sent: list[list[tuple[object, ...]]] = []
        self.away = False

    def __getattr__(self, name: str) -> object:
        return lambda *arguments: self.added.append((name, *arguments))

    def execute(self) -> None:
        if self.away:
            raise ConnectionError
        self.sent.append(self.added)
        self.added = []

    def reset(self) -> None:
        self.added = []


def test_messages_of_one_list_go_out_in_one_command_and_in_order() -> None:
    pipeline = Pipeline()
    batch = MergedCommands(pipeline)
    for number in range(3):
        batch.lpush("queue", f"message {number}")
        batch.lpush("queue.bell", "")
        batch.pexpire("queue.bell", 60_000)
        batch.publish("events", f"sent {number}")
    batch.lpush("other", "message")
    batch.execute()
    assert pipeline.sent == [
        [
            ("lpush", "queue", "message 0", "message 1", "message 2"),
            ("lpush", "queue.bell", "", "", ""),
            ("lpush", "other", "message"),
            ("pexpire", "queue.bell", 60_000),
            *(("publish", "events", f"sent {number}") for number in range(3)),
        ]
    ]


def test_what_was_sent_or_dropped_is_not_sent_again() -> None:
    pipeline = Pipeline()
    batch = MergedCommands(pipeline)
    batch.lpush("queue", "first")
    batch.execute()
    batch.lpush("queue", "dropped")
    batch.reset()
    batch.lpush("queue", "second")
    pipeline.away = True
    with pytest.raises(ConnectionError):
        batch.execute()
    batch.reset()
    pipeline.away = False
    batch.execute()
    assert pipeline.sent == [[("lpush", "queue", "first")], []]
