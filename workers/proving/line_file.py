"""JSON values in a file, a line each: a run that is broken off goes on where the file ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class LineFile:
    """Appends lines; one that a kill cut off counts as not written."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Any]:
        """Return the values of all whole lines; none where there is no file.

        Raises ValueError for what is no JSON, OSError.
        """
        if not self._path.exists():
            return []
        lines = self._path.read_bytes().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith(b"\n")]

    def append(self, value: Any) -> None:
        """Write one more line; makes the file and its folder. Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a+b") as file:
            self._cut_torn_line(file)
            file.write(json.dumps(value, allow_nan=False).encode() + b"\n")

    def _cut_torn_line(self, file: Any) -> None:
        file.seek(0)
        whole = file.read().rpartition(b"\n")
        file.truncate(len(whole[0]) + len(whole[1]))
