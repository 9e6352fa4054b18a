"""Single messages of a stream, read as they are stored; nats-py's reader mends headers as if they were mail."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nats.aio.client import Client
from nats.errors import NoRespondersError
from nats.js.errors import APIError, NotFoundError

TIMEOUT_S = 5.0
API = "$JS.API"
"""What the subjects of the JetStream API begin with, where an account does not import it under another name."""
IMPORTED_API = "conclave.api"
"""What they begin with for the shipped logins whose accounts have no streams of their own."""
NO_RESPONDERS = 503
"""The code of the NotFoundError where no JetStream listens to a request; no stream of ours has it."""
EVERY = ">"


@dataclass(frozen=True)
class StoredMessage:
    """One message of a stream."""

    subject: str
    sequence: int
    at: str
    """When it was stored, ISO 8601."""
    headers: dict[str, str]
    data: bytes

    @property
    def stored_at(self) -> float:
        """When it was stored, in epoch seconds."""
        return datetime.fromisoformat(self.at).timestamp()


async def message_at(client: Client, stream: str, sequence: int, *, api: str = API) -> StoredMessage | None:
    """Return the message of that sequence; None if it is gone, or the stream is."""
    return await _get(client, stream, {"seq": sequence}, api)


async def message_from(
    client: Client, stream: str, sequence: int, subject: str, *, api: str = API
) -> StoredMessage | None:
    """Return the first message at or after a sequence on a subject, wildcards allowed; None after the last."""
    return await _get(client, stream, {"seq": sequence, "next_by_subj": subject}, api)


async def first_since(client: Client, stream: str, first: int, last: int, since: float, *, api: str = API) -> int:
    """Return the first sequence from `first` to `last` stored since the moment, `last` + 1 for none.

    Times grow with sequences; `since` in epoch seconds.
    """
    low, high = first, last + 1
    while low < high:
        middle = (low + high) // 2
        found = await message_from(client, stream, middle, EVERY, api=api)
        if found is None or found.sequence >= high or found.stored_at >= since:
            high = middle
        else:
            low = found.sequence + 1
    return low


async def jetstream_request(
    client: Client, verb: str, arguments: dict[str, Any] | None = None, *, api: str = API
) -> dict[str, Any]:
    """Send a request to the JetStream API. Raises nats' NotFoundError and other APIErrors, and TimeoutError."""
    body = json.dumps(arguments).encode() if arguments else b""
    try:
        reply = await client.request(f"{api}.{verb}", body, timeout=TIMEOUT_S)
    except NoRespondersError:
        raise NotFoundError(code=NO_RESPONDERS, description="JetStream does not answer") from None
    response: dict[str, Any] = json.loads(reply.data)
    if "error" in response:
        APIError.from_error(response["error"])
    return response


async def _get(client: Client, stream: str, arguments: dict[str, Any], api: str = API) -> StoredMessage | None:
    try:
        found = (await jetstream_request(client, f"STREAM.MSG.GET.{stream}", arguments, api=api))["message"]
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
