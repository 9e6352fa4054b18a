"""The compose file's processes without Docker: its own commands and variables, on servers that listen here."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.secured import PASSWORD
from workers.processes.command import ProcessCommand
from workers.processes.ports import free_port

ROOT = Path(__file__).parents[2]
FLOWER_LOGIN = "ops:s3cret-of-flower"
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::?-([^}]*)|:\?[^}]*)?\}")
NAMES_OF_PASSWORDS = re.compile(r"^(?:NATS|VALKEY)_(\w+)_PASSWORD=$", re.MULTILINE)
PINNED = re.compile(r"(?:[\w.-]+(?::\d+)?/)*[\w.-]+:v?\d+\.\d+\.\d+[\w.-]*(?:@sha256:[0-9a-f]{64})?")
"""An image by its whole version, and by its digest where an operator has looked that up."""


def is_pinned(image: str) -> bool:
    """Whether an image is named by a whole version."""
    return PINNED.fullmatch(image) is not None


def filled_in() -> dict[str, str]:
    """Return `.env` as `.env.example` says: every password set; those of tests.support.secured."""
    example = (ROOT / ".env.example").read_text()
    names = [line.rstrip("=") for line in example.splitlines() if re.fullmatch(r"\w+=", line)]
    users = {name: name.split("_")[1].lower() for name in names if NAMES_OF_PASSWORDS.match(f"{name}=")}
    passwords = {name: PASSWORD.format(user=user) for name, user in users.items()}
    assert set(names) == {*passwords, "CONCLAVE_FLOWER_AUTH"}
    return {**passwords, "CONCLAVE_FLOWER_AUTH": FLOWER_LOGIN}


@dataclass(frozen=True)
class Compose:
    """The services of the compose file; `places` says what each address, host or port in it is here."""

    places: Mapping[str, str]
    state: Path

    def process(self, name: str) -> ProcessCommand:
        """Return the process of a service as compose would start it."""
        service = self._service(name)
        entrypoint = service.get("entrypoint", ["conclave"])
        command = _here([*entrypoint, *service.get("command", [])])
        return ProcessCommand(name, command, self.environment(name))

    def environment(self, name: str) -> dict[str, str]:
        """Return the variables of a service; metrics get a port of their own, since this is one host."""
        variables = self._service(name).get("environment", {})
        # What `.env` leaves empty YAML reads as none, and compose passes on as an empty text.
        given = {variable: "" if value is None else value for variable, value in variables.items()}
        here = {"CONCLAVE_STATE": str(self.state / name), "CONCLAVE_ENGINE_STATE_DIR": str(self.state / "engines")}
        if "CONCLAVE_METRICS_PORT" in given:
            here["CONCLAVE_METRICS_PORT"] = str(free_port())
        return {**given, **here, "PYTHONUNBUFFERED": "1"}

    def health(self, name: str) -> tuple[str, ...]:
        """Return the command by which compose asks how a service of ours is."""
        kind, *command = self._service(name)["healthcheck"]["test"]
        assert kind == "CMD"
        return _here(command)

    def _service(self, name: str) -> dict[str, Any]:
        text = (ROOT / "docker-compose.yml").read_text()
        values = filled_in()
        text = VARIABLE.sub(lambda found: values.get(found[1], found[2] or ""), text)
        for inside, here in self.places.items():
            text = re.sub(rf"(?<![\w.]){re.escape(inside)}(?![\w.])", here, text)
        service: dict[str, Any] = yaml.safe_load(text)["services"][name]
        return service


def _here(command: list[str]) -> tuple[str, ...]:
    programs = {
        "conclave": (sys.executable, "-m", "workers.cli"),
        "celery": (sys.executable, "-m", "celery"),
        "python": (sys.executable,),
    }
    return (*programs[command[0]], *command[1:])
