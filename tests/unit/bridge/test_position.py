"""How many messages may have left a stream unread between two looks."""

from __future__ import annotations

import pytest

from bridge.position import Position, fill_of, gone_between


def at(*, first: int, last: int = 100, delivered: int, deliveries: int = 0, recorded: int = 0) -> Position:
    return Position(
        identity="one",
        first=first,
        last=last,
        delivered=delivered,
        deliveries=deliveries,
        pending=0,
        ack_pending=0,
        recorded=recorded,
        refuses=False,
        fill=0.0,
        config={},
    )


@pytest.mark.parametrize(
    ("now", "gone"),
    [
        (at(first=1, delivered=5), 0),
        (at(first=6, delivered=5), 0),
        (at(first=10, delivered=5), 4),
        (at(first=10, delivered=9), 0),
        (at(first=10, delivered=20, deliveries=15), 0),
        (at(first=10, delivered=20, deliveries=12), 3),
        (at(first=10, delivered=20, deliveries=3), 4),
        (at(first=10, delivered=7, deliveries=2), 2),
    ],
    ids=[
        "nothing",
        "all read",
        "unread",
        "purged",
        "read in time",
        "three unread",
        "more unread than gone",
        "some read, more gone",
    ],
)
def test_what_was_not_delivered_before_it_left_is_gone(now: Position, gone: int) -> None:
    assert gone_between(at(first=1, delivered=5), now, read_to=5) == gone


def test_a_server_that_knows_less_than_the_bridge_makes_no_loss() -> None:
    assert gone_between(at(first=1, delivered=50), at(first=40, delivered=3), read_to=50) == 0


@pytest.mark.parametrize(("recorded", "gone"), [(0, 7), (6, 3), (9, 0)])
def test_what_bridges_have_recorded_counts_as_read(recorded: int, gone: int) -> None:
    assert at(first=10, delivered=2, recorded=recorded).gone == gone


@pytest.mark.parametrize(
    ("config", "fill"),
    [
        ({"max_bytes": -1, "max_msgs": -1}, 0.0),
        ({"max_bytes": 0, "max_msgs": 0}, 0.0),
        ({"max_bytes": 100, "max_msgs": -1}, 0.5),
        ({"max_bytes": 100, "max_msgs": 4}, 0.75),
    ],
)
def test_the_limit_that_is_nearest_counts(config: dict[str, int], fill: float) -> None:
    assert fill_of(config, {"bytes": 50, "messages": 3}) == fill
