"""A worker pinned to the real vLLM: it starts it, waits for it, asks it, loses it, and takes it down."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from domain.chat import ChatAnswer, ChatFailure, ChatRequest, FailureReason, Message, ScoreForm
from domain.engine import EngineRecord
from domain.prompts.material import label
from tests.support.gpu_node import Node, Worker, until
from tests.support.in_memory.engine_directory import MemoryEngineDirectory
from tests.support.servers import ValkeyServer
from tests.support.vllm import build
from tests.support.vllm.serve import READY_WITHIN_S, vllm_spec
from workers.adapters.clock import SystemClock
from workers.adapters.openai.chat_model import OpenAIChatModel
from workers.adapters.openai.request import request_body
from workers.engines.engine_metrics import read_engine_metrics
from workers.engines.engine_probe import EngineProbe
from workers.engines.kinds import ENGINES
from workers.engines.spec import EngineSpec
from workers.portal import Portal
from workers.processes.guard import Guard
from workers.processes.sessions import members

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(1800)]
SHARED = "Review the proposals below with care. " * 60
FORM = ScoreForm(lines=tuple(f"{name} {criterion}" for name in "ABC" for criterion in ("fit", "cost", "clarity")))


@pytest.fixture(scope="module", autouse=True)
def vllm() -> None:
    build.build()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, valkey_server: ValkeyServer, guard: Guard) -> Node:
    node = Node(tmp_path_factory.mktemp("node"), valkey_server, guard)
    node.spec = vllm_spec(node.folder / "engines")
    return node


@pytest.fixture(scope="module")
def worker(node: Node) -> Iterator[Worker]:
    """One worker and one vLLM for the tests that leave both alive."""
    node.ask("early")
    worker = node.worker()
    until(lambda: node.running(), "vLLM's process")
    assert node.waiting() == 1, "the worker took a task before its engine was ready"
    node.until_ready(READY_WITHIN_S)
    until(lambda: node.answered() == ["early"], "the answer to the task that waited", within=60)
    yield worker
    worker.leave()


@pytest.fixture
def model(node: Node, worker: Worker) -> Iterator[OpenAIChatModel]:
    """The engine as a review on another worker calls it."""
    with calling(node.engines()[0]) as model:
        yield model


@contextmanager
def calling(record: EngineRecord) -> Iterator[OpenAIChatModel]:
    directory, portal = MemoryEngineDirectory(clock=SystemClock()), Portal()
    directory.publish(record, ttl_s=600)
    model = OpenAIChatModel(directory, portal)
    yield model
    portal.close()


def asking(text: str, **more: object) -> ChatRequest:
    messages = (Message(role="user", content=text),)
    known = {"key": "one", "model": build.MODEL, "messages": messages, "max_tokens": 32, "timeout_s": 120.0}
    return ChatRequest.model_validate({**known, **more})


def completion(record: EngineRecord, request: ChatRequest) -> str:
    """Return the text of one answer as the engine sends it."""
    asked = urllib.request.Request(
        f"{record.url}/chat/completions",
        json.dumps(request_body(request, record)).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=request.timeout_s) as answered:
        return str(json.load(answered)["choices"][0]["message"]["content"])


def test_the_directory_tells_of_vllm_and_its_context(node: Node, worker: Worker) -> None:
    (record,) = node.engines()
    assert (record.model, record.kind, record.context_length, record.slots) == (build.MODEL, "vllm", 8192, 32)


@pytest.mark.parametrize(("labels", "criteria"), [(1, 1), (2, 3), (7, 3), (15, 8)])
def test_a_ballot_is_on_form_and_tells_expected_scores(model: OpenAIChatModel, labels: int, criteria: int) -> None:
    form = ScoreForm(lines=tuple(f"{label(n)} criterion {m}" for n in range(labels) for m in range(criteria)))
    (answer,) = model.ask([asking(f"{SHARED} Scores:", max_tokens=form.max_tokens, form=form)])
    assert isinstance(answer, ChatAnswer)
    assert form.read(answer.text) is not None
    assert not answer.cut_off
    assert len(answer.expected) == labels * criteria
    assert any(score != round(score) for score in answer.expected)


def test_guided_json_carries_no_blanks(node: Node, worker: Worker) -> None:
    record = node.engines()[0].model_copy(update={"guidance": "json_schema"})
    with calling(record) as model:
        (answer,) = model.ask([asking("Scores as JSON:", form=FORM)])
    assert isinstance(answer, ChatAnswer)
    assert FORM.read(answer.text) is not None
    assert len(answer.expected) == len(FORM.lines)
    written = completion(record, asking("Scores as JSON:", form=FORM))
    assert written == json.dumps(json.loads(written), separators=(",", ":"))


def test_what_a_second_request_shares_with_the_first_comes_from_the_prefix_cache(model: OpenAIChatModel) -> None:
    text = "Only this test says this. " + SHARED
    list(model.ask([asking(text + "A", max_tokens=1)]))
    (second,) = model.ask([asking(text + "B", max_tokens=1)])
    assert isinstance(second, ChatAnswer)
    assert second.cached_tokens > second.prompt_tokens / 2


def test_the_metrics_show_tokens_and_the_hit_rate(model: OpenAIChatModel, node: Node) -> None:
    list(model.ask([asking(SHARED + key, max_tokens=1, key=key) for key in "ab"]))
    record = node.engines()[0]
    text = EngineProbe(record.url, within_s=10).metrics()
    metrics = read_engine_metrics(ENGINES[record.kind].metric_names, text)
    assert metrics.generated_tokens
    assert metrics.progress
    assert metrics.hit_rate


def test_a_prompt_longer_than_the_context_is_refused_with_vllms_own_count(model: OpenAIChatModel) -> None:
    (failed,) = model.ask([asking("word " * 9000)])
    assert isinstance(failed, ChatFailure)
    assert failed.reason is FailureReason.CONTEXT_EXCEEDED
    counted = re.match(r"(\d+) tokens of prompt and 32 of answer exceed the context of 8192", failed.detail)
    assert counted is not None
    assert 9000 <= int(counted.group(1)) < 9100


def test_a_long_prompt_that_fits_is_served_though_its_bytes_exceed_the_context(model: OpenAIChatModel) -> None:
    (answer,) = model.ask([asking("word " * 2500, max_tokens=1)])
    assert isinstance(answer, ChatAnswer)
    assert answer.prompt_tokens > 2500


def test_an_answer_at_its_bound_is_marked(model: OpenAIChatModel) -> None:
    (answer,) = model.ask([asking("Count from one to a hundred.", max_tokens=5)])
    assert isinstance(answer, ChatAnswer)
    assert answer.cut_off


def test_more_calls_than_vllm_admits_are_all_answered_in_the_end(node: Node, worker: Worker) -> None:
    record = node.engines()[0].model_copy(update={"slots": 0})
    calls = [asking(f"Say {n}.", max_tokens=4, key=str(n)) for n in range(100)]
    with calling(record) as model:
        outcomes = list(model.ask(calls))
    assert [outcome for outcome in outcomes if isinstance(outcome, ChatFailure)] == []


def test_vllm_killed_in_mid_call_is_started_again_and_the_task_is_answered(node: Node, worker: Worker) -> None:
    running = node.running()
    before = len(node.answered())
    node.ask("killed-1", "killed-2")
    until(lambda: node.waiting() == 0, "the tasks on the engine")
    os.kill(running["engine"], signal.SIGKILL)
    until(lambda: members(running["engine"]) == [], "the end of all that vLLM had started")
    until(lambda: len(node.answered()) == before + 2, "the answers", within=READY_WITHIN_S)
    assert node.running()["engine"] != running["engine"]


def test_a_killed_workers_vllm_is_adopted_and_a_leaving_worker_takes_it_along(node: Node, worker: Worker) -> None:
    node.until_ready(READY_WITHIN_S)
    running = node.running()
    worker.kill9()
    following = node.worker()
    node.ask("adopted")
    until(lambda: "adopted" in node.answered(), "the answer of the adopted engine")
    assert node.running()["engine"] == running["engine"]
    assert following.leave() == 0
    assert members(running["engine"]) == []
    assert processes_of_vllm() == []


def test_an_unknown_model_ends_the_worker_with_one_sentence(node: Node) -> None:
    assert sentence_of(node, vllm_spec(node.folder / "unknown", weights="nobody/nothing")).startswith(
        "there is no model nobody/nothing to load"
    )


def test_a_model_without_a_chat_template_ends_the_worker_with_one_sentence(node: Node) -> None:
    base = node.folder / "base-model"
    base.mkdir()
    for path in build.WEIGHTS.iterdir():
        if path.name != "chat_template.jinja":
            shutil.copy(path, base) if path.suffix == ".json" else (base / path.name).symlink_to(path)
    config = json.loads((base / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (base / "tokenizer_config.json").write_text(json.dumps(config))
    assert "has no chat template" in sentence_of(node, vllm_spec(node.folder / "base", weights=str(base)))
    assert processes_of_vllm() == []


def sentence_of(node: Node, spec: EngineSpec) -> str:
    """Let a worker fail to start its engine, and return what it says last before it leaves."""
    worker = node.worker(spec)
    assert worker.child.wait(READY_WITHIN_S) == 1
    told = [line for line in worker.log.text().splitlines() if "CRITICAL" in line]
    assert len(told) == 1
    return told[0].split("] ", 1)[1]


def processes_of_vllm() -> list[str]:
    """Return what runs out of vLLM's environment anywhere on this machine, dead ones that linger among them."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.startswith(str(build.python())) or "VLLM::" in line]
