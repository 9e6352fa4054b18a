"""A chord closes once and with everything, whatever happens to broker, results and messages on the way."""

from __future__ import annotations

import ast
import json
import time
import uuid
from typing import Any

import redis

from tests.acceptance.broker.conftest import MakeFleet
from tests.acceptance.broker.fleet import QUEUE, Fleet, crash, eventually


def test_callback_is_published_although_the_broker_was_away_when_the_header_ended(
    fleet_of: MakeFleet,
) -> None:
    fleet = fleet_of(visibility_s=4.0, apart=True)
    fleet.start(concurrency=3)
    header, callback = fleet.chord([1.0, 1.0, 1.0])
    for task in header:
        fleet.begun(task)
    crash(fleet.broker)
    for task in header:
        fleet.ended(task)
    time.sleep(5.0)
    fleet.broker.start()
    fleet.ended(callback)
    assert fleet.journal.last("end", callback).note == str(header)
    assert set(fleet.journal.counts("begin").values()) == {1}


def test_header_is_counted_although_the_results_were_away_when_it_ended(fleet_of: MakeFleet) -> None:
    fleet = fleet_of(visibility_s=4.0, apart=True)
    fleet.start(concurrency=3)
    header, callback = fleet.chord([1.0, 1.0, 1.0])
    for task in header:
        fleet.begun(task)
    crash(fleet.results)
    for task in header:
        fleet.ended(task)
    time.sleep(2.0)
    fleet.results.start()
    fleet.ended(callback)
    assert fleet.journal.last("end", callback).note == str(header)
    assert set(fleet.journal.counts("begin").values()) == {1}


def test_header_is_counted_although_the_results_were_away_for_longer_than_the_settings_say(
    fleet_of: MakeFleet,
) -> None:
    """Back just then, they would take the failure to count for the header's own, and the chord would fail."""
    fleet = fleet_of(visibility_s=4.0, outage_s=2.0, apart=True)
    fleet.start(concurrency=3)
    header, callback = fleet.chord([1.0, 1.0, 1.0])
    for task in header:
        fleet.begun(task)
    crash(fleet.results)
    time.sleep(3.0)
    fleet.results.start()
    fleet.ended(callback)
    assert fleet.journal.count("begin", callback) == 1
    assert fleet.journal.last("end", callback).note == str(header)


def test_header_delivered_twice_counts_once(fleet_of: MakeFleet) -> None:
    fleet = fleet_of()
    chords = [fleet.varying_chord(3) for _ in range(5)]
    for header, _ in chords:
        _double(fleet, header[0])
    fleet.start(concurrency=1)
    for _, callback in chords:
        fleet.ended(callback)
    eventually(fleet.is_idle, "queue empty")
    for header, callback in chords:
        assert fleet.journal.count("begin", header[0]) == 3
        assert fleet.journal.count("begin", callback) == 1
        counted = ast.literal_eval(fleet.journal.last("end", callback).note)
        assert [value.split()[0] for value in counted] == header


def _double(fleet: Fleet, task_id: str) -> None:
    """Let a message be delivered before all others, again, and once more when everything else is done."""
    with redis.Redis(port=fleet.broker.port) as client:
        messages: list[dict[str, Any]] = [json.loads(raw) for raw in client.lrange(QUEUE, 0, -1)]
        message = next(message for message in messages if message["headers"]["id"] == task_id)
        for push in (client.rpush, client.lpush):
            message["properties"]["delivery_tag"] = str(uuid.uuid4())
            push(QUEUE, json.dumps(message))
