"""What an operator does with dead letters: list and show them, replay or purge them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from nats.aio.client import Client
from nats.js.errors import NotFoundError

from bridge.dead_letter import decode_advisory, decode_dead_letter
from bridge.publication import publish_confirmed
from bridge.stored import (
    API,
    EVERY,
    IMPORTED_API,
    NO_RESPONDERS,
    StoredMessage,
    jetstream_request,
    message_at,
    message_from,
)
from bridge.streams import DEAD_LETTERS, JetStreamAway, stream_of
from bridge.subjects import (
    ADVISORIES,
    DELIBERATION_REQUESTED,
    DURABLES,
    INBOUND,
    dead_letter_subject,
    is_dead_letter,
)
from domain.dead_letter import DeadLetter
from domain.errors import NoSuchDeadLetter, NotReplayable
from domain.identity import digest

STREAM_NAME = re.compile(r"[^\s.*>/\\]{1,255}")
"""NATS ADR-6; anything else would ask for something else than a stream."""
FORBIDDEN = "this login may not read dead letters; use one that may, such as the shipped `bridge`"
SERVER_HEADERS = "nats-"
"""Beginning of headers for the server (expected sequence, id, expiry), which hold for one publication only."""


@dataclass(frozen=True)
class Replayed:
    """A dead letter whose original was published again."""

    subject: str
    message_id: str
    """The `Nats-Msg-Id` of that publication."""
    stream: str
    sequence: int
    """Where it is stored now."""
    before: bool = False
    """An earlier replay had stored it there, and was interrupted before it removed the dead letter."""


class DeadLetters:
    """The dead letters of a server, oldest first.

    `durables` is the prefix of our consumers' names: a stream that version 0.1 made also stores advisories about
    the consumers of other applications, which are left out.
    """

    def __init__(self, client: Client, *, durables: str = DURABLES) -> None:
        self._client = client
        self._durables = durables
        self._api = API

    async def count(self) -> int:
        """Return how many there are."""
        stream = await self._stream()
        if stream is None:
            return 0
        state = (await self._request(f"STREAM.INFO.{stream}", {"subjects_filter": EVERY}))["state"]
        by_subject: Mapping[str, int] = state.get("subjects") or {}
        return sum(count for subject, count in by_subject.items() if is_dead_letter(subject, self._durables))

    async def list(self, *, after: int = 0, limit: int = 100) -> tuple[DeadLetter, ...]:
        """Return up to `limit` dead letters after the sequence `after`, originals of advisories looked up."""
        stream = await self._stream()
        found: list[DeadLetter] = []
        while stream is not None and len(found) < limit:
            stored = await message_from(self._client, stream, after + 1, EVERY, api=self._api)
            if stored is None:
                break
            after = stored.sequence
            dead_letter = await self._read(stored)
            found.extend([dead_letter] if dead_letter else [])
        return tuple(found)

    async def newest(self, limit: int) -> tuple[DeadLetter, ...]:
        """Return up to `limit` dead letters, newest first; what was deleted between them costs a look each.

        It looks at twice as many places at most.
        """
        stream = await self._stream()
        if stream is None:
            return ()
        state = (await self._request(f"STREAM.INFO.{stream}"))["state"]
        first, last = max(1, int(state["first_seq"])), int(state["last_seq"])
        found: list[DeadLetter] = []
        for sequence in range(last, max(first, last - 2 * limit + 1) - 1, -1):
            stored = await message_at(self._client, stream, sequence, api=self._api)
            dead_letter = await self._read(stored) if stored else None
            found.extend([dead_letter] if dead_letter else [])
            if len(found) == limit:
                break
        return tuple(found)

    async def show(self, sequence: int) -> DeadLetter:
        """Return one dead letter. Raises NoSuchDeadLetter."""
        stream = await self._stream()
        stored = await message_at(self._client, stream, sequence, api=self._api) if stream else None
        dead_letter = await self._read(stored) if stored else None
        if dead_letter is None:
            raise NoSuchDeadLetter(f"no dead letter {sequence}; list them with `conclave dead-letter list`")
        return dead_letter

    async def replay(self, sequence: int) -> Replayed:
        """Publish the original on its subject again, then remove the dead letter.

        It gets a new Nats-Msg-Id, since its stream may still remember the old one; the new one is derived from the
        dead letter and the moment when it was stored, so that a replay repeated after a crash is stored once and
        nobody can guess it. All headers but the server's own are kept, and every consumer of the subject sees the
        message again. Raises NoSuchDeadLetter, NotReplayable, PublicationFailed.
        """
        dead_letter = await self.show(sequence)
        stream, stream_sequence = dead_letter.stream, dead_letter.stream_sequence
        if dead_letter.data is None or not dead_letter.subject:
            place = f"{stream}:{stream_sequence}"
            raise NotReplayable(f"the original of dead letter {sequence} is no longer in its stream ({place})")
        if dead_letter.subject not in INBOUND:
            raise NotReplayable(f"dead letter {sequence} names a subject that no bridge reads; only purge it")
        message_id = f"replay-{digest(str(sequence), dead_letter.at, stream, str(stream_sequence))}"
        headers = _without_server_headers(dead_letter.headers) | {"Nats-Msg-Id": message_id}
        stored = await publish_confirmed(self._client, dead_letter.subject, dead_letter.data, headers)
        await self._remove(sequence)
        return Replayed(dead_letter.subject, message_id, stored.stream, stored.seq, bool(stored.duplicate))

    async def purge(self, sequence: int | None = None) -> int:
        """Delete one dead letter, or all with every advisory, and return how many dead letters were deleted."""
        if sequence is not None:
            await self.show(sequence)
            await self._remove(sequence)
            return 1
        stream = await self._stream()
        if stream is None:
            return 0
        count = await self.count()
        await self._request(f"STREAM.PURGE.{stream}")
        return count

    async def _stream(self) -> str | None:
        """Return the stream's name in this login's account or imported into it; None where there is none yet."""
        try:
            return await stream_of(self._client.jetstream(), dead_letter_subject(DELIBERATION_REQUESTED))
        except JetStreamAway:
            return await self._imported()

    async def _imported(self) -> str | None:
        """Raise JetStreamAway where this login may not read it."""
        self._api = IMPORTED_API
        try:
            await self._request(f"STREAM.INFO.{DEAD_LETTERS}")
        except NotFoundError as error:
            if error.code == NO_RESPONDERS:
                raise JetStreamAway(FORBIDDEN) from error
            return None
        return DEAD_LETTERS

    async def _request(self, verb: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        return await jetstream_request(self._client, verb, arguments, api=self._api)

    async def _read(self, stored: StoredMessage) -> DeadLetter | None:
        if not is_dead_letter(stored.subject, self._durables):
            return None
        if not stored.subject.startswith(ADVISORIES):
            dead_letter = decode_dead_letter(stored.sequence, stored.at, stored.headers, stored.data)
            return dead_letter if dead_letter.data is not None else await self._with_original(dead_letter)
        return await self._with_original(decode_advisory(stored.sequence, stored.at, stored.data))

    async def _with_original(self, dead_letter: DeadLetter) -> DeadLetter:
        if not STREAM_NAME.fullmatch(dead_letter.stream) or dead_letter.stream_sequence < 1:
            return dead_letter
        original = await message_at(self._client, dead_letter.stream, dead_letter.stream_sequence, api=self._api)
        if original is None:
            return dead_letter
        found = {"subject": original.subject, "headers": original.headers, "data": original.data}
        return dead_letter.model_copy(update=found)

    async def _remove(self, sequence: int) -> None:
        stream = await self._stream()
        with suppress(NotFoundError):
            await self._request(f"STREAM.MSG.DELETE.{stream}", {"seq": sequence})


def _without_server_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if not name.lower().startswith(SERVER_HEADERS)}
