"""What an operator does with dead letters: look at them, send them again when the cause is gone, discard them."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass

from nats.aio.client import Client
from nats.js.errors import NotFoundError

from bridge.dead_letter import DeadLetter, read_advisory, read_letter
from bridge.publication import publish_confirmed
from bridge.stored import StoredMessage, call, message_at, message_from
from bridge.streams import stream_of
from bridge.subjects import ADVISORIES, DELIBERATION_REQUESTED, dead_letter

SERVERS_OWN = "nats-"
"""Headers that instruct the server (expected sequences, ids, expiry): true of the first sending only."""


class NoSuchDeadLetter(LookupError):
    """There is no dead letter of that sequence."""


class NotReplayable(Exception):
    """The original can't be sent again. The text says why."""


@dataclass(frozen=True)
class Replayed:
    """A dead letter that was sent again."""

    subject: str
    message_id: str
    """The `Nats-Msg-Id` it was sent under."""
    stream: str
    sequence: int
    """Where it is stored now."""


class DeadLetters:
    """The dead letters of a server, oldest first.

    `durables` is the prefix of our consumers' names: the stream also hears of messages that other applications'
    consumers gave up, which are none of ours.
    """

    def __init__(self, client: Client, *, durables: str = "conclave") -> None:
        self._client = client
        self._durables = f"{durables}-"

    async def list(self, *, after: int = 0, limit: int = 100) -> tuple[DeadLetter, ...]:
        """Return up to `limit` letters behind the sequence `after`, originals of advisories looked up."""
        stream = await self._stream()
        letters: list[DeadLetter] = []
        while stream is not None and len(letters) < limit:
            stored = await message_from(self._client, stream, after + 1, ">")
            if stored is None:
                break
            after = stored.sequence
            letter = await self._read(stored)
            letters.extend([letter] if letter else [])
        return tuple(letters)

    async def show(self, sequence: int) -> DeadLetter:
        """Return one letter. Raises NoSuchDeadLetter."""
        stream = await self._stream()
        stored = await message_at(self._client, stream, sequence) if stream else None
        letter = await self._read(stored) if stored else None
        if letter is None:
            raise NoSuchDeadLetter(f"no dead letter {sequence}; list them with `conclave dead-letter list`")
        return letter

    async def replay(self, sequence: int) -> Replayed:
        """Send the original to its subject again, then remove the letter.

        It goes under a new Nats-Msg-Id, since its stream may still remember the old one; the new one belongs to
        this letter, so that a replay repeated after a crash is stored once. All other headers but the server's own
        go with it, and everybody who reads the subject sees it again. Raises NoSuchDeadLetter, NotReplayable,
        PublicationFailed.
        """
        letter = await self.show(sequence)
        if letter.data is None or not letter.subject:
            where = f"{letter.stream}:{letter.stream_sequence}"
            raise NotReplayable(f"the original of dead letter {sequence} is no longer in its stream ({where})")
        message_id = f"replay-{sequence}-{letter.stream}-{letter.stream_sequence}"
        kept = {name: value for name, value in letter.headers.items() if not name.lower().startswith(SERVERS_OWN)}
        stored = await publish_confirmed(
            self._client, letter.subject, letter.data, kept | {"Nats-Msg-Id": message_id}
        )
        await self._remove(sequence)
        return Replayed(letter.subject, message_id, stored.stream, stored.seq)

    async def purge(self, sequence: int | None = None) -> int:
        """Throw away one letter, or all, and return how many there were; others' advisories go with them."""
        if sequence is not None:
            await self.show(sequence)
            await self._remove(sequence)
            return 1
        stream = await self._stream()
        return int((await call(self._client, f"STREAM.PURGE.{stream}"))["purged"]) if stream else 0

    async def _stream(self) -> str | None:
        return await stream_of(self._client.jetstream(), dead_letter(DELIBERATION_REQUESTED))

    async def _read(self, stored: StoredMessage) -> DeadLetter | None:
        if not stored.subject.startswith(ADVISORIES):
            letter = read_letter(stored.sequence, stored.at, stored.headers, stored.data)
            return letter if letter.data is not None else await self._with_original(letter)
        consumer = stored.subject.rpartition(".")[2]
        if not consumer.startswith(self._durables):
            return None
        return await self._with_original(read_advisory(stored.sequence, stored.at, json.loads(stored.data)))

    async def _with_original(self, letter: DeadLetter) -> DeadLetter:
        original = await message_at(self._client, letter.stream, letter.stream_sequence)
        if original is None:
            return letter
        found = {"subject": original.subject, "headers": original.headers, "data": original.data}
        return letter.model_copy(update=found)

    async def _remove(self, sequence: int) -> None:
        stream = await self._stream()
        with suppress(NotFoundError):
            await call(self._client, f"STREAM.MSG.DELETE.{stream}", {"seq": sequence})
