"""What a power failure leaves of Valkey's append-only file: all but its last second."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

LOOK_EVERY_S = 0.02
KEPT = 500


class AppendOnlyFile:
    """Watches how the file grows, so that it can be cut back to what it was."""

    def __init__(self, folder: Path) -> None:
        """`folder`: the server's."""
        self._folder = folder
        self._sizes: deque[tuple[float, Path, int]] = deque(maxlen=KEPT)
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._watching.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._watching.join()

    def cut(self, seconds: float) -> None:
        """Take away what was written in that last time, while the server is dead."""
        newest = self._newest()
        then = time.monotonic() - seconds
        seen = [(at, size) for at, path, size in list(self._sizes) if path == newest]
        assert seen, "the file was not watched"
        os.truncate(newest, max((size for at, size in seen if at <= then), default=seen[0][1]))
        self._sizes.clear()

    def _newest(self) -> Path:
        return max(self._folder.glob("appendonlydir/*.incr.aof"), key=lambda path: path.stat().st_mtime_ns)

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            newest = self._newest()
            self._sizes.append((time.monotonic(), newest, newest.stat().st_size))
