"""A thinking model on the real vLLM: kept from thinking a council decides, and thoughts are never a proposal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from domain.chat import FailureReason
from domain.council import Agent, Council
from domain.entry import AgentFailed
from domain.identity import deliberation_id
from domain.record import DeliberationState, Record
from domain.services import Services
from domain.thinking import Thinking, Thoughts, ThoughtsPlace
from tests.support.factories import fresh, plan, plan_request
from tests.support.fleet import Fleet, Service
from tests.support.servers import NatsServer, ValkeyServer
from tests.support.vllm import build
from tests.support.vllm.serve import READY_WITHIN_S, environment, vllm_spec
from tests.support.vllm.thinking import thinking_weights
from workers.app import make_app
from workers.composition import Composition
from workers.processes.guard import Guard
from workers.processes.readiness import wait_until
from workers.settings import Settings

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(1800)]
ENDS_WITHIN_S = 900.0
ROOM = 48
"""Tokens for thoughts: enough to see where they end."""


@dataclass
class ThinkingNode:
    """A fleet whose model worker owns a real vLLM with a thinking model."""

    services: Services
    model: str
    parser: str
    worker: Service

    def ended(self, role: str) -> Record:
        wanted = plan(roles=(role,), title=fresh("Reset a password"), constraints={"max_tokens": 48})
        request = plan_request(wanted)
        self.services.dispatcher.plans([request])
        identity = deliberation_id(request.plan.plan_id, role, request.revision)

        def ended() -> bool:
            try:
                return self.services.deliberations.load(identity).closed is not None
            except LookupError:
                return False

        assert wait_until(ended, within=ENDS_WITHIN_S), self.worker.log.tail(20)
        return self.services.deliberations.load(identity)


@pytest.fixture(scope="module", params=["none", "qwen3"], ids=["without a parser", "with a parser"])
def node(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, guard: Guard
) -> Iterator[ThinkingNode]:
    build.build()
    folder: Path = tmp_path_factory.mktemp("vllm-thinking")
    spec = vllm_spec(folder / "engines", weights=str(thinking_weights(folder / "weights")))
    env = environment(spec) | {
        "CONCLAVE_ENGINE_REASONING_PARSER": request.param,
        "CONCLAVE_POLICY_DEADLINE_S": "900",
        "CONCLAVE_POLICY_CALL_TIMEOUT_S": "300",
    }
    with (
        NatsServer(folder / "nats", guard=guard) as broker,
        ValkeyServer(folder / "valkey", guard=guard) as valkey,
        Fleet(folder, guard, nats_url=broker.url, redis_url=valkey.url, model=spec.model, env=env) as fleet,
    ):
        servers = {"nats": {"url": broker.url}, "redis_url": valkey.url}
        settings = Settings.model_validate({**servers, "model": spec.model})
        services = Composition(settings).services(make_app(settings))
        worker = fleet.worker()
        for one in (fleet.control(), worker):
            one.start()
        for role, thinking in (("DEV", None), ("QA", ROOM)):
            services.councils.save(council(role, thinking))
        assert wait_until(lambda: bool(services.engines.serving(spec.model)), within=READY_WITHIN_S), (
            worker.log.tail(20)
        )
        yield ThinkingNode(services, spec.model, request.param, worker)
        assert worker.stop() == 0


def council(role: str, thinking: Thinking | None) -> Council:
    agents = (Agent(agent_id=f"{role}-{n}".lower(), seed=n, thinking=thinking) for n in range(3))
    return Council(role=role, agents=tuple(agents))


def test_the_ready_check_finds_out_how_it_thinks(node: ThinkingNode) -> None:
    (record,) = node.services.engines.serving(node.model)
    assert record.found.thoughts is Thoughts.ON_DEMAND
    assert record.found.place is (ThoughtsPlace.TEXT if node.parser == "none" else ThoughtsPlace.BESIDE)
    assert record.found.template_opens == "on"
    assert record.found.ballot == "kept"


def test_kept_from_thinking_its_council_decides_with_all_ballots(node: ThinkingNode) -> None:
    record = node.ended("DEV")
    assert record.state is DeliberationState.DECIDED
    assert record.failures() == ()
    assert len(record.proposals(0)) == 3
    assert [cast for cast in record.ballots() if cast.missing] == []
    assert all(proposal.usage.reasoning_tokens == 0 for proposal in record.proposals(0))
    assert all("think>" not in entry.model_dump_json() for entry in record.entries.values())


def test_what_is_no_end_of_a_thought_is_no_proposal(node: ThinkingNode) -> None:
    record = node.ended("QA")
    outcomes = [record.attempt(0, f"qa-{n}") for n in range(3)]
    assert any(isinstance(outcome, AgentFailed) for outcome in outcomes)
    for outcome in outcomes:
        if isinstance(outcome, AgentFailed):
            assert outcome.reason in (FailureReason.CUT_OFF, FailureReason.EMPTY)
            assert "thought" in outcome.detail
        else:
            assert outcome is not None
            assert outcome.usage.reasoning_tokens > 0
            assert "think>" not in outcome.text
