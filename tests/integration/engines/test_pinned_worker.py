"""A worker and its engine: gated, watched, restarted, adopted, given back; only the engine is scripted."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.support.gpu_node import LEASE_S, MODEL, Node, seen, steer, until
from tests.support.servers import ValkeyServer
from workers.processes.guard import Guard
from workers.processes.sessions import kill_group, members

LONG_LEASE_S = 60.0
"""Longer than a worker needs to start on a busy machine."""


@pytest.fixture
def node(tmp_path: Path, valkey_server: ValkeyServer, guard: Guard) -> Node:
    return Node(tmp_path, valkey_server, guard)


def test_a_task_waits_in_the_queue_until_the_engine_is_ready(node: Node) -> None:
    node.ask("early")
    worker = node.worker(node.spec_of("--ready-after", "3"))
    until(lambda: node.running(), "the engine's process")
    assert node.waiting() == 1
    assert node.engines() == ()
    node.until_ready()
    until(lambda: node.answered() == ["early"], "the answer")
    assert worker.leave() == 0


def test_the_directory_tells_where_the_engine_is_and_what_it_can_take(node: Node) -> None:
    worker = node.worker(node.spec_of(slots=7, max_model_len=2048, gpus=("1",)))
    node.until_ready()
    (record,) = node.engines()
    assert (record.model, record.kind, record.gpu, record.slots) == (MODEL, "vllm", "1", 7)
    assert (record.context_length, record.guidance) == (2048, "regex")
    assert worker.leave() == 0


def test_two_gpus_are_all_that_the_engine_sees_and_it_spreads_the_model_over_them(node: Node) -> None:
    worker = node.worker(node.spec_of(gpus=("2", "3")))
    launched = seen(node.until_ready()["port"])
    assert launched["environment"]["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert launched["argv"][launched["argv"].index("--tensor-parallel-size") + 1] == "2"
    assert node.engines()[0].gpu == "2,3"
    assert worker.leave() == 0


def test_a_gpu_that_this_host_lacks_ends_the_worker_with_those_it_has(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smi = tmp_path / "nvidia-smi"
    smi.write_text("#!/bin/sh\necho '0, GPU-aaaa-1111, NVIDIA H100, 81559, 3'\n")
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    worker = node.worker(node.spec_of(gpus=("7",)))
    assert worker.child.wait(30) == 1
    assert "this host has no GPU 7; it has: 0 (NVIDIA H100)" in worker.log.text()
    assert node.running() == {}


def test_a_worker_told_to_leave_finishes_its_task_on_the_engine_and_takes_the_engine_with_it(node: Node) -> None:
    worker = node.worker(node.spec_of(extra_args=("--latency", "2")))
    running = node.until_ready()
    node.ask("last")
    until(lambda: node.engines()[0].in_flight or node.waiting() == 0, "the task on the engine")
    assert worker.leave() == 0
    assert node.answered() == ["last"]
    assert node.engines() == ()
    assert members(running["engine"]) == []


def test_an_engine_killed_in_mid_call_is_started_again_and_no_task_is_lost(node: Node) -> None:
    worker = node.worker(node.spec_of(extra_args=("--latency", "1")))
    running = node.until_ready()
    node.ask("a", "b", "c")
    until(lambda: node.waiting() == 0, "the tasks on the engine")
    os.kill(running["engine"], signal.SIGKILL)
    until(lambda: node.answered() == ["a", "b", "c"], "the answers of the second engine")
    assert node.running()["engine"] != running["engine"]
    assert members(running["engine"]) == []
    assert worker.leave() == 0


def test_an_engine_that_hangs_takes_no_more_tasks_and_is_replaced(node: Node) -> None:
    worker = node.worker()
    running = node.until_ready()
    os.kill(running["engine"], signal.SIGSTOP)
    until(lambda: node.engines() == (), "the engine out of the directory")
    node.ask("patient")
    until(lambda: node.answered() == ["patient"], "the answer of the second engine", within=60)
    assert members(running["engine"]) == []
    assert worker.leave() == 0


def test_an_engine_whose_health_check_fails_takes_no_tasks_until_it_recovers(node: Node) -> None:
    worker = node.worker(node.spec_of(probe_every_s=3.0))
    running = node.until_ready()
    steer(running["port"], health="500")
    until(lambda: node.engines() == (), "the engine out of the directory")
    steer(running["port"], health="ok")
    node.until_ready()
    assert node.running()["engine"] == running["engine"]
    assert worker.leave() == 0


def test_the_engine_of_a_killed_worker_is_adopted_by_the_next_one(node: Node) -> None:
    worker = node.worker(node.spec_of(lease_s=LONG_LEASE_S))
    running = node.until_ready()
    worker.kill9()
    following = node.worker()
    until(lambda: "adopting the engine" in following.log.text(), "the adoption")
    node.ask("adopted")
    until(lambda: node.answered() == ["adopted"], "the answer")
    assert node.running()["engine"] == running["engine"]
    assert following.leave() == 0
    assert members(running["engine"]) == []


def test_the_engine_of_a_killed_worker_that_no_worker_adopts_is_gone_within_its_lease(node: Node) -> None:
    worker = node.worker()
    running = node.until_ready()
    worker.kill9()
    killed = time.monotonic()
    until(lambda: members(running["engine"]) == [], "the engine's end", within=3 * LEASE_S)
    assert time.monotonic() - killed > LEASE_S / 4
    until(lambda: node.engines() == (), "the record's expiry")


def test_an_engine_whose_shim_is_killed_dies_with_it_and_is_replaced(node: Node) -> None:
    worker = node.worker()
    running = node.until_ready()
    os.kill(running["shim"], signal.SIGKILL)
    until(lambda: members(running["engine"]) == [], "the first engine's end")
    node.ask("after")
    until(lambda: node.answered() == ["after"], "the answer of the second engine")
    assert worker.leave() == 0


def test_another_engine_is_not_adopted_but_ended(node: Node) -> None:
    worker = node.worker(node.spec_of(gpus=("0",)))
    running = node.until_ready()
    worker.kill9()
    following = node.worker(node.spec_of("--ready-after", "0", gpus=("0",), max_model_len=1024))
    until(lambda: [engine.context_length for engine in node.engines()] == [1024], "the other engine")
    assert members(running["engine"]) == []
    assert following.leave() == 0


def test_two_workers_may_not_have_the_same_gpu(node: Node) -> None:
    first = node.worker(node.spec_of(gpus=("0",)))
    node.until_ready()
    second = node.worker(node.spec_of(gpus=("0", "1")))
    assert second.child.wait(30) == 1
    assert f"GPU 0 already belongs to the worker with process id {first.child.pid}" in second.log.text()
    assert len(node.engines()) == 1
    assert first.leave() == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("--fail-with", "torch.OutOfMemoryError: CUDA out of memory."),
            "does not fit into the memory of this host",
        ),
        (
            ("--fail-with", "OSError: Repo id must be in the form 'name': '/no'"),
            "there is no model scripted to load",
        ),
        (
            ("--served-model-name", "ignored", "--fail-with", "ModuleNotFoundError: No module named 'vllm'"),
            "the extra `vllm` of conclave-council",
        ),
    ],
)
def test_an_engine_that_cannot_start_ends_the_worker_with_one_sentence(
    node: Node, words: tuple[str, ...], sentence: str
) -> None:
    worker = node.worker(node.spec_of(*words))
    assert worker.child.wait(30) == 1
    lines = [line for line in worker.log.text().splitlines() if sentence in line]
    assert len(lines) == 1
    assert "Traceback" not in worker.log.text()


def test_a_missing_launch_command_is_named(node: Node) -> None:
    worker = node.worker(node.spec_of(command=("vllm-is-not-here", "serve")))
    assert worker.child.wait(30) == 1
    assert "vLLM is not installed here" in worker.log.text()


def test_an_installation_that_does_not_know_a_flag_is_started_without_it(node: Node, tmp_path: Path) -> None:
    old = tmp_path / "old_vllm.py"
    old.write_text(
        f"import runpy, sys\nsys.path.insert(0, {str(Path.cwd())!r})\n"
        "if '--max-num-queued-reqs' in sys.argv:\n"
        "    sys.exit('vllm: error: unrecognized arguments: --max-num-queued-reqs 128')\n"
        "runpy.run_module('tests.support.scripted_engine', run_name='__main__')\n"
    )
    worker = node.worker(node.spec_of(command=(sys.executable, str(old))))
    node.until_ready()
    assert "does not know --max-num-queued-reqs" in worker.log.text()
    assert worker.leave() == 0


def test_a_taken_port_that_was_asked_for_is_named(node: Node) -> None:
    first = node.worker()
    port = node.until_ready()["port"]
    second = node.worker(node.spec_of("--latency", "9", port=port))
    assert second.child.wait(30) == 1
    assert f"port {port} for scripted on 127.0.0.1 is taken" in second.log.text()
    assert first.leave() == 0


def test_a_broker_restart_does_not_reload_the_model(tmp_path: Path, guard: Guard) -> None:
    with ValkeyServer(tmp_path / "valkey", guard=guard) as server:
        node = Node(tmp_path, server, guard)
        worker = node.worker(node.spec_of(lease_s=LONG_LEASE_S))
        running = node.until_ready()
        server.kill9()
        server.start()
        if worker.child.poll() is not None:
            worker = node.worker()
        node.ask("after")
        until(lambda: node.answered() == ["after"], "the answer")
        assert node.running()["engine"] == running["engine"]
        kill_group(worker.child.pid, signal.SIGTERM)
        assert worker.child.wait(30) == 0
