"""What every pod of the chart must keep to, and that its process finds there what it needs."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer

from domain.engine import EngineKind
from domain.finding import Level
from domain.policy import Policy
from tests.support.compose import is_pinned
from tests.support.helm import CHART, ROOT, SECRETS, VARIANTS, every_part, installation, installed, run_helm
from workers.cli.main import app
from workers.doctor.time_bounds import examine_settings
from workers.engines.engine_process import GRACE_S
from workers.engines.spec import EngineSpec
from workers.settings import Settings
from workers.variables import unknown_variables

SERVERS = {"nats", "valkey"}
USERS = {"bridge": "bridge", "flower": "flower", "web": "page"}
"""Who is no worker to NATS and Valkey."""
NO_NATS = {"beat", "flower"}
NO_METRICS = {"flower", "web"}
EXAMPLE = (ROOT / ".env.example").read_text()

every_pod = pytest.mark.parametrize(("variant", "part"), every_part())
every_process = pytest.mark.parametrize(
    ("variant", "part"), [param for param in every_part() if param.values[1] not in SERVERS]
)


def settings_of(variant: str, part: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return what the process of a part reads from its environment."""
    for name, value in installed(variant).environment(part).items():
        monkeypatch.setenv(name, value)
    return Settings()


def secret_keys(variant: str, part: str) -> set[str]:
    sources = [entry["valueFrom"] for entry in installed(variant).container(part)["env"] if "valueFrom" in entry]
    return {source["secretKeyRef"]["key"] for source in sources if "secretKeyRef" in source}


@every_pod
def test_none_has_more_rights_than_needed(variant: str, part: str) -> None:
    pod = installed(variant).pod(part)["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert installed(variant).container(part)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod)
    assert not [volume for volume in pod.get("volumes", []) if "hostPath" in volume]


@every_pod
def test_no_variable_of_a_service_can_pass_for_a_setting(variant: str, part: str) -> None:
    assert installed(variant).pod(part)["spec"]["enableServiceLinks"] is False


@every_pod
def test_none_can_take_all_memory_of_its_node(variant: str, part: str) -> None:
    resources = installed(variant).container(part)["resources"]
    assert {"cpu", "memory"} <= set(resources["requests"])
    assert "memory" in resources["limits"]


def test_images_are_named_by_the_digests_that_an_operator_gives() -> None:
    digests = {image: f"sha256:{number:064x}" for number, image in enumerate(("conclave", "conclave-nats"))}
    given = json.dumps({"registry": "registry.example/team", "digests": digests})
    pinned = installation("--set-json", f"images={given}")
    for part, image in (("bridge", "conclave"), ("nats", "conclave-nats"), ("valkey", "conclave-valkey")):
        name = f"registry.example/team/{image}"
        behind = f"@{digests[image]}" if image in digests else ""
        used = pinned.container(part)["image"]
        assert re.fullmatch(rf"{re.escape(name)}:\d[\w.]*{behind}", used), used
        assert is_pinned(used)


@pytest.mark.parametrize("digests", ['{"conclave": "sha256:abc"}', f'{{"another": "sha256:{1:064x}"}}'])
def test_what_is_no_digest_of_an_image_of_ours_is_refused(digests: str) -> None:
    run = run_helm("template", str(CHART), "--set-json", f"images.digests={digests}")
    assert "values don't meet the specifications of the schema" in run.stderr


@every_pod
def test_what_hangs_is_noticed_at_ports_and_by_commands_that_exist(variant: str, part: str) -> None:
    container = installed(variant).container(part)
    ports = {port["name"] for port in container.get("ports", [])}
    for probe in (container["livenessProbe"], container["readinessProbe"], container.get("startupProbe", {})):
        port = probe.get("httpGet", probe.get("tcpSocket", {})).get("port")
        assert port is None or port in ports
        command = probe.get("exec", {}).get("command", [])
        if command[:2] == ["python", "-m"]:
            assert (ROOT / command[2].replace(".", "/")).with_suffix(".py").exists()


@every_process
def test_a_server_that_is_away_ends_no_process_that_has_something_in_hand(variant: str, part: str) -> None:
    probe = installed(variant).container(part)["livenessProbe"]
    looks_at_servers = "exec" in probe
    assert looks_at_servers is (part == "beat")
    if looks_at_servers:
        assert probe["periodSeconds"] * probe["failureThreshold"] >= 600


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("part", "urls"),
    [("bridge", ("CONCLAVE_NATS_URL", "CONCLAVE_REDIS_URL")), ("beat", ("CONCLAVE_REDIS_URL",))],
)
def test_who_is_ready_when_connected_is_asked_for_its_own_servers(
    variant: str, part: str, urls: tuple[str, ...]
) -> None:
    environment = installed(variant).environment(part)
    servers = [urlsplit(environment[name]).netloc.rpartition("@")[2] for name in urls]
    command = installed(variant).container(part)["readinessProbe"]["exec"]["command"]
    assert command == ["python", "-m", "workers.stack.container_check", "connected", *servers]


@every_process
def test_no_secret_stands_in_a_variable_or_an_argument(variant: str, part: str) -> None:
    container = installed(variant).container(part)
    secret = re.compile(r"PASSWORD|KEY|AUTH|TOKEN|SECRET|USERS")
    named = [entry for entry in container["env"] if secret.search(entry["name"])]
    assert all("secretKeyRef" in entry["valueFrom"] for entry in named)
    password = re.compile(r"//[^/]*:(?!\$\(\w+\)@)[^/]*@")
    plain = [entry["value"] for entry in container["env"] if "value" in entry]
    assert not [text for text in (*plain, *container["args"]) if password.search(text)]


