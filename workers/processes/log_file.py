"""The log file of one process: appended to by the process itself, read by its supervisor."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

KEEP_BYTES = 10 * 1024 * 1024
"""A log file is begun anew past this size."""


class LogFile:
    """Remembers where the present life of the process begins in its file, and how far a follower has read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._life = 0
        self._read = 0

    def begin(self) -> BinaryIO:
        """Open the file for a new life of the process; appending lets it be emptied while it is written."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        output = self.path.open("ab", buffering=0)
        self._life = self._size()
        return output

    def set_aside(self) -> None:
        """Keep the file of an earlier run under the suffix .1 and begin with none."""
        if self.path.exists():
            os.replace(self.path, self._former)
        self._life = self._read = 0

    def rotate(self) -> None:
        """Copy the file to the suffix .1 and empty it when it has grown too large; the process writes on in it."""
        if self._size() > KEEP_BYTES:
            with suppress(OSError):  # a full disk is the more reason to empty it
                shutil.copy(self.path, self._former)
            os.truncate(self.path, 0)
            self._life = 0

    @property
    def _former(self) -> Path:
        return self.path.with_name(self.path.name + ".1")

    def text(self, limit: int = 256 * 1024) -> str:
        """Read what the process has written in its present life, at most the last `limit` bytes."""
        size = self._size()
        return self._slice(max(min(self._life, size), size - limit), size).decode("utf-8", "replace")

    def tail(self, lines: int = 5) -> list[str]:
        """Read the last non-empty lines of the present life."""
        return [line for line in self.text(64 * 1024).splitlines() if line.strip()][-lines:]

    def fresh_lines(self) -> list[str]:
        """Read the complete lines that were written since the last call."""
        size = self._size()
        if size < self._read:
            self._read = 0
        fresh = self._slice(self._read, size)
        complete = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(complete)
        return complete.decode("utf-8", "replace").splitlines()

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def _slice(self, start: int, end: int) -> bytes:
        if end <= start:
            return b""
        with self.path.open("rb") as stream:
            stream.seek(start)
            return stream.read(end - start)
