"""README from its top, from nothing: a fresh clone's demo, a wheel by pip alone, then every session in order."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.programs import output_of
from tests.support.readme import ROOT, Here, block_with, blocks
from tests.support.sample_stack import living_in
from tests.support.scripted_engine import ScriptedEngine
from tests.support.servers import NatsServer, ValkeyServer
from tests.support.wheel import build_wheel
from workers.processes.readiness import wait_until
from workers.processes.sessions import kill

pytestmark = [pytest.mark.install, pytest.mark.timeout(1800)]
COMMAND_WITHIN = 900.0
STOPPED_WITHIN = 120.0
SHOWN = ("make demo", "--engine", ".whl", "conclave down", "conclave council apply --default")
"""A command of each block that the tests below carry out."""


def carried_out(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a command as a shell does and return what it printed."""
    return output_of(("/bin/sh", "-c", command), folder=folder, environment=environment, within=COMMAND_WITHIN)


def for_installing() -> dict[str, str]:
    """Return an environment in which nothing compiles, and which still says where packages come from."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONCLAVE_", "PYTHON"))}
    return kept | {"CC": "false", "CXX": "false"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the environment that README's commands make of a wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build_wheel(folder)
    shutil.rmtree(folder / "sources")
    *commands, demo = block_with(".whl")
    assert demo.endswith("conclave demo")
    for command in commands:
        carried_out(command, folder, for_installing())
    return folder


@pytest.fixture
def here(installed: Path, tmp_path: Path) -> Iterator[Here]:
    """A clean folder with README's examples, and an environment of three variables: the least that a shell has."""
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    home = tmp_path / "home"
    home.mkdir()
    binaries = installed / "conclave-env" / "bin"
    least = {"PATH": f"{binaries}:{os.environ['PATH']}", "HOME": str(home), "LANG": "C.UTF-8"}
    yield Here(tmp_path, least, python=str(binaries / "python"), conclave=(str(binaries / "conclave"),))
    kill([process.pid for process in living_in(tmp_path)])


def test_every_block_of_the_readme_is_carried_out_here() -> None:
    assert [text for block, text in zip(blocks(), SHOWN, strict=True) if block != block_with(text)] == []


def test_a_fresh_clone_decides_after_one_command(tmp_path: Path) -> None:
    demo, _ = block_with("make demo")
    carried_out(f"git clone --quiet '{ROOT}' clone", tmp_path, for_installing())
    assert "\nWinner: dev-" in carried_out(demo, tmp_path / "clone", for_installing())


def test_the_wheels_demo_decides(here: Here, installed: Path) -> None:
    *_, demo = block_with(".whl")
    assert "\nWinner: dev-" in carried_out(demo, installed, here.environment)


def test_with_an_engine_of_ones_own_it_is_decided(here: Here) -> None:
    up, *commands = block_with("--engine")
    with ScriptedEngine(model="qwen3:8b", latency_s=0.05) as engine, here.start_on(engine.openai_url, up) as stack:
        here.ready()
        _, outputs = here.carry_out(commands)
        assert "\nWinner: dev-" in outputs[commands[-1]]
        here.run("conclave down")
        assert stack.wait(STOPPED_WITHIN) == 0
    assert not living_in(here.folder)


def test_a_stack_that_is_kept_running_decides_and_the_sample_too(here: Here) -> None:
    up, *commands, down = block_with("conclave down")
    with here.start(up) as stack:
        here.ready()
        here.carry_out_with_sample(commands)
        here.run(down)
        assert stack.wait(STOPPED_WITHIN) == 0
    assert not living_in(here.folder)


def test_each_part_starts_alone_and_together_they_decide(
    here: Here, nats_server: NatsServer, valkey_server: ValkeyServer
) -> None:
    councils, *parts = block_with("conclave council apply --default")
    with ScriptedEngine(model="Qwen/Qwen3-8B", latency_s=0.05) as engine, ExitStack() as running:
        here.environment |= {
            "CONCLAVE_NATS_URL": nats_server.url,
            "CONCLAVE_REDIS_URL": valkey_server.url,
            "CONCLAVE_MODEL": "Qwen/Qwen3-8B",
            "CONCLAVE_EXTERNAL_ENGINES": json.dumps({engine.openai_url: ""}),
        }
        here.run(councils)
        for part in parts:  # there is no GPU here
            running.enter_context(started(here, part.replace("--gpu 0", f"--engine-url {engine.openai_url}")))
        assert wait_until(lambda: sound(here), within=COMMAND_WITHIN, every=2.0), here.output.read_text()
        assert "\nWinner: dev-" in here.run("conclave approve docs/examples/plan.json --role DEV --watch")


@contextmanager
def started(here: Here, command: str) -> Iterator[None]:
    """Run a command for as long as this lasts; it must not have ended by itself, and ends when it is told to."""
    with here.start(command) as process:
        try:
            yield
            assert process.poll() is None, f"{command}: {here.output.read_text()}"
        finally:
            process.terminate()
            process.wait(STOPPED_WITHIN)


def sound(here: Here) -> bool:
    """Whether doctor finds nothing that would break a deliberation."""
    doctor = subprocess.run(
        here.argv("conclave doctor"), cwd=here.folder, env=here.environment, capture_output=True, check=False
    )
    return doctor.returncode == 0
