"""`conclave up` and `conclave down` as another process meets them: over the state folder and signals."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest
import redis

from tests.support.sample_stack import NO_ENGINE, family, living_in
from tests.support.servers import NatsServer, ValkeyServer
from workers.errors import StackError
from workers.processes.guard import Guard
from workers.processes.ports import HOST, free_port
from workers.processes.readiness import wait_until
from workers.processes.sessions import alive, kill
from workers.stack.folder import StackRecord, StateFolder
from workers.stack.layout import StackOptions
from workers.stack.run import embedded_stack, run_stack, stop_stack

WITHIN = 120.0


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"
    kill([process.pid for process in living_in(tmp_path)])


@contextlib.contextmanager
def up(state: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.support.sample_stack", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        try:
            yield run
        except BaseException:
            run.kill()
            raise


def record(state: Path) -> StackRecord:
    folder = StateFolder(state)
    assert wait_until(lambda: folder.record() is not None, within=WITHIN), "no stack.json"
    found = folder.record()
    assert found is not None
    return found


def nothing_lives_in(state: Path) -> bool:
    return wait_until(lambda: not living_in(state), within=WITHIN)


def test_stack_json_says_where_the_servers_answer_and_names_every_process(state: Path) -> None:
    with up(state) as run:
        found = record(state)
        assert redis.Redis.from_url(found.redis_url).ping()
        assert found.nats_url.startswith("nats://conclave:")
        assert found.engine_url == NO_ENGINE.engine
        assert set(found.pids) == {"supervisor", "guard", "nats", "valkey", "family"}
        assert found.pids["supervisor"] == run.pid
        assert all(map(alive, found.pids.values()))
        run.terminate()


def test_down_stops_the_stack_and_says_so(state: Path) -> None:
    with up(state) as run:
        pids = record(state).pids.values()
        assert stop_stack(state)
        assert not any(map(alive, pids))
        assert not living_in(state)
        output, _ = run.communicate()
    assert run.returncode == 0
    assert "nats   | ready after" in output
    assert output.rstrip().endswith("stopped")


def test_down_without_a_stack_changes_nothing(state: Path) -> None:
    assert not stop_stack(state)
    state.mkdir()
    assert not stop_stack(state)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_stop_signals_end_a_running_stack_cleanly(state: Path, number: signal.Signals) -> None:
    with up(state) as run:
        record(state)
        run.send_signal(number)
        assert run.wait(WITHIN) == 0
    assert not living_in(state)
    assert StateFolder(state).record() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_at_any_moment_of_the_start_leaves_nothing(state: Path, number: signal.Signals) -> None:
    for _ in range(3):
        with up(state) as run:
            moment = random.uniform(0.1, 1.2)
            print(f"{number.name} {moment:.3f} s after the start")
            time.sleep(moment)  # a moment, not a wait: the point is that any of them will do
            run.send_signal(number)
            run.communicate()
        assert nothing_lives_in(state)


BEGUN = """
import sys
from workers.cli.__main__ import main

class Told:
    def find_spec(self, name, *_):
        if name == "workers.cli.main":
            print("begun", flush=True)

sys.meta_path.insert(0, Told())
main()
"""
"""The command, which tells when it loads itself. What is before, Python's start, no program can help."""


