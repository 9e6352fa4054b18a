"""Single messages of a stream, read as they lie there; nats-py's reader mends headers as if they were mail."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from nats.aio.client import Client
from nats.errors import NoRespondersError
from nats.js.errors import APIError, NotFoundError

TIMEOUT_S = 5.0


@dataclass(frozen=True)
class StoredMessage:
    """One message of a stream."""

    subject: str
    sequence: int
    at: str
    """When it was stored, ISO 8601."""
    headers: dict[str, str]
    data: bytes


async def message_at(client: Client, stream: str, sequence: int) -> StoredMessage | None:
    """Return the message of that sequence; None if it is gone, or the stream is."""
    return await _get(client, stream, {"seq": sequence})


async def message_from(client: Client, stream: str, sequence: int, subject: str) -> StoredMessage | None:
    """Return the first message at or after a sequence on a subject, wildcards allowed; None after the last."""
    return await _get(client, stream, {"seq": sequence, "next_by_subj": subject})


async def call(client: Client, verb: str, what: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask the JetStream API. Raises nats' NotFoundError and other APIErrors, and TimeoutError."""
    body = json.dumps(what).encode() if what else b""
    try:
        answer = await client.request(f"$JS.API.{verb}", body, timeout=TIMEOUT_S)
    except NoRespondersError:
        raise NotFoundError(code=503, description="JetStream does not answer") from None
    said: dict[str, Any] = json.loads(answer.data)
    if "error" in said:
        APIError.from_error(said["error"])
    return said


async def _get(client: Client, stream: str, what: dict[str, Any]) -> StoredMessage | None:
    try:
        found = (await call(client, f"STREAM.MSG.GET.{stream}", what))["message"]
    except NotFoundError:
        return None
    return StoredMessage(
        subject=found["subject"],
        sequence=found["seq"],
        at=found["time"],
        headers=_headers(base64.b64decode(found.get("hdrs", ""))),
        data=base64.b64decode(found.get("data", "")),
    )


def _headers(block: bytes) -> dict[str, str]:
    lines = block.decode("utf-8", "replace").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, colon, value in pairs if colon and name.strip()}
