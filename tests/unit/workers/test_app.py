"""What an application shows of itself: Flower prints a worker's configuration to everybody who may look."""

from __future__ import annotations

import pytest

from workers.app import make_app
from workers.settings import Settings

SECRET = "hunter2"


@pytest.mark.parametrize(
    "url",
    [
        f"redis://user:{SECRET}@127.0.0.1:6379",
        f"rediss://:{SECRET}@valkey.example:6380",
        f"sentinel://:{SECRET}@one:26379;sentinel://:{SECRET}@two:26379",
    ],
)
def test_the_configuration_that_workers_show_holds_no_password(url: str) -> None:
    secrets = {"redis_url": url, "engine": {"key": SECRET}, "nats": {"password": SECRET}}
    app = make_app(Settings.model_validate(secrets))
    shown = app.conf.table(with_defaults=True, censored=True)
    assert [name for name, value in shown.items() if SECRET in str(value)] == []
    assert shown["redbeat_lock_timeout"] == 10
