"""The page reads with the shipped Valkey user that may change nothing."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.support import factories as make
from tests.support.secured import SecuredValkey
from workers.settings import Settings
from workers.store_ports import StorePorts
from workers.web_process import application


@pytest.mark.parametrize("path", ["/deliberations", "/deliberations?plan=PLAN", "/deliberations/ID", "/councils"])
def test_the_observers_login_is_enough(secured_valkey: SecuredValkey, path: str) -> None:
    opened = make.opened()
    about = opened.deliberation
    worker = StorePorts(Settings(redis_url=secured_valkey.url_of("worker")))
    worker.deliberations.record(about.deliberation_id, opened)
    worker.councils.save(make.council("DEV"))
    observer = Settings(redis_url=secured_valkey.url_of("observer"))
    page = TestClient(application(observer), base_url="http://127.0.0.1:8400")
    answer = page.get(path.replace("PLAN", about.plan.plan_id).replace("ID", about.deliberation_id))
    assert answer.status_code == 200
    assert ("DEV" if path == "/councils" else about.plan.title) in answer.text
