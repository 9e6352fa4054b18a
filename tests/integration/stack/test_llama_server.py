"""The embedded engine answers as an OpenAI-compatible server under the name it was given."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workers.engines.llama_server import DEFAULT_MODEL, engine_url, llama_server
from workers.processes.command import spawn
from workers.processes.guard import Guard
from workers.processes.log_file import LogFile
from workers.processes.ports import free_port
from workers.processes.readiness import wait_until

YES_OR_NO = {
    "type": "object",
    "properties": {"answer": {"enum": ["yes", "no"]}},
    "required": ["answer"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[str]:
    port = free_port()
    process = llama_server(port=port)
    log = LogFile(tmp_path_factory.mktemp("engine") / "engine.log")
    child = spawn(process, log=log, guard=guard)
    assert wait_until(lambda: process.ready(log), within=60), log.tail()
    yield engine_url(port)
    child.kill()
    child.wait()


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def test_the_model_is_served_under_its_name(url: str) -> None:
    assert [model["id"] for model in ask(f"{url}/models")["data"]] == [DEFAULT_MODEL]


def test_an_answer_can_be_constrained_by_a_schema(url: str) -> None:
    answer = ask(
        f"{url}/chat/completions",
        {
            "model": DEFAULT_MODEL,
            "messages": [{"role": "user", "content": "Is water wet?"}],
            # Blanks between the tokens of an object are within the schema, and this model likes them.
            "max_tokens": 400,
            "temperature": 0,
            "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": YES_OR_NO}},
        },
    )
    assert json.loads(answer["choices"][0]["message"]["content"])["answer"] in {"yes", "no"}


def test_a_repeated_prompt_is_taken_from_the_cache(url: str) -> None:
    body = {
        "model": DEFAULT_MODEL,
        "messages": [{"role": "user", "content": "Count the reasons to write a test first. " * 20}],
        "max_tokens": 1,
        "id_slot": 0,
    }
    first, second = ask(f"{url}/chat/completions", body), ask(f"{url}/chat/completions", body)
    assert first["usage"]["prompt_tokens"] > 100
    assert second["timings"]["prompt_n"] < first["timings"]["prompt_n"] / 10


def test_weights_that_do_not_exist_are_named(tmp_path: Path, guard: Guard) -> None:
    process = llama_server(port=free_port())
    missing = tmp_path / "missing.gguf"
    broken = type(process)(process.name, (*process.argv, "--model-path", str(missing)))
    log = LogFile(tmp_path / "engine.log")
    child = spawn(broken, log=log, guard=guard)
    assert child.wait(60) == 1
    assert f"the engine can't serve {missing}" in log.text()
