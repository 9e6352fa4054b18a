"""The doctor at engines over real HTTP, found through the directory in a real Valkey."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.deliberation import ReviewRules
from domain.engine import EngineKind, EngineRecord, Guidance
from domain.finding import Finding, Level
from domain.services import Services
from tests.support.factories import agent as make_agent
from tests.support.factories import agents, council, fresh
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import ValkeyServer
from workers.adapters.openai.chat_model import OpenAIChatModel
from workers.app import make_app
from workers.composition import Composition
from workers.doctor.engines import examine_engines
from workers.settings import Settings

MODEL, KEY, NODE = "scripted", "s3cret", "gpu-1"


@pytest.fixture
def services(valkey_server: ValkeyServer) -> Services:
    settings = Settings.model_validate(
        {
            "redis_url": valkey_server.url,
            "key_prefix": f"{fresh('doctor')}:",
            "model": MODEL,
            "policy": {"max_tokens": 512},
        }
    )
    composition = Composition(settings)
    composition.model = OpenAIChatModel(composition.engines, composition.portal, api_key=lambda record: KEY)  # type: ignore[assignment]
    services = composition.services(make_app(settings))
    members = tuple(one.model_copy(update={"model": None}) for one in agents(3))
    services.councils.save(council("DEV", agents=members))
    return services


@pytest.fixture
def engine() -> Iterator[ScriptedEngine]:
    with ScriptedEngine(MODEL, latency_s=0) as engine:
        yield engine


def publish(services: Services, url: str, kind: EngineKind = EngineKind.VLLM, **more: object) -> None:
    """Say that an engine serves the model there."""
    guidance = Guidance.JSON_SCHEMA if kind is EngineKind.EXTERNAL else Guidance.REGEX
    known = {"name": "one", "model": MODEL, "url": url, "kind": kind, "guidance": guidance, "slots": 4}
    services.engines.publish(EngineRecord.model_validate({**known, "context_length": 8192, **more}), ttl_s=600)


def examine(services: Services, key: str | None = KEY, review: ReviewRules | None = None) -> dict[str, Finding]:
    rules = {} if review is None else {"review": review}
    return {
        one.subject: one
        for one in examine_engines(
            engines=services.engines,
            councils=services.councils,
            model=services.model,
            policy=services.policy.model_copy(update=rules),
            key=lambda record: key,
            clock=services.clock,
            node=NODE,
        )
    }


def test_an_engine_that_serves_is_told_with_its_context_guidance_and_load(
    services: Services, engine: ScriptedEngine
) -> None:
    engine.script.waiting = 3
    engine.script.totals["queries"], engine.script.totals["hits"] = 100_000, 76_000
    publish(services, engine.openai_url)
    found = examine(services)
    assert {one.level for one in found.values()} == {Level.OK}
    assert "context of 8192 tokens, 4 slots" in found["engine one"].text
    assert "kept to the form by regex" in found[f"guided answers of {MODEL}"].text
    assert found["load of one"].text == "0 running, 3 waiting, KV cache 0% used, prefix hit rate 76%"


def test_an_external_engine_is_shown_its_key(services: Services) -> None:
    with ScriptedEngine(MODEL, latency_s=0, key=KEY) as engine:
        publish(services, engine.openai_url, EngineKind.EXTERNAL)
        assert {one.level for one in examine(services).values()} == {Level.OK}
        refused = examine(services, key="wr0ng")["engine one"]
    assert (refused.level, "401" in refused.text, "wr0ng" in refused.text) == (Level.FAIL, True, False)


def test_an_external_engine_that_no_setting_names_is_told_with_the_setting(services: Services) -> None:
    with ScriptedEngine(MODEL, latency_s=0) as engine:
        publish(services, engine.openai_url, EngineKind.EXTERNAL)
        found = examine(services, key=None)["engine one"]
        assert engine.bodies == []
    assert found.level is Level.FAIL
    assert "CONCLAVE_EXTERNAL_ENGINES for control workers too" in found.text


def test_an_external_engine_that_lists_no_models_is_taken_at_its_word(services: Services) -> None:
    with ScriptedEngine(MODEL, latency_s=0, lists_models=False) as engine:
        publish(services, engine.openai_url, EngineKind.EXTERNAL)
        assert {one.level for one in examine(services).values()} == {Level.OK}


def test_an_engine_that_keeps_to_no_form_is_told_which_setting_helps(
    services: Services, engine: ScriptedEngine
) -> None:
    engine.fault("off_form")
    publish(services, engine.openai_url)
    found = examine(services)[f"guided answers of {MODEL}"]
    assert (found.level, "CONCLAVE_ENGINE_GUIDANCE" in found.text) == (Level.FAIL, True)


def test_an_engine_that_is_gone_is_named_with_its_address(services: Services, engine: ScriptedEngine) -> None:
    publish(services, engine.openai_url)
    engine.stop()
    found = examine(services)["engine one"]
    assert (found.level, engine.openai_url in found.text) == (Level.FAIL, True)


def test_an_engine_that_serves_something_else_is_named_with_what(services: Services) -> None:
    with ScriptedEngine("other", latency_s=0) as engine:
        publish(services, engine.openai_url)
        found = examine(services)["engine one"]
    assert (found.level, found.text) == (Level.FAIL, f"serves other, not {MODEL}")


LISTWISE = ReviewRules(ballots="listwise")
ALONE, IN_PAIRS = ReviewRules(), ReviewRules(second_look=True)


@pytest.mark.parametrize(
    ("context", "review", "level", "words"),
    [
        (512, ALONE, Level.FAIL, "every proposal would be refused"),
        (1024, LISTWISE, Level.WARN, "may not hold 3 proposals of 512"),
        (1000, IN_PAIRS, Level.WARN, "may not hold 2 proposals of 512"),
    ],
)
def test_a_context_too_short_for_a_council_is_told(
    services: Services, engine: ScriptedEngine, context: int, review: ReviewRules, level: Level, words: str
) -> None:
    publish(services, engine.openai_url, context_length=context)
    found = examine(services, review=review)[f"context of {MODEL}"]
    assert (found.level, words in found.text) == (level, True), found.text


def test_a_context_that_holds_one_proposal_will_do_where_each_is_shown_alone(
    services: Services, engine: ScriptedEngine
) -> None:
    publish(services, engine.openai_url, context_length=1000)
    assert f"context of {MODEL}" not in examine(services, review=ALONE)


def test_an_architects_model_has_to_be_served_too(services: Services, engine: ScriptedEngine) -> None:
    publish(services, engine.openai_url)
    (known,) = services.councils.all()
    services.councils.save(known.model_copy(update={"architect": make_agent("dev-architect", model="absent")}))
    found = examine(services)["model absent"]
    assert (found.level, "conclave worker --model absent" in found.text) == (Level.FAIL, True)


def test_an_engine_on_another_hosts_loopback_is_not_asked_here(services: Services) -> None:
    publish(services, "http://127.0.0.1:1/v1", node="gpu-2")
    found = examine(services)["engine one"]
    assert (found.level, "loopback address of gpu-2" in found.text) == (Level.WARN, True)


def test_an_engine_on_its_way_is_no_failure_but_its_model_is_not_served_yet(services: Services) -> None:
    publish(services, "", ready=False)
    found = examine(services)
    assert found["engine one"].level is Level.WARN
    assert found[f"model {MODEL}"].level is Level.FAIL
    assert f"conclave worker --model {MODEL}" in found[f"model {MODEL}"].text


def test_a_fleet_without_councils_can_not_deliberate(services: Services, engine: ScriptedEngine) -> None:
    services.councils.delete("DEV")
    publish(services, engine.openai_url)
    found = examine(services)["councils"]
    assert (found.level, "conclave council apply --default" in found.text) == (Level.FAIL, True)


@pytest.mark.parametrize(("ahead", "said"), [(20.0, "s ahead of"), (-90.0, "s behind"), (-5.0, ""), (0.5, "")])
def test_the_clock_of_another_host_is_compared(
    services: Services, engine: ScriptedEngine, ahead: float, said: str
) -> None:
    publish(services, engine.openai_url, node=NODE, updated_at=services.clock.now() + ahead)
    told = examine(services).get(f"clock of {NODE}")
    assert (told is not None and said in told.text) if said else told is None


def test_a_council_of_one_model_is_recommended_others_and_one_of_copies_is_warned_of(
    services: Services, engine: ScriptedEngine
) -> None:
    publish(services, engine.openai_url)
    copies = tuple(one.model_copy(update={"persona": "", "model": None}) for one in agents(3))
    services.councils.save(council("QA", agents=copies))
    mixed = (copies[0], copies[1].model_copy(update={"model": "other"}))
    services.councils.save(council("OPS", agents=mixed))
    found = examine(services)
    assert found["council DEV"].level is Level.OK
    assert "3 voices of one model" in found["council DEV"].text
    assert "mixed models" in found["council DEV"].text
    assert found["council QA"].level is Level.WARN
    assert "one voice" in found["council QA"].text
    assert "council OPS" not in found
