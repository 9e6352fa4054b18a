"""A bridge ends soon after SIGTERM, whatever it waits for."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from tests.support.fleet import Fleet
from tests.support.servers import NatsServer, ValkeyServer
from workers.processes.guard import Guard

BEFORE_ITS_KILL_S = 30.0
"""Compose kills a bridge then."""


def test_a_bridge_whose_store_is_silent_ends(tmp_path: Path, guard: Guard) -> None:
    with (
        NatsServer(tmp_path / "nats", guard=guard) as nats,
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        Fleet(tmp_path, guard, nats_url=nats.url, redis_url=valkey.url) as fleet,
    ):
        bridge = fleet.bridge().start()
        valkey.freeze()
        time.sleep(2.0)  # until it has asked the store how much may come in, as it does every second
        began = time.monotonic()
        assert bridge.end(signal.SIGTERM, within=60.0) == 0
        assert time.monotonic() - began < BEFORE_ITS_KILL_S, bridge.log.tail(20)
        valkey.thaw()


def test_a_bridge_whose_nats_is_silent_ends(tmp_path: Path, guard: Guard) -> None:
    with (
        NatsServer(tmp_path / "nats", guard=guard) as nats,
        ValkeyServer(tmp_path / "valkey", guard=guard) as valkey,
        Fleet(tmp_path, guard, nats_url=nats.url, redis_url=valkey.url) as fleet,
    ):
        bridge = fleet.bridge().start()
        nats.freeze()
        time.sleep(2.0)
        began = time.monotonic()
        assert bridge.end(signal.SIGTERM, within=60.0) == 0
        assert time.monotonic() - began < BEFORE_ITS_KILL_S, bridge.log.tail(20)
        nats.thaw()
