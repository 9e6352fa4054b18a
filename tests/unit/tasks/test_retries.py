"""Waiting for an engine and failing unexpectedly are counted apart, in the message that is sent again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from celery.app.task import Context
from hypothesis import given
from hypothesis import strategies as st

from tasks.retries import ENGINE_WAITS, ERRORS, NEWER_RECORDS, GiveUp, RetryCounts, RetryIn, RetryPolicy

POLICY = RetryPolicy()
BUDGET = len(POLICY.error_s)
causes = st.lists(st.sampled_from(["away", "error"]), max_size=60)
counts = st.builds(RetryCounts, *[st.integers(0, 100)] * 3)


@pytest.mark.parametrize(
    ("waits", "seconds"), [(0, 0.5), (1, 1.0), (2, 2.0), (3, 4.0), (4, 5.0), (5, 5.0), (1000, 5.0)]
)
def test_waits_for_an_engine_grow_to_five_seconds_and_never_end(waits: int, seconds: float) -> None:
    for errors in range(5):
        decision = POLICY.engine_away(RetryCounts(waits, errors), left_s=600.0)
        assert decision == RetryIn(seconds, RetryCounts(waits + 1, errors))


@pytest.mark.parametrize(("left_s", "seconds"), [(3.0, 3.0), (0.2, 0.2), (0.0, 0.0), (-1.0, 0.0)])
def test_the_last_wait_ends_with_the_time_so_that_the_step_itself_tells_the_cause(
    left_s: float, seconds: float
) -> None:
    assert POLICY.engine_away(RetryCounts(9, 0), left_s=left_s).seconds == seconds


@pytest.mark.parametrize(("errors", "seconds"), [(0, 1.0), (1, 3.0), (2, 9.0)])
def test_a_task_that_fails_is_tried_again_three_times(errors: int, seconds: float) -> None:
    for waits in (0, 3, 1000):
        decision = POLICY.unexpected_error(RetryCounts(waits, errors))
        assert decision == RetryIn(seconds, RetryCounts(waits, errors + 1))


@pytest.mark.parametrize("errors", [3, 4, 1000])
def test_the_fourth_failure_is_the_last(errors: int) -> None:
    assert POLICY.unexpected_error(RetryCounts(0, errors)) == GiveUp()


def test_a_newer_versions_record_is_waited_for_an_hour_whatever_else_failed() -> None:
    found, waited_s = RetryCounts(errors=BUDGET), 0.0
    while isinstance(decision := POLICY.newer_record(found), RetryIn):
        found, waited_s = _carried(decision.counts), waited_s + decision.seconds
    assert 3600 <= waited_s <= 3660
    assert (found.engine_waits, found.errors) == (0, BUDGET)


@given(causes)
def test_errors_never_exceed_their_budget_and_waits_never_use_it_up(history: list[str]) -> None:
    errors, found = 0, RetryCounts()
    for cause in history:
        decision = POLICY.engine_away(found, left_s=600.0) if cause == "away" else POLICY.unexpected_error(found)
        errors += cause == "error"
        assert isinstance(decision, GiveUp) == (cause == "error" and errors > BUDGET)
        if isinstance(decision, GiveUp):
            return
        found = _carried(decision.counts)
    assert found == RetryCounts(history.count("away"), errors)


@given(counts)
def test_the_back_off_of_either_cause_never_shrinks(found: RetryCounts) -> None:
    away = POLICY.engine_away(found, left_s=600.0)
    assert away.seconds <= POLICY.engine_away(away.counts, left_s=600.0).seconds <= max(POLICY.engine_away_s)
    error = POLICY.unexpected_error(found)
    following = POLICY.unexpected_error(error.counts) if isinstance(error, RetryIn) else GiveUp()
    if isinstance(error, RetryIn) and isinstance(following, RetryIn):
        assert error.seconds <= following.seconds <= max(POLICY.error_s)


@given(st.integers(0, 100))
def test_a_message_of_the_first_release_counts_from_celerys_retries(retries: int) -> None:
    assert RetryCounts.of_message(Context({"id": "t", "retries": retries})) == RetryCounts(retries, retries)


@given(counts, st.integers(0, 100))
def test_celerys_retries_do_not_matter_where_the_counts_are_in_the_message(
    found: RetryCounts, retries: int
) -> None:
    assert RetryCounts.of_message(Context({"retries": retries, **found.headers()})) == found


@given(st.none() | st.text() | st.floats(allow_nan=False) | st.integers(max_value=0) | st.lists(st.integers()))
def test_a_header_that_holds_no_count_is_none(value: Any) -> None:
    assert RetryCounts.of_message({ENGINE_WAITS: value, ERRORS: value, NEWER_RECORDS: value}) == RetryCounts()


def _carried(found: RetryCounts) -> RetryCounts:
    """Send the counts through a message and back."""
    return RetryCounts.of_message(Context(json.loads(json.dumps({"id": "t", "retries": 7, **found.headers()}))))
