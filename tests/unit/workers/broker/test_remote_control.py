"""What the names in our remote control stand for in the installed Celery and kombu."""

from __future__ import annotations

from celery import Celery
from celery.worker.control import Panel

from workers.broker import install
from workers.broker.remote_control import ALWAYS
from workers.queue_keys import REPLY_SUFFIX

NEEDED_BY_FLOWER = {"enable_events", "heartbeat"}


def test_what_is_always_answered_exists_and_only_looks() -> None:
    assert {name: Panel.meta[name].type for name in ALWAYS - NEEDED_BY_FLOWER} == dict.fromkeys(
        ALWAYS - NEEDED_BY_FLOWER, "inspect"
    )
    assert set(Panel.data) >= NEEDED_BY_FLOWER


def test_the_queue_of_replies_has_the_name_that_access_rules_know() -> None:
    app = Celery("remote-control")
    install(app)
    mailbox = app.control.mailbox  # type: ignore[attr-defined]  # not in the stubs
    assert mailbox.reply_queue.name == f"{mailbox.oid}{REPLY_SUFFIX}"
    assert f".{mailbox.reply_exchange.name}" == REPLY_SUFFIX
