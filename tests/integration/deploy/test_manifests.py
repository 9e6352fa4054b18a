"""The chart: manifests that the API takes, whose names and selectors find each other."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.support.helm import CHART, ROOT, VARIANTS, Installation, Manifest, installed, run_helm

OLDEST, NEWEST = "1.29", kubernetes_validate.latest_version()
every_variant = pytest.mark.parametrize("variant", VARIANTS)
RESOURCES_OF_KEDA = {"ScaledObject"}


def selected(installation: Installation, labels: dict[str, str]) -> list[str]:
    """Return the parts whose pods have all these labels."""
    return [
        part
        for part in installation.workloads
        if labels.items() <= installation.pod(part)["metadata"]["labels"].items()
    ]


def metadata() -> Manifest:
    found: Manifest = yaml.safe_load((CHART / "Chart.yaml").read_text())
    return found


@every_variant
def test_helm_finds_nothing_to_say(variant: str) -> None:
    run = run_helm("lint", "--strict", "--quiet", str(CHART), *VARIANTS[variant])
    assert run.returncode == 0, run.stdout + run.stderr


@every_variant
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_manifest_is_valid_by_the_schemas_of_the_api(variant: str, version: str) -> None:
    for manifest in installed(variant).manifests:
        if manifest["kind"] not in RESOURCES_OF_KEDA:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_the_oldest_version_is_the_one_that_the_chart_names() -> None:
    assert metadata()["kubeVersion"] == f">={OLDEST}.0-0"


@every_variant
def test_objects_have_names_of_their_own_in_one_namespace(variant: str) -> None:
    manifests = installed(variant).manifests
    names = [(found["kind"], found["metadata"]["name"]) for found in manifests]
    assert len(set(names)) == len(names)
    assert {found["metadata"]["namespace"] for found in manifests} == {"councils"}
    assert max(len(name) for _, name in names) <= 63


@pytest.mark.parametrize(
    ("variant", "parts"),
    [
        ("as it comes", {"bridge", "control", "beat", "flower", "model-smollm2", "nats", "valkey"}),
        ("gpu", {"bridge", "control", "beat", "flower", "web", "model-qwen", "model-mistral", "model-hosted"}),
    ],
)
def test_the_whole_installation_is_there(variant: str, parts: set[str]) -> None:
    assert set(installed(variant).workloads) == parts


@every_variant
def test_a_workload_selects_its_own_pods_and_no_others(variant: str) -> None:
    found = installed(variant)
    for part, workload in found.workloads.items():
        assert selected(found, workload["spec"]["selector"]["matchLabels"]) == [part]


@every_variant
def test_a_service_leads_to_one_workload_at_ports_that_it_has(variant: str) -> None:
    found = installed(variant)
    for service in found.of_kind("Service").values():
        (part,) = selected(found, service["spec"]["selector"])
        assert service["metadata"]["name"].endswith(part)
        ports = {port["name"]: port["containerPort"] for port in found.container(part)["ports"]}
        for port in service["spec"]["ports"]:
            assert ports[port["targetPort"]] == port["port"]


@every_variant
def test_every_address_of_a_server_is_a_service_of_the_release_or_given(variant: str) -> None:
    found = installed(variant)
    services = set(found.of_kind("Service"))
    given = {"nats-headless.messaging", "valkey.example"} if variant == "gpu" else set()
    for part in found.workloads:
        environment = found.environment(part)
        urls = [environment[name] for name in ("CONCLAVE_NATS_URL", "CONCLAVE_REDIS_URL") if name in environment]
        hosts = {url.rpartition("@")[2].rpartition("//")[2].partition(":")[0] for url in urls}
        assert hosts <= services | given


@every_variant
def test_what_may_be_evicted_goes_one_at_a_time(variant: str) -> None:
    found = installed(variant)
    budgets = [budget["spec"] for budget in found.of_kind("PodDisruptionBudget").values()]
    guarded = [selected(found, budget["selector"]["matchLabels"]) for budget in budgets]
    assert sorted(part for parts in guarded for part in parts) == sorted(
        set(found.workloads) - {"flower", "nats", "valkey"}
    )
    assert {budget["maxUnavailable"] for budget in budgets} == {1}


@pytest.mark.parametrize("part", ["bridge", "control", "beat"])
def test_what_must_not_be_missing_runs_twice(part: str) -> None:
    assert installed("as it comes").workloads[part]["spec"]["replicas"] == 2


def test_chart_and_images_are_those_of_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (metadata()["version"], metadata()["appVersion"]) == (version, version)
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].values()
    built = {service["image"] for service in compose}
    for variant in ("as it comes", "gpu"):
        found = installed(variant)
        used = {found.container(part)["image"].rpartition("/")[2] for part in found.workloads}
        assert used <= built


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ("bridge.replica=3", "at '/bridge': additional properties 'replica'"),
        ("models.smollm2.modell=x", "at '/models/smollm2': additional properties 'modell'"),
        ("settings.REDIS_URL=x", "invalid propertyName 'REDIS_URL'"),
        ("models.Smol.model=x", "invalid propertyName 'Smol'"),
        ("valkey.tls=true", "at '/valkey/tls': value must be false"),
    ],
)
def test_a_value_that_means_nothing_is_refused(words: str, refusal: str) -> None:
    run = run_helm("template", str(CHART), "--set", words)
    assert run.returncode == 1
    assert refusal in run.stderr


def test_the_commands_of_the_page_are_about_what_there_is() -> None:
    page = (ROOT / "docs" / "kubernetes.md").read_text()
    lines = [shlex.split(line) for line in re.findall(r"^helm (.*)$", page, re.MULTILINE)]
    verbs = {"lint", "template", "install"}
    assert {word for line in lines for word in line if word in verbs} == verbs
    for line in lines:
        offline = ["template" if word == "install" else word for word in line]
        run = run_helm(*[str(ROOT / word) if word.startswith("deploy/") else word for word in offline])
        assert run.returncode == 0, run.stderr
    found = installed("as it comes")
    assert set(re.findall(r" deploy/(conclave-\S+)", page)) <= set(found.of_kind("Deployment"))
    assert set(re.findall(r" svc/(conclave-\S+)", page)) <= set(found.of_kind("Service"))
    named = re.findall(
        r"`((?:nats|valkey|flower|web|networkPolicy|autoscaling|control|scale)\.(?!conf)[a-z]\w*)", page
    )
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    defaults["scale"] = defaults["modelDefaults"]["scale"]
    assert named
    for part, value in (path.split(".") for path in named):
        assert value in defaults[part]


def test_a_number_stays_the_number_that_was_set(tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(
        "settings: {CONCLAVE_MAX_MESSAGE_BYTES: 2097152, CONCLAVE_REDELIBERATION_MIN_P_WINNER: 0.25}"
    )
    run = run_helm("template", str(CHART), "--values", str(values))
    assert 'value: "2097152"' in run.stdout
    assert 'value: "0.25"' in run.stdout
