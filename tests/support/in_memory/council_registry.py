"""Councils in memory."""

from __future__ import annotations

from threading import Lock

from domain.council import Council


class MemoryCouncilRegistry:
    """CouncilRegistry over a dict."""

    def __init__(self) -> None:
        self._councils: dict[str, Council] = {}
        self._lock = Lock()

    def save(self, council: Council) -> None:
        with self._lock:
            self._councils[council.role] = council

    def all(self) -> tuple[Council, ...]:
        with self._lock:
            return tuple(council for _, council in sorted(self._councils.items()))

    def delete(self, role: str) -> bool:
        with self._lock:
            return self._councils.pop(role, None) is not None
