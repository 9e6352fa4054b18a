"""`conclave worker` types what a Celery user would."""

from __future__ import annotations

from typing import Any

import pytest
from typer.main import get_command

from domain.engine import EngineKind
from workers.cli.cli_error import BadInput
from workers.cli.main import app
from workers.cli.worker_process import (
    WorkerOptions,
    beat_command,
    celery_command,
    environment,
    servers,
    worker_options,
)
from workers.composition import engine_of
from workers.settings import Settings


def typed(*arguments: str) -> WorkerOptions:
    """Return what a command line asks for."""
    command: Any = get_command(app)
    with command.commands["worker"].make_context("worker", list(arguments)) as context:
        given = {name: value for name, value in context.params.items() if name != "help"}
    return worker_options(Settings(worker_concurrency=9), **(given | {"engine_args": given["engine_args"] or ()}))


def test_a_control_worker_reads_the_control_queue() -> None:
    options = typed("--control", "--concurrency", "7")
    assert (options.queue, options.concurrency) == ("control", 7)


def test_a_model_worker_takes_its_engine_arguments_from_behind_the_dashes() -> None:
    options = typed("--model", "qwen3", "--gpu", "0,1", "--", "--max-model-len", "16384", "--flag")
    assert (options.queue, options.gpu) == ("llm.qwen3", "0,1")
    assert options.engine_args == ("--max-model-len", "16384", "--flag")


def test_what_is_not_said_is_as_set() -> None:
    options = typed()
    assert (options.queue, options.concurrency) == (f"llm.{Settings().model}", 9)


@pytest.mark.parametrize(
    "extra", [("--model", "m"), ("--gpu", "0"), ("--engine-url", "http://e"), ("--", "--flag")]
)
def test_a_control_worker_has_no_engine(extra: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="has no engine"):
        typed("--control", *extra)


@pytest.mark.parametrize(
    ("ids", "words"),
    [("", "needs indices"), ("0,", "needs indices"), (" ", "needs indices"), ("1, 1", "a GPU twice")],
)
def test_gpus_that_can_not_be_meant_are_refused(ids: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        typed("--model", "m", "--gpu", ids)


def test_the_command_is_celerys_with_a_queue_and_a_node_name() -> None:
    options = WorkerOptions(control=False, model="org/Qwen 3", gpu=None, engine_url="http://e/v1", concurrency=8)
    command = celery_command(options, Settings())
    assert command[1:6] == ["-m", "celery", "-A", "workers.app", "worker"]
    values = dict(zip(command[6::2], command[7::2], strict=True))
    assert (values["-Q"], values["-P"], values["-c"]) == ("llm.org/Qwen 3", "threads", "8")
    name, _, host = values["-n"].partition("@")
    assert host == "%h"
    assert name.startswith("org-Qwen-3-")


def test_a_beat_is_celerys_on_the_servers_that_are_set() -> None:
    command = beat_command(Settings(log_level="DEBUG"))
    assert command[1:] == ["-m", "celery", "-A", "workers.app", "beat", "-l", "DEBUG"]
    assert servers(SETTINGS) == SERVERS


SETTINGS = Settings.model_validate(
    {
        "redis_url": "redis://:secret@r:1",
        "nats": {"url": ("nats://a:1", "nats://b:2")},
        "engine": {"url": "http://s/v1"},
    }
)
SERVERS = {"CONCLAVE_REDIS_URL": "redis://:secret@r:1", "CONCLAVE_NATS_URL": "nats://a:1,nats://b:2"}


def worker(*arguments: str) -> dict[str, str]:
    """Return the environment that a worker started so finds."""
    return environment(typed(*arguments), SETTINGS)


def settled(found: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings that a process with this environment reads."""
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_the_worker_finds_what_the_command_found() -> None:
    expected = {"CONCLAVE_MODEL": "qwen3", "CONCLAVE_ENGINE_URL": "http://s/v1"}
    assert worker("--model", "qwen3") == SERVERS | expected
    assert worker("--control") == SERVERS


def test_naming_gpus_or_arguments_means_an_engine_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settled(worker("--model", "qwen3", "--gpu", "0, GPU-2", "--", "--max-model-len", "16384"), monkeypatch)
    assert found.engine.url == ""
    assert found.engine.gpus == ("0", "GPU-2")
    assert found.engine.extra_args == ("--max-model-len", "16384")
    assert engine_of(found).spec.kind is EngineKind.VLLM


def test_an_engine_that_runs_already_is_called_by_its_url(monkeypatch: pytest.MonkeyPatch) -> None:
    found = settled(worker("--engine-url", "http://gpu:8000/v1"), monkeypatch)
    assert engine_of(found).spec.url == "http://gpu:8000/v1"
    with pytest.raises(BadInput, match="runs already"):
        typed("--engine-url", "http://gpu:8000/v1", "--gpu", "0")
