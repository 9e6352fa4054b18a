"""Losses are counted in the message, and a task can read them."""

from __future__ import annotations

import json
from typing import Any

from celery.app.task import Context
from hypothesis import given
from hypothesis import strategies as st

from tasks.losses import Loss, losses_of
from workers.broker.attempts import LOSSES, attempts, count_loss, share_of_loss

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def test_first_run_is_the_first_attempt() -> None:
    assert attempts(Context({"id": "t"})) == 1


@given(st.integers(min_value=0, max_value=20))
def test_every_lost_worker_adds_one_attempt(losses: int) -> None:
    payload: dict[str, Any] = {"headers": {"id": "t"}}
    for _ in range(losses):
        count_loss(payload, at=1.0, share=1.0)
        payload = json.loads(json.dumps(payload))
    assert attempts(Context(payload["headers"])) == 1 + losses


@given(json_values)
def test_nonsense_in_the_header_is_never_fewer_than_one_attempt(value: Any) -> None:
    assert attempts({LOSSES: value}) >= 1


def test_message_without_headers_gets_them() -> None:
    payload: dict[str, Any] = {}
    count_loss(payload, at=1.0, share=1.0)
    assert attempts(payload["headers"]) == 2


@given(json_values)
def test_a_message_with_any_headers_takes_a_loss(value: Any) -> None:
    for payload in ({"headers": value}, {"headers": {LOSSES: value}}):
        count_loss(payload, at=1.0, share=0.5)
        assert losses_of(payload["headers"])[-1] == Loss(1.0, 0.5)


def test_tasks_read_what_the_broker_layer_writes() -> None:
    payload: dict[str, Any] = {"headers": {}}
    for at in (10.0, 20.0):
        count_loss(payload, at=at, share=share_of_loss(2))
    assert losses_of(Context(payload["headers"])) == (Loss(10.0, 0.5), Loss(20.0, 0.5))
    assert attempts(Context(payload["headers"])) == 3


def test_a_message_does_not_grow_with_its_losses_for_ever() -> None:
    payload: dict[str, Any] = {"headers": {}}
    for at in range(1000):
        count_loss(payload, at=at, share=1.0)
    assert [loss.at for loss in losses_of(payload["headers"])] == list(range(900, 1000))
