"""What version 0.1 stored, as the text that lay in its database (tests/data/v0_1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from redis import Redis

from domain.engine import Dialect, ReadyCheckResult
from domain.record import Record
from domain.verdict import VerdictRules
from workers.adapters.redis.encoding import decode_entry

FOLDER = Path(__file__).parents[1] / "data" / "v0_1"
PREFIX = "conclave:"
"""Begins every key of the stored text."""
NOW = 1_700_000_040.0
"""Epoch seconds shortly after the last of it was written."""

STORE: dict[str, Any] = json.loads((FOLDER / "store.json").read_text(encoding="utf-8"))
"""Key → its type and its value."""
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
"""What a reader must find."""
IDS: dict[str, str] = {name: row["deliberation_id"] for name, row in EXPECTED["deliberations"].items()}
"""Name of a deliberation (`a`, `a again`, `b`, …) → its id."""

SINCE: tuple[tuple[str, object], ...] = (
    ("reasoning_tokens", 0),
    ("thinking", None),
    ("thinking", "off"),
    ("deadline_share", 0.25),
    ("dialect", Dialect().model_dump(mode="json")),
    ("found", ReadyCheckResult().model_dump(mode="json")),
    ("refusal", ""),
    ("place", ""),
    ("content", ""),
    ("judged", True),
    ("lost", []),
    ("version", 1),
    ("by_voice", False),
    ("skip_flat", False),
    ("place_ridge", None),
    ("spread_variance", None),
    ("severity_prior", None),
    ("bound", None),
    ("calibration", None),
    ("voice", ""),
    ("voices", {}),
    ("mean_correlation", None),
    ("stability", None),
    ("independent_voices", None),
    ("place_effect", {}),
    ("verdict", VerdictRules().model_dump(mode="json")),
    ("awaiting_verdict", False),
    ("counts_at", None),
    ("expires_at", None),
    ("form", "digits"),
    ("second_look", []),
    ("hit_rate", None),
    ("kv_usage", None),
    ("second_look", None),
    ("second_look", False),
    ("expected", {}),
    ("ballots", "pointwise"),
    ("gaps", {}),
    ("met", {}),
    ("p_met", {}),
    ("checklist", "off"),
    ("checklist", []),
    ("criteria_met", None),
    ("saved_calls", 0),
    ("type", "TECHNICAL"),
    ("id", ""),
    ("rationale", ""),
    ("proposals", []),
    ("approved_by", ""),
    ("usage", None),
    ("cost", None),
    ("cost", {}),
    ("unpriced_tokens", 0),
)
"""Fields that later versions write beside those of 0.1, with what they hold where nothing is known."""


def stored(key: str) -> Any:
    """Return the value of one key, named without the prefix."""
    return STORE[PREFIX + key]["value"]


def stored_entries(name: str) -> dict[str, str]:
    """Return the entries of a named deliberation: key → JSON text."""
    fields = stored(f"deliberation:{{{IDS[name]}}}")
    return {key: raw for key, raw in fields.items() if not key.startswith("#")}


def stored_record(name: str) -> Record:
    """Return a named deliberation as this version reads it."""
    return Record({key: decode_entry(raw, where=key) for key, raw in stored_entries(name).items()})


def restore(client: Redis, prefix: str) -> None:
    """Write everything into a database under another prefix, to expire when it would have."""
    expiry_ms = json.loads((FOLDER / "expiry_ms.json").read_text(encoding="utf-8"))
    for key, kept in STORE.items():
        name, value = _moved(key, prefix), kept["value"]
        match kept["type"]:
            case "string":
                client.set(name, value)
            case "hash":
                client.hset(name, mapping=value)
            case "set":
                client.sadd(name, *value)
            case "zset":
                client.zadd(name, {_moved(member, prefix): score for member, score in value})
        if expiry_ms[key] >= 0:
            client.pexpire(name, expiry_ms[key])


def _moved(name: str, prefix: str) -> str:
    return prefix + name.removeprefix(PREFIX) if name.startswith(PREFIX) else name


def as_of_0_1(value: Any) -> Any:
    """Take off what came later, if it holds nothing."""
    if isinstance(value, list):
        return [as_of_0_1(item) for item in value]
    if isinstance(value, dict):
        return {key: as_of_0_1(item) for key, item in value.items() if (key, item) not in SINCE}
    return value
