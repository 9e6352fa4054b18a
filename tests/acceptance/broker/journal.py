"""What tasks did, in a file: it outlives the broker, the store and the workers that the tests kill."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """One line."""

    event: str
    task: str
    pid: int
    at: float
    """Seconds since the epoch."""
    note: str = ""


class Journal:
    """Appends and reads lines; several processes may write at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, event: str, task: str, note: str = "") -> None:
        """Append one line, in one piece."""
        line = json.dumps(asdict(Entry(event, task, os.getpid(), time.time(), note))) + "\n"
        with self.path.open("ab", buffering=0) as stream:
            stream.write(line.encode())

    def entries(self, event: str | None = None, task: str | None = None) -> list[Entry]:
        """Read what was written, oldest first."""
        if not self.path.exists():
            return []
        lines = (Entry(**json.loads(line)) for line in self.path.read_text().splitlines())
        return [entry for entry in lines if event in (None, entry.event) and task in (None, entry.task)]

    def count(self, event: str, task: str | None = None) -> int:
        """How often something happened."""
        return len(self.entries(event, task))

    def counts(self, event: str) -> Counter[str]:
        """How often it happened to each task."""
        return Counter(entry.task for entry in self.entries(event))

    def first(self, event: str, task: str) -> Entry:
        """The first time something happened to a task."""
        return self.entries(event, task)[0]

    def last(self, event: str, task: str) -> Entry:
        """The last time something happened to a task."""
        return self.entries(event, task)[-1]
