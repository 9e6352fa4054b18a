"""A server that answers every HTTP request with bytes of a test's choice, well formed or not."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self


class RawServer:
    """Listens on 127.0.0.1 while the `with` lasts; one thread per connection."""

    def __init__(self, answer: Iterable[bytes]) -> None:
        """`answer`: what every request receives, piece by piece, before the server hangs up; it may never end."""
        self.heads: list[str] = []
        """The requests' lines and headers so far, oldest first."""
        self.sent = 0
        """Bytes that left before the client hung up."""
        raw = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                raw._serve(self, answer)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, connection: socketserver.StreamRequestHandler, answer: Iterable[bytes]) -> None:
        head = b"".join(iter(connection.rfile.readline, b"\r\n")).decode("latin-1")
        length = next(
            line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length")
        )
        connection.rfile.read(int(length))
        self.heads.append(head)
        try:
            for piece in answer:
                connection.wfile.write(piece)
                self.sent += len(piece)
        except OSError:
            return
