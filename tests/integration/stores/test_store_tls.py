"""TLS to the store: a trusted certificate is accepted, any other refused."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trustme

from tests.support.servers import ValkeyServer
from workers.adapters.redis.connection import StoreUnreachable, connect, reach


def test_a_server_is_trusted_by_its_authority_alone(valkey_server: ValkeyServer, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    with _tls_before(valkey_server.port, authority) as port:
        place = f"rediss://127.0.0.1:{port}/2"
        for trusting in (f"?ssl_ca_certs={tmp_path / 'ca.pem'}", "?ssl_cert_reqs=CERT_NONE&ssl_check_hostname=no"):
            reach(connect(place + trusting, patience_s=5), place)
        for doubting in ("", f"?ssl_ca_certs={tmp_path / 'other.pem'}"):
            with pytest.raises(StoreUnreachable, match="certificate verify failed"):
                reach(connect(place + doubting, patience_s=0.2), place)


@contextmanager
def _tls_before(port: int, authority: trustme.CA) -> Iterator[int]:
    """Speak TLS on a free port and pass on to a plain one; the embedded Valkey is built without TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, context, port), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):
        while True:
            plain, _ = listener.accept()
            threading.Thread(target=_serve, args=(plain, context, port), daemon=True).start()


def _serve(plain: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with (
        suppress(OSError),
        context.wrap_socket(plain, server_side=True) as client,
        socket.create_connection(("127.0.0.1", port)) as server,
    ):
        other = {client: server, server: client}
        while True:
            for source in select.select([client, server], [], [])[0]:
                data = source.recv(65_536)
                if not data:
                    return
                other[source].sendall(data)
