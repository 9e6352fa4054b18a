"""Losses are counted in the message, and a task can read them."""

from __future__ import annotations

import json
from typing import Any

from celery.app.task import Context
from hypothesis import given
from hypothesis import strategies as st

from workers.broker.attempts import LOSSES, attempts, count_loss

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
        count_loss(payload)
        payload = json.loads(json.dumps(payload))
    assert attempts(Context(payload["headers"])) == 1 + losses


@given(json_values)
def test_nonsense_in_the_header_is_never_fewer_than_one_attempt(value: Any) -> None:
    assert attempts({LOSSES: value}) >= 1


def test_message_without_headers_gets_them() -> None:
    payload: dict[str, Any] = {}
    count_loss(payload)
    assert attempts(payload["headers"]) == 2


def test_code_that_may_not_import_this_reads_the_same_number() -> None:
    payload: dict[str, Any] = {"headers": {}}
    count_loss(payload)
    request = Context(payload["headers"])
    assert 1 + request.get("losses", 0) == attempts(request)