@pytest.mark.parametrize("moment", [0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 1.2])
def test_ctrl_c_in_the_first_second_of_up_prints_no_traceback(state: Path, moment: float) -> None:
    command = [sys.executable, "-c", BEGUN, "up", "--state", str(state)]
    with subprocess.Popen(
        command,
        env={**os.environ, "CONCLAVE_STACK_PORTS": "free"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "begun\n"
        time.sleep(moment)  # a moment, not a wait: the point is that any of them will do
        run.send_signal(signal.SIGINT)
        output, _ = run.communicate()
    assert "Traceback" not in output
    assert "Error" not in output
    assert run.returncode in (-signal.SIGINT, 130, 0)
    assert nothing_lives_in(state)


def test_nothing_remains_of_a_killed_supervisor_and_its_folder_is_free(state: Path) -> None:
    with up(state) as run:
        pids = record(state).pids.values()
        run.kill()
    assert wait_until(lambda: not any(map(alive, pids)), within=WITHIN)
    assert nothing_lives_in(state)
    with up(state) as run:
        assert wait_until(lambda: record(state).pids["supervisor"] == run.pid, within=WITHIN)
        assert stop_stack(state)


def test_down_kills_a_supervisor_that_does_not_stop_in_time(state: Path) -> None:
    with up(state) as run:
        pids = record(state).pids.values()
        run.send_signal(signal.SIGSTOP)
        assert stop_stack(state, within=0.3)
        assert run.wait(WITHIN) == -signal.SIGKILL
    assert not any(map(alive, pids))
    assert nothing_lives_in(state)


def test_stack_json_follows_a_restart_and_data_survives_it(state: Path) -> None:
    with up(state) as run:
        before = record(state)
        client = redis.Redis.from_url(before.redis_url)
        client.set("council", "DEV")
        assert wait_until(lambda: client.info("persistence")["aof_pending_bio_fsync"] == 0, within=WITHIN)
        os.kill(before.pids["valkey"], signal.SIGKILL)
        assert wait_until(lambda: record(state).pids["valkey"] != before.pids["valkey"], within=WITHIN)
        assert record(state).redis_url == before.redis_url
        assert client.get("council") == b"DEV"
        run.terminate()


def test_data_survives_a_restart_of_the_whole_stack(state: Path) -> None:
    for expected in (None, b"DEV"):
        with embedded_stack(state, NO_ENGINE, processes=family) as (stack, where):
            stack.wait_ready(WITHIN)
            client = redis.Redis.from_url(where.redis_url)
            assert client.get("council") == expected
            client.set("council", "DEV")


def test_a_folder_from_before_there_were_logins_goes_on_with_its_data(state: Path, guard: Guard) -> None:
    async def streams(url: str, *names: str) -> int:
        client = await nats.connect(url)
        for name in names:
            await client.jetstream().add_stream(name=name, subjects=["old.>"])
            await client.jetstream().publish("old.message", b"kept")
        messages = (await client.jetstream().stream_info("OLD")).state.messages
        await client.close()
        return messages

    with NatsServer(state / "nats", guard=guard) as old_nats, ValkeyServer(state / "valkey", guard=guard) as old:
        redis.Redis.from_url(f"{old.url}/2").set("council", "DEV")
        assert asyncio.run(streams(old_nats.url, "OLD")) == 1
        old.stop()
        old_nats.stop()
    # NatsServer keeps its streams one folder deeper than the stack does.
    (state / "nats" / "jetstream" / "jetstream").rename(state / "streams")
    shutil.rmtree(state / "nats" / "jetstream")
    (state / "streams").rename(state / "nats" / "jetstream")
    with embedded_stack(state, NO_ENGINE, processes=family) as (stack, where):
        stack.wait_ready(WITHIN)
        assert redis.Redis.from_url(where.redis_url).get("council") == b"DEV"
        assert asyncio.run(streams(where.nats_url)) == 1
    assert (state / "logins.json").stat().st_mode & 0o077 == 0


def test_a_second_stack_in_the_same_folder_is_refused(state: Path) -> None:
    with embedded_stack(state, NO_ENGINE, processes=family) as (stack, _):
        stack.wait_ready(WITHIN)
        with pytest.raises(StackError, match=rf"another stack \(pid {os.getpid()}\) runs in .*--state"):
            run_stack(state, NO_ENGINE)


@pytest.mark.parametrize("part", ["nats", "redis", "engine", "flower", "web"])
def test_a_taken_port_is_named(state: Path, part: str) -> None:
    with socket.create_server((HOST, free_port())) as squatter:
        port = squatter.getsockname()[1]
        options = StackOptions(
            nats_port=port if part == "nats" else None,
            redis_port=port if part == "redis" else None,
            engine_port=port if part == "engine" else None,
            flower_port=port if part == "flower" else None,
            web_port=port if part == "web" else None,
        )
        with pytest.raises(StackError, match=f"port {port} for {part} is taken"):
            run_stack(state, options)
    assert StateFolder(state).record() is None


@pytest.mark.parametrize("content", ["", "{", '{"nats_url": 1}', "[]", "\x00\xff"])
def test_an_unreadable_record_is_said(state: Path, content: str) -> None:
    state.mkdir()
    (state / "stack.json").write_text(content)
    with pytest.raises(StackError, match=r"stack\.json can't be read .*remove it"):
        run_stack(state, NO_ENGINE)
    with pytest.raises(StackError, match=r"stack\.json can't be read .*remove it"):
        stop_stack(state)


def test_a_state_folder_that_is_a_file_is_said(state: Path) -> None:
    state.write_text("not a folder")
    with pytest.raises(StackError, match=r"state folder .* can't be used"):
        run_stack(state, NO_ENGINE)


def test_a_server_that_can_not_read_its_data_is_named_with_its_words(state: Path) -> None:
    (state / "valkey" / "appendonlydir").mkdir(parents=True)
    (state / "valkey" / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    with pytest.raises(StackError, match=r"valkey exited with 1, 5 times in a row(.|\n)*manifest"):
        run_stack(state, NO_ENGINE, processes=family)
    assert not living_in(state)
