"""A key belongs to an engine: no record in the directory draws a key or a prompt elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.chat import ChatAnswer, ChatFailure, ChatOutcome, ChatRequest, FailureReason, Message
from domain.engine import EngineKind, EngineRecord, Guidance
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from tests.support.scripted_engine import ScriptedEngine
from workers.adapters.clock import SystemClock
from workers.adapters.openai.chat_model import OpenAIChatModel
from workers.composition import key_of
from workers.portal import Portal
from workers.settings import Settings


@pytest.fixture
def portal() -> Iterator[Portal]:
    portal = Portal()
    yield portal
    portal.close()


def asked(portal: Portal, settings: Settings, *records: EngineRecord) -> list[ChatOutcome]:
    """Ask each record's model once."""
    directory = MemoryEngineDirectory(clock=SystemClock())
    for record in records:
        directory.publish(record, ttl_s=600)
    model = OpenAIChatModel(directory, portal, api_key=key_of(settings))
    message = Message(role="user", content="the plan")
    requests = [
        ChatRequest(key=record.model, model=record.model, messages=(message,), max_tokens=16, timeout_s=20)
        for record in records
    ]
    return list(model.ask(requests))


def record(engine: ScriptedEngine, kind: EngineKind = EngineKind.EXTERNAL) -> EngineRecord:
    return EngineRecord(
        name=engine.model, model=engine.model, url=engine.openai_url, kind=kind, guidance=Guidance.REGEX
    )


def test_several_providers_have_several_keys_and_ours_get_none(portal: Portal) -> None:
    with (
        ScriptedEngine("mine", latency_s=0) as mine,
        ScriptedEngine("theirs", latency_s=0) as theirs,
        ScriptedEngine("open", latency_s=0) as free,
        ScriptedEngine("ours", latency_s=0) as ours,
    ):
        settings = Settings.model_validate(
            {
                "engine": {"url": mine.openai_url, "key": "k-mine"},
                "external_engines": {f"{theirs.openai_url}/": "k-theirs", free.openai_url: ""},
            }
        )
        outcomes = asked(
            portal, settings, record(mine), record(theirs), record(free), record(ours, EngineKind.VLLM)
        )
        assert all(isinstance(outcome, ChatAnswer) for outcome in outcomes)
        assert mine.script.keys == {"Bearer k-mine"}
        assert theirs.script.keys == {"Bearer k-theirs"}
        assert free.script.keys == ours.script.keys == {""}


def test_an_address_that_no_setting_names_gets_neither_key_nor_prompt(portal: Portal) -> None:
    with ScriptedEngine("mine", latency_s=0) as mine, ScriptedEngine("mine", latency_s=0) as elsewhere:
        settings = Settings.model_validate({"engine": {"url": mine.openai_url, "key": "k-mine"}})
        (outcome,) = asked(portal, settings, record(elsewhere))
        assert elsewhere.bodies == []
        assert elsewhere.script.keys == set()
    assert isinstance(outcome, ChatFailure)
    assert outcome.reason is FailureReason.REFUSED
    assert outcome.detail == (
        f"mine is served by {elsewhere.openai_url}, which this process may not call: "
        "name the address, with its key, in CONCLAVE_EXTERNAL_ENGINES"
    )


def test_no_key_stands_in_what_config_or_an_error_shows() -> None:
    settings = Settings.model_validate({"external_engines": {"https://api.example/v1": "s3cret"}})
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in settings.model_dump_json()
