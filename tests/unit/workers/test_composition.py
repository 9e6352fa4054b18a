"""What operators set reaches the parts that it is for."""

from __future__ import annotations

from bridge.streams import StreamLimits
from workers.composition import bridge_options
from workers.settings import Settings


def test_every_limit_set_for_streams_reaches_the_bridge() -> None:
    wanted = {"max_bytes": 1 << 20, "max_age_s": 60.0, "replicas": 3}
    settings = Settings.model_validate(
        {"duplicate_window_s": 30.0, **{f"stream_{name}": value for name, value in wanted.items()}}
    )
    assert bridge_options(settings).streams == StreamLimits(duplicate_window_s=30.0, **wanted)
