"""The end of an engine's log, told in one sentence."""

from __future__ import annotations

import pytest

from domain.engine import EngineKind
from workers.engines.diagnosis import explain, last_error
from workers.engines.errors import EngineBusyPort, EngineError, UnknownFlags
from workers.engines.spec import EngineSpec

SPEC = EngineSpec(model="Qwen/Qwen3-0.6B", gpus=("0",))
CORE = "(EngineCore pid=32115) ERROR 11-23 21:58:00 [core.py:1510] "


def told(log: str, spec: EngineSpec = SPEC) -> str:
    error = explain(spec, log, "its process ended")
    assert isinstance(error, EngineError)
    assert "\n" not in str(error)
    return str(error)


@pytest.mark.parametrize(
    "line",
    [
        "FileNotFoundError: vllm: No such file or directory",
        "python: Error while finding module specification (ModuleNotFoundError: No module named 'vllm')",
        "sh: 1: vllm: not found",
    ],
)
def test_a_missing_vllm_says_which_extra_to_install(line: str) -> None:
    assert "the extra `vllm` of conclave-council" in told(line)


@pytest.mark.parametrize(
    "line",
    [
        "OSError: Repo id must be in the form 'repo_name' or 'namespace/repo_name': '/nonexistent/dir'.",
        "huggingface_hub.errors.LocalEntryNotFoundError: Cannot find an appropriate cached snapshot folder",
        "OSError: Nope/Nope is not a local folder and is not a valid model identifier listed on the hub",
        "OSError: weights does not appear to have a file named config.json.",
    ],
)
def test_an_unknown_model_is_named(line: str) -> None:
    assert told("Traceback\n" + line).startswith("there is no model Qwen/Qwen3-0.6B to load")


@pytest.mark.parametrize(
    "line",
    [
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
        "ValueError: Free memory on device (3.1/23.6 GiB) on startup is less than desired GPU memory utilization",
        "ValueError: No available memory for the cache blocks.",
        "ValueError: Available memory on node 0 (6.8/9.7 GiB) is less than requested memory for kv (500.0 GiB).",
    ],
)
def test_too_little_memory_names_the_gpu_and_keeps_the_figures(line: str) -> None:
    sentence = told(f"{CORE}{line}\nRuntimeError: Engine core initialization failed. See root cause above.")
    assert "does not fit into the memory of GPU 0" in sentence
    assert line[:40] in sentence


def test_a_taken_port_is_an_error_of_its_own_for_another_one_will_do() -> None:
    error = explain(SPEC, "OSError: [Errno 98] Address already in use", "")
    assert isinstance(error, EngineBusyPort)


def test_flags_that_are_not_known_are_named() -> None:
    log = "usage: vllm serve\nvllm: error: unrecognized arguments: --max-num-queued-reqs 128 --no-such-flag=3"
    error = explain(SPEC, log, "")
    assert isinstance(error, UnknownFlags)
    assert error.flags == {"--max-num-queued-reqs", "--no-such-flag"}


def test_without_a_gpu_driver_it_says_which_gpu_was_meant() -> None:
    assert "finds no device to run on; it was to use GPU 0" in told("RuntimeError: Failed to infer device type")


def test_anything_else_is_told_by_its_last_error_without_what_logging_puts_before_it() -> None:
    log = f"{CORE}ValueError: an unforeseen thing\nINFO done\nRuntimeError: failed. See root cause above."
    assert told(log) == "vllm can't serve Qwen/Qwen3-0.6B: ValueError: an unforeseen thing"


def test_a_log_that_tells_nothing_leaves_what_was_seen() -> None:
    assert told("loading\n") == "vllm can't serve Qwen/Qwen3-0.6B: its process ended"


def test_a_missing_command_of_another_engine_is_not_blamed_on_vllm() -> None:
    spec = EngineSpec(kind=EngineKind.LLAMA_CPP, model="smol")
    assert "vllm" not in told("FileNotFoundError: llama: No such file or directory", spec)


def test_a_log_without_an_error_has_no_last_one() -> None:
    assert last_error("INFO fine\nINFO errors: 0\n") == ""
