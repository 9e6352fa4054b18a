"""A worker on a real GPU: the engine is on that GPU and on no other, and whatever ends it leaves no memory held.

For a node with idle NVIDIA GPUs and vLLM: `make test-gpu`. The weights are downloaded unless
GPU_TEST_WEIGHTS names a folder that holds some.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.gpu_node import Node, Worker, until
from tests.support.servers import ValkeyServer
from workers.engines.gpus import Gpu, list_gpus
from workers.engines.spec import EngineSpec
from workers.engines.vllm_engine import VllmEngine
from workers.processes.guard import Guard

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(1800)]

WEIGHTS = os.environ.get("GPU_TEST_WEIGHTS", "Qwen/Qwen3-0.6B")
FLAGS = ("--max-model-len", "2048", "--enforce-eager", "--gpu-memory-utilization")
LEASE_S = 10.0
READY_WITHIN_S = 900.0
"""The first start downloads the weights."""
FREED_WITHIN_S = 30.0
HELD_MIB = 1000
"""The weights alone are more."""
NOISE_MIB = 200
"""What a driver may take or give back by itself; a process that only looks at a GPU holds more."""


@pytest.fixture(scope="module")
def gpus() -> tuple[Gpu, ...]:
    """This node's GPUs."""
    found = list_gpus()
    if not found:
        pytest.skip("nvidia-smi lists no GPU here: run this on a GPU node")
    if shutil.which("vllm", path=VllmEngine().launch(EngineSpec(model="any"), 0).env["PATH"]) is None:
        pytest.skip("there is no vLLM here: install the extra `vllm`, or put `vllm` on the PATH")
    return found


@pytest.fixture
def node(gpus: tuple[Gpu, ...], tmp_path: Path, valkey_server: ValkeyServer, guard: Guard) -> Node:
    return Node(tmp_path, valkey_server, guard)


def spec(node: Node, *indices: str, share: float = 0.4, folder: str = "engines") -> EngineSpec:
    """Describe vLLM on those GPUs with a share of their memory."""
    return EngineSpec(
        model="gpu-test",
        weights=WEIGHTS,
        gpus=indices,
        extra_args=(*FLAGS, str(share)),
        slots=8,
        state_dir=node.folder / folder,
        lease_s=LEASE_S,
        start_within_s=READY_WITHIN_S,
    )


def used() -> dict[str, int]:
    """Return the MiB in use by GPU."""
    return {gpu.index: int(gpu.memory_used) for gpu in list_gpus() or ()}


def compute_processes() -> set[str]:
    """Return the process ids that nvidia-smi says compute on any GPU."""
    query = ("nvidia-smi", "--query-compute-apps=pid", "--format=csv,noheader")
    return set(subprocess.run(query, capture_output=True, text=True, check=True).stdout.split())


class Idle:
    """The GPUs as they were before a worker came."""

    def __init__(self) -> None:
        self.used, self.processes = used(), compute_processes()

    def held(self) -> set[str]:
        """Return the GPUs whose memory somebody took since."""
        return {index for index, now in used().items() if now - self.used[index] > NOISE_MIB}

    def again(self) -> bool:
        """Whether nothing of what came is left."""
        return not self.held() and compute_processes() <= self.processes


def answering(node: Node, wanted: EngineSpec) -> Worker:
    """Start a worker and return it when its engine has answered a task."""
    worker = node.worker(wanted)
    node.until_ready(READY_WITHIN_S)
    node.ask("hello")
    until(lambda: node.answered() == ["hello"], "the answer", within=120)
    return worker


def test_a_gpu_that_is_not_there_is_named_with_those_that_are(node: Node, gpus: tuple[Gpu, ...]) -> None:
    worker = node.worker(spec(node, "99"))
    assert worker.child.wait(60) == 1
    assert f"this host has no GPU 99; it has: {gpus[0].index} ({gpus[0].name})" in worker.log.text()


def test_the_engine_is_on_its_gpu_alone_and_leaves_nothing_there(node: Node, gpus: tuple[Gpu, ...]) -> None:
    pinned, before = gpus[-1].index, Idle()
    worker = answering(node, spec(node, pinned))
    assert before.held() == {pinned}
    assert used()[pinned] - before.used[pinned] > HELD_MIB
    assert node.engines()[0].gpu == pinned
    assert worker.leave() == 0
    until(before.again, "the GPU as it was before", within=FREED_WITHIN_S)


def test_a_gpu_with_too_little_memory_left_ends_the_worker_with_one_sentence(
    node: Node, gpus: tuple[Gpu, ...]
) -> None:
    pinned = gpus[-1].index
    first = answering(node, spec(node, pinned))
    second = node.worker(spec(node, pinned, share=0.9, folder="others"))
    assert second.child.wait(READY_WITHIN_S) == 1
    told = [line for line in second.log.text().splitlines() if "CRITICAL" in line]
    assert len(told) == 1
    assert f"does not fit into the memory of GPU {pinned}" in told[0]
    assert first.leave() == 0


def test_a_killed_workers_engine_gives_the_gpu_back_when_its_lease_is_over(
    node: Node, gpus: tuple[Gpu, ...]
) -> None:
    before = Idle()
    worker = answering(node, spec(node, gpus[-1].index))
    worker.kill9()
    until(before.again, "the GPU as it was before", within=LEASE_S + FREED_WITHIN_S)


def test_a_killed_engine_gives_the_gpu_to_the_next_one(node: Node, gpus: tuple[Gpu, ...]) -> None:
    before = Idle()
    worker = answering(node, spec(node, gpus[-1].index))
    engine = node.running()["engine"]
    os.kill(engine, signal.SIGKILL)
    node.ask("again")
    until(lambda: node.answered() == ["again", "hello"], "the second engine's answer", within=READY_WITHIN_S)
    assert node.running()["engine"] != engine
    assert worker.leave() == 0
    until(before.again, "the GPU as it was before", within=FREED_WITHIN_S)


def test_one_model_spreads_over_two_gpus(node: Node, gpus: tuple[Gpu, ...]) -> None:
    if len(gpus) < 2:
        pytest.skip("this node has one GPU: tensor parallelism needs two")
    pair, before = (gpus[0].index, gpus[1].index), Idle()
    worker = answering(node, spec(node, *pair))
    assert before.held() == set(pair)
    assert node.engines()[0].gpu == ",".join(pair)
    assert worker.leave() == 0
    until(before.again, "both GPUs as they were before", within=FREED_WITHIN_S)
