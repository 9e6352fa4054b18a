"""The compose file: valid by its schema, and as an installation should run. No Docker engine is needed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from domain.policy import Policy
from tests.support.compose import is_pinned
from web.options import WebOptions
from workers.cli.main import app
from workers.engines.llama_server import SLOTS
from workers.settings import Settings
from workers.variables import unknown_variables

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
TEXT = COMPOSE.read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
SERVERS = {"nats", "valkey"}
WORKERS = {"control-worker", "model-worker", "gpu-worker"}
SECONDS = {"s": 1, "m": 60}


def seconds(duration: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([sm])", duration).groups()  # type: ignore[union-attr]
    return int(number) * SECONDS[unit]


every_service = pytest.mark.parametrize("name", SERVICES)


def test_it_is_valid_by_the_compose_schema() -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    run = subprocess.run(checker, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@every_service
def test_its_log_has_a_bound(name: str) -> None:
    options = SERVICES[name]["logging"]["options"]
    assert options["max-size"]
    assert int(options["max-file"]) > 1


def test_the_whole_installation_is_there() -> None:
    assert set(SERVICES) == SERVERS | WORKERS | {"bridge", "engine", "beat", "flower", "web"}


@every_service
def test_images_are_pinned(name: str) -> None:
    assert is_pinned(SERVICES[name]["image"])


@every_service
def test_what_dies_or_hangs_is_noticed_and_started_again(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    check = SERVICES[name]["healthcheck"]
    assert check["test"]
    assert seconds(check["timeout"]) <= seconds(check["interval"])


@every_service
def test_nobody_has_more_rights_than_needed(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name != "gpu-worker")
    assert not {"privileged", "cap_add", "pid", "network_mode"} & set(service)


@every_service
def test_none_can_take_all_memory_or_processes(name: str) -> None:
    service = SERVICES[name]
    assert 0 < service["pids_limit"] <= 8192
    assert (service["mem_limit"] == 0) is (name == "gpu-worker")


@every_service
def test_ports_are_published_on_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", sorted(WORKERS))
def test_a_worker_may_end_its_longest_model_call(name: str) -> None:
    assert seconds(SERVICES[name]["stop_grace_period"]) > Policy().call_timeout_s


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_servers_keep_their_data_in_volumes(name: str) -> None:
    assert SERVICES[name]["volumes"] == [f"{name}:/data"]


@pytest.mark.parametrize("name", ["bridge", "beat", "flower", "web", *sorted(WORKERS)])
def test_processes_start_when_their_servers_are_well(name: str) -> None:
    waits = SERVICES[name]["depends_on"]
    assert set(waits) >= SERVERS
    assert all(wait == {"condition": "service_healthy"} for wait in waits.values())


def test_what_needs_more_than_passwords_has_a_profile_and_the_gpu_worker_reserves_its_gpus() -> None:
    assert {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service} == {
        "gpu-worker": ["gpu"],
        "web": ["page"],
    }
    (device,) = SERVICES["gpu-worker"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia"
    assert device["capabilities"] == ["gpu"]


def test_every_password_must_be_set_and_the_example_names_all() -> None:
    secret = r"\w+_(?:PASSWORD|AUTH)"
    used = set(re.findall(rf"\$\{{({secret})", TEXT))
    assert used == set(re.findall(rf"\$\{{({secret}):\?", TEXT)), "a password with a default is none"
    named = set(re.findall(rf"^({secret})=$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named == used


@pytest.mark.parametrize("place", ["README.md", "docker-compose.yml", ".env.example", "docs/kubernetes.md"])
def test_the_file_of_passwords_is_made_for_its_owner_alone(place: str, tmp_path: Path) -> None:
    example = tmp_path / ".env.example"
    shutil.copy(ROOT / example.name, example)
    (command,) = re.findall(rf"(\w[\w -]*) {re.escape(example.name)} [.]env\b", (ROOT / place).read_text())
    subprocess.run(["sh", "-c", f"umask 022; {command} .env.example .env"], cwd=tmp_path, check=True)
    made = tmp_path / ".env"
    assert made.read_text() == example.read_text()
    assert made.stat().st_mode & 0o777 == 0o600


@every_service
def test_every_setting_exists(name: str) -> None:
    assert unknown_variables(SERVICES[name].get("environment", {}), Settings) == []


WITHIN_THE_CONTAINER = {"host", "port", "session_s"}
"""What of the page no operator of the compose file has to set."""


def test_what_an_operator_sets_in_the_environment_reaches_the_page_and_the_workers() -> None:
    example = (ROOT / ".env.example").read_text()
    of_page = [f"CONCLAVE_WEB_{name.upper()}" for name in WebOptions.model_fields.keys() - WITHIN_THE_CONTAINER]
    for name, variables in (("web", of_page), ("control-worker", ["CONCLAVE_PRICES", "CONCLAVE_CURRENCY"])):
        for variable in variables:
            assert SERVICES[name]["environment"][variable].startswith(f"${{{variable}")
            assert f"{variable}=" in example


def test_broker_results_and_store_are_the_database_that_valkeys_users_may_use() -> None:
    urls = {service.get("environment", {}).get("CONCLAVE_REDIS_URL", "") for service in SERVICES.values()} - {""}
    assert len(urls) == 4
    assert {url.rpartition("/")[2] for url in urls} == {SERVICES["valkey"]["environment"]["VALKEY_DATABASE"]}


def test_the_embedded_engine_is_called_as_it_serves() -> None:
    assert SERVICES["model-worker"]["environment"]["CONCLAVE_ENGINE_SLOTS"] == str(SLOTS)


@pytest.mark.parametrize("name", ["bridge", "flower", "web", *sorted(WORKERS)])
def test_every_command_is_one_of_ours(name: str) -> None:
    command, *arguments = (re.sub(r"\$\{\w+:-(.*?)\}", r"\1", word) for word in SERVICES[name]["command"])
    group: Any = typer.main.get_command(app)
    group.commands[command].make_context(command, arguments)


def test_control_workers_may_call_every_engine_that_a_worker_serves_from_outside() -> None:
    """Reviews are asked by control workers, and a process calls only what its settings name."""
    control = Settings.model_validate(
        {"external_engines": json.loads(SERVICES["control-worker"]["environment"]["CONCLAVE_EXTERNAL_ENGINES"])}
    )
    commands = [service.get("command", []) for service in SERVICES.values()]
    urls = [words[words.index("--engine-url") + 1] for words in commands if "--engine-url" in words]
    assert urls
    assert set(urls) <= set(control.engine_keys)


@every_service
def test_no_password_stands_in_an_argument_list(name: str) -> None:
    service = SERVICES[name]
    words = [*service.get("command", []), *service.get("entrypoint", []), *service["healthcheck"]["test"]]
    shown = [word for word in words if re.search(r"(--pass|-a |--user \S+:)[^|]*PASSWORD|:\$\{?\S*PASSWORD", word)]
    assert shown == []
