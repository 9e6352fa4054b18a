"""An engine's folder as an earlier release left it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from workers.engines.engine_process import adopt, end_engine
from workers.processes.sessions import boot, members, start_session, started_at


def test_an_engine_that_version_0_1_started_is_adopted_and_ended(tmp_path: Path) -> None:
    keeper = start_session(["sleep", "600"], output=subprocess.DEVNULL)
    engine = start_session(["sleep", "600"], output=subprocess.DEVNULL)
    running = {
        "id": "0123456789abcdef",
        "fingerprint": "the same",
        "port": 8000,
        "model": "small",
        "boot": boot(),
        "keeper": keeper.pid,
        "keeper_started": started_at(keeper.pid),
        "engine": engine.pid,
        "engine_started": started_at(engine.pid),
    }
    (tmp_path / "running.json").write_text(json.dumps(running))
    try:
        adopted = adopt(tmp_path, "the same")
        assert adopted is not None
        assert (adopted.pid, adopted.port) == (engine.pid, 8000)
        end_engine(tmp_path)
        assert members(engine.pid) == []
        assert members(keeper.pid) == []
        assert adopt(tmp_path, "the same") is None
    finally:
        for child in (keeper, engine):
            child.kill()
            child.wait()
