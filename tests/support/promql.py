"""The metric names in PromQL expressions, and the expressions in our dashboard and alert rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import yaml

_NO_NAME = re.compile(
    r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)'
)
"""Strings, selectors, ranges, and lists of labels."""
_NAME = re.compile(r"[a-zA-Z_:][\w:]*(?!\w)(?!\s*\()")
OF_NATS = {"jetstream_server_total_message_bytes", "jetstream_server_max_storage"}
"""What prometheus-nats-exporter (`-jsz=all`) makes of `bytes` and `config.max_storage` of nats-server's /jsz."""
_WORDS = {"and", "or", "unless", "bool", "offset", "by", "without"}


def names(expression: str) -> set[str]:
    """Return the metrics that an expression reads; what is followed by a parenthesis is a function."""
    return set(_NAME.findall(_NO_NAME.sub(" ", expression))) - _WORDS


def panels() -> Iterator[tuple[str, str]]:
    """Give title and expression of every target of the dashboard."""
    board = json.loads(files("workers.metrics").joinpath("grafana.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def rules() -> list[dict[str, Any]]:
    """Return every alerting rule as it is written."""
    file = yaml.safe_load(files("workers.metrics").joinpath("alerts.yaml").read_text())
    return [rule for group in file["groups"] for rule in group["rules"]]


def alerts() -> Iterator[tuple[str, str]]:
    """Give name and expression of every alert."""
    yield from ((rule["alert"], rule["expr"]) for rule in rules())


def wanted() -> set[str]:
    """Return every metric of ours that the dashboard or an alert reads."""
    return {name for _, expression in (*panels(), *alerts()) for name in names(expression)} - OF_NATS
