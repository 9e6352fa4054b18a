"""What the fleet knows of an engine."""

from __future__ import annotations

import pytest

from domain.engine import EngineKind, EngineRecord, Guidance


@pytest.mark.parametrize(
    ("url", "node", "reachable"),
    [
        ("http://127.0.0.1:1/v1", "gpu-1", True),
        ("http://127.0.0.1:1/v1", "", True),
        ("http://127.0.0.1:1/v1", "gpu-2", False),
        ("http://localhost:1/v1", "gpu-2", False),
        ("http://[::1]:1/v1", "gpu-2", False),
        ("http://10.0.0.2:1/v1", "gpu-2", True),
    ],
)
def test_another_hosts_loopback_is_not_reachable(url: str, node: str, reachable: bool) -> None:
    record = EngineRecord(
        name="engine", model="m", url=url, kind=EngineKind.VLLM, guidance=Guidance.REGEX, node=node
    )
    assert record.reachable_from("gpu-1") is reachable
