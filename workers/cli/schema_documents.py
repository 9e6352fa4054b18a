"""JSON Schema of every message, an AsyncAPI 3 document and the page's OpenAPI, written from the models."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bridge.aliases import ALIASES
from domain.contract import OUTGOING
from domain.inbound import INCOMING
from workers.settings import Settings
from workers.web_process import application

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TOLD: dict[str, type[BaseModel]] = {**OUTGOING, **ALIASES}
TEMPLATE = "#/components/schemas/{model}"


def documents(version: str) -> dict[str, str]:
    """Return file name → text of every document; the same models give the same bytes."""
    schemas = {f"{subject}.json": _text(_schema(subject)) for subject in (*INCOMING, *TOLD)}
    return {**schemas, "asyncapi.json": _text(asyncapi(version)), "openapi.json": openapi(version)}


def write(folder: Path, version: str) -> list[Path]:
    """Write the documents into a folder, made if missing; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in documents(version).items():
        (folder / name).write_text(text, encoding="utf-8")
        written.append(folder / name)
    return written


def asyncapi(version: str) -> dict[str, Any]:
    """Describe the channels, and what Conclave receives and sends there (AsyncAPI 3.0.0)."""
    schemas: dict[str, Any] = {}
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for models, action in ((INCOMING, "receive"), (TOLD, "send")):
        for subject, model in models.items():
            schema = _model(subject).model_json_schema(ref_template=TEMPLATE, mode=_mode(subject))
            schemas |= schema.pop("$defs", {})
            schemas[model.__name__] = schema
            message = {"name": subject, "contentType": "application/json", "payload": _reference(model)}
            channels[subject] = {"address": subject, "messages": {subject: message}}
            operations[f"{action}.{subject}"] = {
                "action": action,
                "channel": {"$ref": f"#/channels/{subject}"},
            }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Conclave",
            "version": version,
            "description": "Approved plans in, ranked decisions out. Headers, and the dialects in which a payload "
            "lies in an envelope or a CloudEvent, are in docs/events.md.",
            "license": {"name": "Apache-2.0"},
        },
        "servers": {"nats": {"host": "127.0.0.1:4222", "protocol": "nats", "description": "JetStream"}},
        "channels": channels,
        "operations": operations,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


@cache
def openapi(version: str) -> str:
    """Describe what the page answers programs (OpenAPI 3.1)."""
    described = application(Settings()).openapi()
    return _text(described | {"info": {"title": "Conclave", "version": version}})


def _schema(subject: str) -> dict[str, Any]:
    schema = _model(subject).model_json_schema(mode=_mode(subject))
    return {"$schema": DIALECT, "$id": f"urn:conclave:{subject}", **schema}


def _mode(subject: str) -> Any:
    return "validation" if subject in INCOMING else "serialization"


def _model(subject: str) -> type[BaseModel]:
    return INCOMING[subject] if subject in INCOMING else TOLD[subject]


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": TEMPLATE.format(model=model.__name__)}


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
