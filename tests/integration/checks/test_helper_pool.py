"""Helpers stay warm, are replaced, and are no more than are used at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.integration.checks.conftest import (
    FACTS,
    MODULE,
    SOUND,
    WITHIN,
    Isolate,
    fenced,
    helpers,
    kill_until,
    not_judged,
    of,
)
from workers.processes.readiness import wait_until


def test_helpers_stay_warm_and_no_more_run_than_are_used_at_once(isolate: Isolate) -> None:
    checks = isolate("Sleeps", processes=3, time_s=600)
    for _ in range(5):
        checks.run(SOUND, FACTS)
    (warm,) = helpers()

    with ThreadPoolExecutor() as pool:
        hostile = [pool.submit(checks.run, "sleeps", FACTS) for _ in range(5)]
        assert wait_until(lambda: len(helpers()) == 3, within=WITHIN)
        assert warm in helpers()
        assert not any(one.done() for one in hostile)
        for one in hostile:
            kill_until(one)


def test_a_helper_that_was_killed_between_two_proposals_is_replaced(isolate: Isolate) -> None:
    checks = isolate()
    checks.run(fenced("toml", "a = 1"), FACTS)
    (helper,) = helpers()
    helper.kill()
    assert wait_until(lambda: helper.status() == psutil.STATUS_ZOMBIE, within=WITHIN)

    assert not_judged(checks.run(fenced("toml", "a = 1"), FACTS)) == {}


def test_what_is_not_to_be_parsed_needs_no_helper(isolate: Isolate) -> None:
    checks = isolate()
    assert not_judged(checks.run(SOUND, FACTS)) == {}
    assert helpers() == []
    checks.run(SOUND, FACTS.model_copy(update={"output_schema": {}}))
    assert len(helpers()) == 1


def test_a_helper_that_has_grown_is_replaced(isolate: Isolate) -> None:
    checks = isolate("Hoards", memory_mb=64)

    first, second = (of(checks.run("hoards", FACTS), "hoards").reason for _ in range(2))

    assert first != second


def test_where_no_helper_can_start_the_linear_checks_judge_all_the_same(
    isolate: Isolate, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = isolate("Tells")
    source = package / f"{MODULE}.py"
    text = source.read_text()
    source.unlink()
    try:
        results = checks.run(fenced("toml", "a = 1"), FACTS)
        told = checks.run(SOUND, FACTS)
    finally:
        source.write_text(text)

    assert len(not_judged(results)) == 8
    assert "can't be used: ModuleNotFoundError" in of(results, "json").reason
    assert of(results, "length").judged
    assert list(not_judged(told)) == ["tells"]
    assert not_judged(checks.run(SOUND, FACTS)) == {}


def test_many_threads_get_their_own_results(isolate: Isolate) -> None:
    checks = isolate(processes=2)
    texts = [SOUND, fenced("json", "{"), fenced("toml", "a = "), fenced("python", "x = = 1")] * 20
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda text: checks.run(text, FACTS), texts))

    failed = [[result.name for result in results if not result.passed] for results in found]
    assert failed == [[], ["json"], ["toml"], ["python"]] * 20
    assert len(helpers()) <= 2


def test_a_closed_runner_leaves_no_process_and_can_run_again(isolate: Isolate) -> None:
    checks = isolate()
    checks.run(SOUND, FACTS)
    checks.close()
    assert helpers() == []

    assert not_judged(checks.run(SOUND, FACTS)) == {}
