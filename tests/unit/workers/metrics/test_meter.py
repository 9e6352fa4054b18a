"""What the meter counts when deliberations end and models answer."""

from __future__ import annotations

from decimal import Decimal

import pytest
from prometheus_client import CollectorRegistry

from domain.chat import ChatOutcome, ChatRequest, FailureReason
from domain.prices import Price, PriceList
from domain.ranking import Agreement
from tests.support.factories import council, plan, plan_request
from tests.support.scripted_model import failure
from tests.support.stage import Stage, decision_of
from workers.metrics.meter import PrometheusMeter


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def meter(registry: CollectorRegistry) -> PrometheusMeter:
    return PrometheusMeter(registry)


def lose_one(request: ChatRequest, before: int) -> ChatOutcome | None:
    return failure(request, FailureReason.TIMEOUT) if request.key == "proposal/0/agent-1" else None


def test_a_decision_counts_with_its_losses_and_stages(registry: CollectorRegistry, meter: PrometheusMeter) -> None:
    stage = Stage(council("DEV"))
    stage.model.follow(lose_one)
    record = stage.play()
    assert record.closed is not None
    meter.ended(record, record.closed)

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"conclave_{name}", {"role": "DEV", **labels})

    assert value("deliberations_total", outcome="decided") == 1
    assert value("deliberations_degraded_total") == 1
    assert value("agent_failures_total", reason="timeout") == 1
    assert value("stage_seconds_count", stage="total") == 1


@pytest.mark.parametrize(("measured", "kept"), [(0.5, 1.0), (None, None)])
def test_agreement_is_kept_where_it_could_be_measured(
    registry: CollectorRegistry, meter: PrometheusMeter, measured: float | None, kept: float | None
) -> None:
    record = Stage(council("DEV")).play()
    assert record.closed is not None
    agreement = Agreement(kendall_w=measured, krippendorff_alpha=None)
    result = decision_of(record).model_copy(update={"agreement": agreement})
    meter.ended(record, record.closed.model_copy(update={"result": result}))
    assert registry.get_sample_value("conclave_agreement_kendall_w_count", {"role": "DEV"}) == kept


def test_a_step_is_in_flight_while_it_runs_and_its_wait_is_never_negative(
    registry: CollectorRegistry, meter: PrometheusMeter
) -> None:
    labels = {"task": "plan.dispatch"}
    with meter.step("plan.dispatch", waited_s=-3.0):
        assert registry.get_sample_value("conclave_tasks_in_flight", labels) == 1
    assert registry.get_sample_value("conclave_tasks_in_flight", labels) == 0
    assert registry.get_sample_value("conclave_queue_wait_seconds_sum", labels) == 0
    assert registry.get_sample_value("conclave_task_seconds_count", labels) == 1


def test_a_step_that_raises_is_counted_and_not_in_flight(
    registry: CollectorRegistry, meter: PrometheusMeter
) -> None:
    with pytest.raises(RuntimeError), meter.step("plan.dispatch", waited_s=0.0):
        raise RuntimeError("scripted")
    assert registry.get_sample_value("conclave_tasks_in_flight", {"task": "plan.dispatch"}) == 0
    assert registry.get_sample_value("conclave_task_seconds_count", {"task": "plan.dispatch"}) == 1


def test_an_end_counts_its_tokens_and_its_money_under_its_role(
    registry: CollectorRegistry, meter: PrometheusMeter
) -> None:
    prices = PriceList(prices={"tiny": Price(input=Decimal(1), output=Decimal(1))}, currency="EUR")
    record = Stage(council("DEV"), prices=prices).play()
    assert record.closed is not None
    meter.ended(record, record.closed)
    usage = decision_of(record).usage

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"conclave_deliberation_{name}_total", {"role": "DEV", **labels})

    assert value("tokens", kind="completion") == usage.completion_tokens > 0
    assert value("cost", currency="EUR") == (usage.prompt_tokens + usage.completion_tokens) / 1_000_000


def test_a_role_that_no_council_was_asked_for_has_no_series_of_tokens(
    registry: CollectorRegistry, meter: PrometheusMeter
) -> None:
    stage = Stage()
    stage.approve(plan_request(plan(roles=("NAMED_BY_A_STRANGER",))))
    (refused,) = stage.services.deliberations.newest(1)
    record = stage.record(refused)
    assert record.closed is not None
    meter.ended(record, record.closed)
    names = {sample.name for family in registry.collect() for sample in family.samples}
    assert not {name for name in names if name.startswith("conclave_deliberation_")}
