"""A check that takes too much has not judged; nothing else notices."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest

from domain.checks.check import PlanFacts
from domain.checks.gate import run_gate
from domain.checks.runner import InProcess
from tests.integration.checks.conftest import (
    FACTS,
    SOUND,
    WITHIN,
    Isolate,
    fenced,
    helpers,
    kill_until,
    not_judged,
    of,
)
from workers.checks.isolated import SLOW_NICE
from workers.checks.registry import check_points, create
from workers.processes.readiness import wait_until

DOUBLING = {
    str(number): {"allOf": [{"$ref": f"#/$defs/{number + 1}"}, {"$ref": f"#/$defs/{number + 1}"}]}
    for number in range(40)
} | {"40": True}
"""Each schema refers twice to the next."""


@pytest.mark.parametrize(
    "text",
    [
        SOUND,
        "",
        fenced("python", "x = = 1"),
        fenced("yaml", "a: b: c"),
        fenced("bash", "if [ -f x ]; then echo"),
        fenced("java", "class A {"),
        fenced("json", "{" * 25_000),
        f"{SOUND} postgres://ada:hunter22@db/orders",
        "\ud800\x00\u200b" * 300,
        "ö" * 40_000,
    ],
    ids=range(10),
)
def test_a_proposal_gets_the_results_that_the_checks_give_in_process(isolate: Isolate, text: str) -> None:
    in_process = InProcess([create(point) for point in check_points(added=())])

    assert isolate().run(text, FACTS) == in_process.run(text, FACTS)


@pytest.mark.parametrize("language", ["c", "java"])
def test_code_that_costs_a_parser_gigabytes_is_not_judged(isolate: Isolate, language: str) -> None:
    checks = isolate(memory_mb=256)
    at_rest = psutil.Process().memory_info().rss
    checks.run(SOUND, FACTS)
    with Peak() as peak:
        results = checks.run(fenced(language, ("a=>" * 3_000)[:8_000]), FACTS)

    assert list(not_judged(results)) == ["code"]
    assert of(results, "code").passed
    assert peak.bytes < 400 * 1024 * 1024
    assert psutil.Process().memory_info().rss < at_rest + 100 * 1024 * 1024


def test_another_proposal_is_checked_while_a_check_holds_its_interpreter(isolate: Isolate) -> None:
    checks = isolate("Holds", time_s=600)
    with ThreadPoolExecutor() as pool:
        hostile = pool.submit(checks.run, "holds", FACTS)
        assert wait_until(lambda: len(helpers()) == 1, within=WITHIN)
        assert not_judged(checks.run(SOUND, FACTS)) == {}
        assert not_judged(checks.run(fenced("java", "class A {}"), FACTS)) == {}
        assert not hostile.done()
        assert wait_until(lambda: bool(at_work()), within=WITHIN)
        (helper,) = at_work()
        helper.kill()

        assert not_judged(hostile.result(WITHIN)) == {"holds": "not judged: it ended its process: SIGKILL"}


def test_however_many_checks_take_long_others_are_judged(isolate: Isolate) -> None:
    checks = isolate("Holds", time_s=600)
    with ThreadPoolExecutor() as pool:
        hostile = [pool.submit(checks.run, "holds", FACTS) for _ in range(4)]
        assert wait_until(lambda: bool(at_work()), within=WITHIN)
        for _ in range(5):
            assert not_judged(pool.submit(checks.run, SOUND, FACTS).result(WITHIN)) == {}
        own = psutil.Process().nice()
        assert wait_until(lambda: {one.nice() for one in at_work()} == {own + SLOW_NICE}, within=WITHIN)
        assert not any(one.done() for one in hostile)
        for one in hostile:
            kill_until(one)


def test_one_of_many_that_take_long_waits_no_longer_than_one_check_may_take(isolate: Isolate) -> None:
    checks = isolate("Holds", "Tells", time_s=3)
    with ThreadPoolExecutor() as pool:
        hostile = [pool.submit(checks.run, "holds", FACTS) for _ in range(8)]
        results = [one.result(8 * WITHIN) for one in hostile]
    reasons = [not_judged(found)["holds"] for found in results]
    late = "not judged: it took longer than 3 s"
    crowded = "not judged: it took longer than 0.5 s of processor time, and others that do were waited for 3 s"
    assert set(reasons) <= {late, crowded}  # on a busy machine none gets so much processor time
    assert all(of(found, "tells").reason == "sound" for found in results)


@pytest.mark.parametrize("name", ["Sleeps", "Holds", "Starts"])
def test_a_check_over_its_time_is_ended_with_what_it_started_and_the_others_judge(
    isolate: Isolate, name: str
) -> None:
    before = set(psutil.Process().children(recursive=True))
    checks = isolate(name, "Tells", time_s=3)

    results = checks.run(name.lower(), FACTS)

    assert not_judged(results) == {name.lower(): "not judged: it took longer than 3 s"}
    checks.close()
    assert set(psutil.Process().children(recursive=True)) <= before
    assert not [
        process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == ["sleep", "3600"]
    ]


def test_a_check_over_its_memory_has_not_judged_and_the_others_judge(isolate: Isolate) -> None:
    results = isolate("Grows", "Tells", memory_mb=64).run("grows", FACTS)

    assert not_judged(results) == {"grows": "not judged: it ran out of memory"}
    assert of(results, "tells").reason == "sound"


def test_a_check_that_ends_its_process_has_not_judged_and_the_others_judge(isolate: Isolate) -> None:
    results = isolate("Ends", "Tells").run("ends", FACTS)

    assert not_judged(results) == {"ends": "not judged: it ended its process: exit code 7"}
    assert of(results, "tells").reason == "sound"


def test_a_check_that_raises_fails_as_in_process(isolate: Isolate) -> None:
    result = of(isolate("Raises").run("raises", FACTS), "raises")

    assert (result.judged, result.passed, result.score) == (True, False, 0.0)
    assert result.reason == "the check itself failed with ValueError"


def test_a_check_sees_no_secret_of_the_worker_and_spoils_no_answer_by_what_it_prints(
    isolate: Isolate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONCLAVE_ENGINE_KEY", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "k")

    told = of(isolate("Tells").run("tells", FACTS), "tells").reason

    assert "PATH" in told
    assert "CONCLAVE" not in told
    assert "AWS" not in told
    assert told.endswith(", '')")


def test_a_proposal_beyond_the_bound_on_input_is_put_to_linear_checks_only(isolate: Isolate) -> None:
    checks = isolate(input_bytes=2_000)

    results = checks.run("ö" * 1_001 + " AKIAQWERTYUIOP234567", FACTS)

    reason = "not judged: the proposal is longer than 2000 bytes"
    assert not_judged(results) == dict.fromkeys(
        ("python", "json", "toml", "yaml", "bash", "output_schema", "code"), reason
    )
    assert of(results, "secrets").reason == "contains an AWS access key id in line 1"
    assert helpers() == []


def at_work() -> list[psutil.Process]:
    """Return the helpers that have used the processor for much longer than a start takes."""
    return [helper for helper in helpers() if sum(helper.cpu_times()[:2]) > 3.0]


class Peak:
    """The most memory that a helper of this process held while the `with` lasted."""

    def __init__(self) -> None:
        self.bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._over.wait(0.005):
            for helper in helpers():
                try:
                    self.bytes = max(self.bytes, helper.memory_info().rss)
                except psutil.Error:
                    continue

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"pattern": "^(a+)+$"}, f'"{"a" * 60}b"'),
        ({"propertyNames": {"pattern": "^(a|a)*$"}}, f'{{"{"a" * 60}b": 1}}'),
        ({"allOf": [{"$ref": "#/$defs/0"}], "$defs": DOUBLING}, '"a text"'),
    ],
    ids=["a pattern", "a pattern of names", "references that double"],
)
def test_a_schema_that_costs_its_validator_years_is_not_judged_and_nothing_wins_by_it(
    isolate: Isolate, schema: dict[str, Any], text: str
) -> None:
    checks = isolate(time_s=3)

    report = run_gate(checks, text, PlanFacts(output_schema=schema))

    assert report.excluded
    (failure,) = report.failures
    assert failure.reason == "not judged: it took longer than 3 s; what was not seen to satisfy it can't win"
    assert not_judged(checks.run("[]", PlanFacts(output_schema={"type": "array"}))) == {}