@every_pod
def test_a_pod_is_given_the_logins_of_its_own_user_alone(variant: str, part: str) -> None:
    known = set(re.findall(r"^(\w+)=$", EXAMPLE, re.MULTILINE))
    given = secret_keys(variant, part)
    assert given <= known | {"HF_TOKEN", "HOSTED_KEY"} | SECRETS.keys()
    passwords = {key for key in given if key.endswith("_PASSWORD")}
    if part in SERVERS:
        assert passwords == {key for key in known if key.startswith(f"{part.upper()}_")}
        return
    user = USERS.get(part, "worker").upper()
    of_nats = set() if part in NO_NATS else {f"NATS_{user}_PASSWORD"}
    assert passwords == of_nats | {f"VALKEY_{user}_PASSWORD"}
    assert ("CONCLAVE_FLOWER_AUTH" in given) is (part == "flower")


@every_process
def test_every_setting_exists(variant: str, part: str) -> None:
    assert unknown_variables(installed(variant).environment(part), Settings) == []


@every_process
def test_a_process_reads_its_login_its_servers_and_bounds_that_nest(
    variant: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, user = settings_of(variant, part, monkeypatch), USERS.get(part, "worker")
    url = settings.redis_url.get_secret_value()
    assert f"://{user}:VALKEY_{user.upper()}_PASSWORD@" in url
    if part not in NO_NATS:
        assert (settings.nats.user, settings.nats.password.get_secret_value()) == (
            user,
            f"NATS_{user.upper()}_PASSWORD",
        )
    if part not in NO_METRICS:
        assert (settings.metrics.host, settings.metrics.port) == ("0.0.0.0", 9100)
    assert {finding.level for finding in examine_settings(settings)} == {Level.OK}


@every_process
def test_every_command_is_one_of_ours(variant: str, part: str) -> None:
    command, *arguments = installed(variant).container(part)["args"]
    group: Any = typer.main.get_command(app)
    group.commands[command].make_context(command, arguments)


@pytest.mark.parametrize(
    ("variant", "part"), [param for param in every_part() if param.values[1].startswith(("control", "model-"))]
)
def test_a_worker_may_end_its_longest_model_call_and_its_engine(variant: str, part: str) -> None:
    patience = installed(variant).pod(part)["spec"]["terminationGracePeriodSeconds"]
    assert patience > Policy().call_timeout_s + (GRACE_S if part.startswith("model-") else 0)


@pytest.mark.parametrize(
    ("variant", "part", "kind", "gpus"),
    [
        ("as it comes", "model-smollm2", EngineKind.LLAMA_CPP, 0),
        ("gpu", "model-qwen", EngineKind.VLLM, 1),
        ("gpu", "model-mistral", EngineKind.VLLM, 2),
    ],
)
def test_an_engine_is_called_at_its_pod_where_a_policy_lets_callers_in(
    variant: str, part: str, kind: EngineKind, gpus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, container = settings_of(variant, part, monkeypatch).engine, installed(variant).container(part)
    assert (engine.kind, engine.host, engine.port) == (kind, "10.0.3.7", 8000)
    assert {"name": "engine", "containerPort": engine.port} in container["ports"]
    assert container["resources"]["limits"].get("nvidia.com/gpu", 0) == gpus
    indices = container["args"][container["args"].index("--gpu") + 1] if gpus else ""
    assert indices == ",".join(map(str, range(gpus)))
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {"/tmp", "/home/conclave", "/models", "/dev/shm"} if gpus else {"/tmp"}


def test_control_workers_may_call_every_engine_of_others_with_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reviews are asked by control workers, and a process calls only what its settings name."""
    worker = installed("gpu").container("model-hosted")["args"]
    url = worker[worker.index("--engine-url") + 1]
    assert settings_of("gpu", "control", monkeypatch).engine_keys == {url: "HOSTED_KEY"}
    own = settings_of("gpu", "model-hosted", monkeypatch).engine.model_copy(update={"url": url})
    assert EngineSpec.of(own.model_copy(update={"kind": EngineKind.EXTERNAL}), model="m").key.get_secret_value()


def test_the_page_may_listen_where_its_service_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    args = installed("gpu").container("web")["args"]
    assert args[0] == "web"
    served = settings_of("gpu", "web", monkeypatch).with_web(host=args[2], port=int(args[4])).web
    assert (served.refusal, served.host, served.port) == ("", "0.0.0.0", 8400)
    assert served.secure


def test_a_page_behind_a_proxy_needs_no_users_and_links_where_values_say(monkeypatch: pytest.MonkeyPatch) -> None:
    web = {
        "enabled": True,
        "proxyHeader": "X-User",
        "trustedProxies": ["10.0.0.7"],
        "flowerUrl": "https://flower.example",
        "traceUrl": "https://traces.example/{trace_id}",
    }
    found = installation("--set-json", f"web={json.dumps(web)}")
    (users,) = [entry for entry in found.container("web")["env"] if entry["name"] == "CONCLAVE_WEB_USERS"]
    assert users["valueFrom"]["secretKeyRef"]["optional"] is True
    environment = found.environment("web")
    del environment["CONCLAVE_WEB_USERS"]  # the Secret has none
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    served = Settings().with_web(host="0.0.0.0").web
    assert (served.refusal, served.proxy_header) == ("", "X-User")
    assert [str(proxy) for proxy in served.trusted_proxies] == ["10.0.0.7/32"]
    assert (served.flower_url, served.trace_url) == (web["flowerUrl"], web["traceUrl"])


@every_process
def test_the_log_goes_to_the_container_as_json(variant: str, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if part != "flower":  # Flower's log is its own
        assert settings_of(variant, part, monkeypatch).log_json is True
