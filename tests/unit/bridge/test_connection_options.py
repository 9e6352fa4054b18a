"""How a connection is described to people."""

from __future__ import annotations

from bridge.options import NatsOptions
from bridge.subjects import durable_name


def test_an_address_is_shown_without_who_logs_in() -> None:
    options = NatsOptions(url=("nats://user:secret@a:4222", "tls://b:4223", "token@c"), password="hidden")
    assert options.address == "nats://a:4222, tls://b:4223, nats://c"
    assert "hidden" not in repr(options)


def test_a_durables_name_has_no_dots() -> None:
    assert durable_name("conclave", "planning.plan.approved") == "conclave-planning-plan-approved"
