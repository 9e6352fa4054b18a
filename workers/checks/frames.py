"""JSON values over a socket, each behind its length, with a bound on size and time."""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

LENGTH = struct.Struct(">I")
LARGEST = 64 * 1024 * 1024
"""Bytes; a proposal with its plan has some hundred thousand."""
AT_ONCE = 256 * 1024


class Frames:
    """Sends and receives over a connected socket, which it closes; reads all that has come in one go."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._come = bytearray()

    def send(self, value: Any, *, within_s: float | None = None) -> None:
        """Send a value; None waits for ever. Raises OSError if the other end is gone, TimeoutError among them."""
        # Lone surrogates are written as escapes, and come out as they were.
        body = json.dumps(value).encode()
        self._channel.settimeout(within_s)
        self._channel.sendall(LENGTH.pack(len(body)) + body)

    def receive(self, *, within_s: float | None = None) -> Any:
        """Return the next value; None waits for ever.

        Raises TimeoutError, EOFError if the other end closed, another OSError if it broke off, ValueError for no
        JSON.
        """
        until = None if within_s is None else time.monotonic() + within_s
        (length,) = LENGTH.unpack(self._take(LENGTH.size, until))
        if length > LARGEST:
            raise ValueError(f"a frame of {length} bytes")
        return json.loads(self._take(length, until))

    def close(self) -> None:
        """Close the socket; the other end reads the end of what was sent."""
        self._channel.close()

    def _take(self, length: int, until: float | None) -> bytes:
        while len(self._come) < length:
            left_s = None if until is None else until - time.monotonic()
            if left_s is not None and left_s <= 0:
                raise TimeoutError
            self._channel.settimeout(left_s)
            part = self._channel.recv(AT_ONCE)
            if not part:
                raise EOFError
            self._come += part
        taken = bytes(self._come[:length])
        del self._come[:length]
        return taken
