"""The same behind Sentinel and TLS as with a plain server."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.broker.conftest import MakeFleet
from tests.acceptance.broker.fleet import Fleet, crash, eventually
from tests.acceptance.broker.sentinels import MASTER, watched
from tests.acceptance.broker.tls import tls_before
from workers.processes.guard import Guard


def test_worker_follows_the_master_that_sentinel_names(tmp_path: Path, guard: Guard) -> None:
    with (
        watched(tmp_path, guard) as servers,
        Fleet(
            folder=tmp_path / "fleet",
            guard=guard,
            broker=servers.replica,
            results=servers.replica,
            visibility_s=4.0,
            env={"BROKER_TEST_MASTER": MASTER},
            broker_url=servers.url(0),
            result_url=servers.url(1),
        ) as fleet,
    ):
        worker = fleet.start(concurrency=3)
        header, callback = fleet.chord([1.0, 4.0])
        for task in header:
            fleet.begun(task)
        crash(servers.master)
        fleet.ended(callback)
        eventually(fleet.is_idle, "everything acknowledged at the new master")
        assert worker.running
        assert fleet.journal.count("begin", callback) == 1
        assert fleet.journal.last("end", callback).note == str(header)


def test_worker_survives_its_broker_behind_tls(tmp_path: Path, fleet_of: MakeFleet) -> None:
    plain = fleet_of()
    with tls_before(plain.broker.port, tmp_path) as (port, authority):
        urls = [f"rediss://127.0.0.1:{port}/{database}?ssl_ca_certs={authority}" for database in (0, 1)]
        fleet = Fleet(
            folder=tmp_path / "tls",
            guard=plain.guard,
            broker=plain.broker,
            results=plain.broker,
            broker_url=urls[0],
            result_url=urls[1],
        )
        with fleet:
            worker = fleet.start(concurrency=3)
            header, callback = fleet.chord([1.0, 2.0])
            for task in header:
                fleet.begun(task)
            fleet.broker.restart()
            fleet.ended(callback)
            assert worker.running
            assert set(fleet.journal.counts("begin").values()) == {1}
