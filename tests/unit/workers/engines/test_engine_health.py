"""When an engine is doubted and when it is given up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workers.engines.engine_health import FAILED_CALLS, MISSES, EngineHealth, HealthVerdict, Observation
from workers.engines.engine_metrics import EngineMetrics


def after(*observations: Observation, stall_s: float = 60.0) -> EngineHealth:
    health = EngineHealth(stall_s)
    for observation in observations:
        health = health.after(observation)
    return health


def busy(at: float, steps: float) -> Observation:
    return Observation(at=at, metrics=EngineMetrics(running=3, progress=steps))


def test_an_engine_that_answers_serves() -> None:
    assert after(Observation(at=0), Observation(at=1)).verdict is HealthVerdict.SERVING


def test_a_process_that_is_gone_is_lost_at_once() -> None:
    assert after(Observation(at=0), Observation(at=1, runs=False)).verdict is HealthVerdict.LOST


def test_one_failed_check_casts_doubt_and_an_answer_dispels_it() -> None:
    assert after(Observation(at=0, answers=False)).verdict is HealthVerdict.DOUBTFUL
    assert after(Observation(at=0, answers=False), Observation(at=1)).verdict is HealthVerdict.SERVING


def test_failed_checks_in_a_row_lose_it() -> None:
    lost = after(*(Observation(at=at, answers=False) for at in range(MISSES)))
    assert (lost.verdict, lost.why) == (HealthVerdict.LOST, "it failed 3 health checks in a row")


def test_failed_calls_in_a_row_lose_it_whatever_its_health_check_says() -> None:
    assert after(Observation(at=0, failed_calls=FAILED_CALLS - 1)).verdict is HealthVerdict.SERVING
    assert after(Observation(at=0, failed_calls=FAILED_CALLS)).verdict is HealthVerdict.LOST


def test_requests_without_a_step_for_too_long_mean_it_hangs() -> None:
    assert after(busy(0, 100), busy(59, 100)).verdict is HealthVerdict.SERVING
    lost = after(busy(0, 100), busy(59, 100), busy(60, 100))
    assert (lost.verdict, lost.why) == (HealthVerdict.LOST, "requests ran for 60 s without a step")


def test_a_step_now_and_then_is_enough() -> None:
    assert after(busy(0, 100), busy(50, 101), busy(100, 101), busy(105, 102)).verdict is HealthVerdict.SERVING


def test_an_idle_engine_never_hangs() -> None:
    idle = [Observation(at=at, metrics=EngineMetrics(running=0, progress=5)) for at in (0, 1000, 2000)]
    assert after(*idle, busy(2001, 5)).verdict is HealthVerdict.SERVING


def test_an_engine_without_metrics_is_never_taken_for_hanging() -> None:
    assert after(*(Observation(at=at) for at in (0, 1000, 2000))).verdict is HealthVerdict.SERVING


@given(st.lists(st.booleans(), max_size=30))
def test_it_is_lost_exactly_when_the_last_checks_all_failed(answers: list[bool]) -> None:
    health = after(*(Observation(at=at, answers=answer) for at, answer in enumerate(answers)))
    failed = len(answers) >= MISSES and not any(answers[-MISSES:])
    assert (health.verdict is HealthVerdict.LOST) == failed
