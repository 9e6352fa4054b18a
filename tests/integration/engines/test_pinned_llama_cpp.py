"""A worker pinned to the embedded llama.cpp, with the shipped weights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.chat import ChatAnswer, ChatFailure, ChatRequest, FailureReason, Message, ScoreForm
from domain.engine import EngineKind
from domain.prompts.comparison_questions import CHOICE
from domain.prompts.material import label
from tests.support.gpu_node import Node, until
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from tests.support.servers import ValkeyServer
from workers.adapters.clock import SystemClock
from workers.adapters.openai.chat_model import OpenAIChatModel
from workers.engines.spec import EngineSpec
from workers.portal import Portal
from workers.processes.guard import Guard
from workers.processes.sessions import members

MODEL = "smollm2-135m-instruct"
CONTEXT = 1024


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, valkey_server: ValkeyServer, guard: Guard) -> Iterator[Node]:
    """One worker and its engine for the module; both are gone at its end."""
    folder: Path = tmp_path_factory.mktemp("llama")
    node = Node(folder, valkey_server, guard)
    spec = EngineSpec(
        kind=EngineKind.LLAMA_CPP, model=MODEL, slots=2, max_model_len=CONTEXT, state_dir=folder / "engines"
    )
    worker = node.worker(spec)
    running = node.until_ready(120)
    yield node
    assert worker.leave() == 0
    assert members(running["engine"]) == []


@pytest.fixture
def model(node: Node) -> Iterator[OpenAIChatModel]:
    directory, portal = MemoryEngineDirectory(clock=SystemClock()), Portal()
    directory.publish(node.engines()[0], ttl_s=600)
    model = OpenAIChatModel(directory, portal)
    yield model
    portal.close()


def asking(text: str, **more: object) -> ChatRequest:
    messages = (Message(role="user", content=text),)
    known = {"key": "one", "model": MODEL, "messages": messages, "max_tokens": 32, "timeout_s": 120.0}
    return ChatRequest.model_validate({**known, **more})


def test_the_directory_tells_slots_and_the_context_of_one_slot(node: Node) -> None:
    (record,) = node.engines()
    assert (record.kind, record.guidance, record.slots, record.context_length) == (
        "llama.cpp",
        "grammar",
        2,
        CONTEXT,
    )


def test_a_task_is_answered(node: Node) -> None:
    node.ask("hello")
    until(lambda: node.answered() == ["hello"], "the answer", within=60)


@pytest.mark.parametrize(("labels", "criteria"), [(1, 1), (2, 3), (4, 8)])
def test_a_ballot_is_on_form_and_tells_expected_scores(model: OpenAIChatModel, labels: int, criteria: int) -> None:
    form = ScoreForm(lines=tuple(f"{label(n)} criterion {m}" for n in range(labels) for m in range(criteria)))
    (answer,) = model.ask([asking("Scores:", max_tokens=form.max_tokens, form=form)])
    assert isinstance(answer, ChatAnswer)
    assert form.read(answer.text) is not None
    assert not answer.cut_off
    assert len(answer.expected) == labels * criteria
    assert all(1 <= score <= 9 for score in answer.expected)
    assert any(score != round(score) for score in answer.expected)


def test_a_choice_between_two_is_one_of_them_and_tells_its_probability(model: OpenAIChatModel) -> None:
    (answer,) = model.ask([asking("Which is better?", max_tokens=CHOICE.max_tokens, form=CHOICE)])
    assert isinstance(answer, ChatAnswer)
    assert answer.text in {"better: 1", "better: 2"}
    (expected,) = answer.expected
    assert 1 < expected < 2


def test_a_prompt_longer_than_the_context_is_refused_with_its_own_count(model: OpenAIChatModel) -> None:
    (failed,) = model.ask([asking("word " * 1200)])
    assert isinstance(failed, ChatFailure)
    assert failed.reason is FailureReason.CONTEXT_EXCEEDED
    assert re.match(r"12\d\d tokens of prompt and 32 of answer exceed the context of 1024", failed.detail)


def test_a_long_prompt_that_fits_is_served_though_its_bytes_exceed_the_context(model: OpenAIChatModel) -> None:
    (answer,) = model.ask([asking("word " * 400, form=ScoreForm(lines=("A",)))])
    assert isinstance(answer, ChatAnswer)
    assert 400 <= answer.prompt_tokens < CONTEXT
