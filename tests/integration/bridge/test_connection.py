"""What is said when NATS can't be used, and how we log in."""

from __future__ import annotations

import asyncio
import socket
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from bridge.nats_connection import NatsUnreachable, connect
from bridge.options import NatsOptions
from tests.integration.bridge.conftest import freeze, until
from tests.support.servers import NatsServer
from workers.processes.command import ProcessCommand
from workers.processes.guard import Guard
from workers.processes.ports import free_port

pytestmark = pytest.mark.anyio


class GuardedServer(NatsServer):
    """A server with one user, and TLS where `arguments` says so."""

    arguments: tuple[str, ...] = ("--user", "bridge", "--pass", "s3cret")

    def _describe(self) -> ProcessCommand:
        process = super()._describe()
        return replace(process, argv=(*process.argv, *self.arguments))


@pytest.fixture
def guarded(tmp_path: Path, guard: Guard) -> Iterator[GuardedServer]:
    with GuardedServer(tmp_path / "guarded", guard=guard) as server:
        yield server


async def sentence(options: NatsOptions) -> str:
    with pytest.raises(NatsUnreachable) as unreachable:
        await connect(options)
    return str(unreachable.value)


async def test_no_server_is_said_at_once_with_address_and_remedy() -> None:
    url = f"nats://user:s3cret@127.0.0.1:{free_port()}"
    told = await asyncio.wait_for(sentence(NatsOptions(url=(url,), connect_timeout_s=60)), 10)
    assert told.startswith(f"NATS at {url.replace('user:s3cret@', '')} does not answer (")
    assert told.endswith("; start it, or correct its address")


async def test_every_server_is_tried_before_giving_up(server: NatsServer) -> None:
    dead = tuple(f"nats://127.0.0.1:{free_port()}" for _ in range(3))
    client = await connect(NatsOptions(url=(*dead, server.url)))
    assert client.is_connected
    await client.close()


async def test_a_server_that_says_nothing_is_given_up_after_the_time_out(server: NatsServer) -> None:
    await freeze(server)
    told = await sentence(NatsOptions(url=(server.url,), connect_timeout_s=0.5))
    server.thaw()
    assert f"NATS at {server.url} does not answer" in told


async def test_a_wrong_password_is_said_to_be_one(guarded: GuardedServer) -> None:
    told = await sentence(NatsOptions(url=(guarded.url,), user="bridge", password=SecretStr("guess")))
    assert told == f"NATS at {guarded.url} refuses our login; correct user, password or credentials file"


async def test_a_server_that_hangs_up_after_its_refusal_is_still_heard() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"auth_required": true, "max_payload": 1048576}\r\n')
        await reader.readuntil(b"PING\r\n")
        writer.write(b"-ERR 'Authorization Violation'\r\n")
        await writer.drain()
        # Lingering for no time resets the connection, as the server does that closes with our bytes unread.
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    listening = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        told = await sentence(NatsOptions(url=(f"nats://127.0.0.1:{port}",), user="bridge"))
    assert "refuses our login" in told


async def test_the_right_password_lets_us_in(guarded: GuardedServer) -> None:
    client = await connect(NatsOptions(url=(guarded.url,), user="bridge", password=SecretStr("s3cret")))
    assert client.is_connected
    await client.close()


async def test_a_missing_credentials_file_is_named(tmp_path: Path) -> None:
    told = await sentence(NatsOptions(credentials=tmp_path / "nobody.creds"))
    assert "no credentials file" in told
    assert "nobody.creds" in told


async def test_unusable_tls_files_are_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate")
    assert "the TLS files for NATS" in await sentence(NatsOptions(ca=tmp_path / "ca.pem"))
    assert "the TLS files for NATS" in await sentence(NatsOptions(ca=tmp_path / "missing.pem"))


async def test_a_connection_comes_back_by_itself(server: NatsServer) -> None:
    client = await connect(NatsOptions(url=(server.url,), reconnect_wait_s=0.1))
    server.kill9()
    await until(lambda: not client.is_connected)
    await asyncio.to_thread(server.start)
    await until(lambda: client.is_connected)
    await client.close()


async def test_tls_with_a_private_authority_and_our_own_certificate(tmp_path: Path, guard: Guard) -> None:
    _make_certificates(tmp_path)

    class TlsServer(GuardedServer):
        arguments = (
            *("--tls", "--tlsverify"),
            *("--tlscert", str(tmp_path / "server.pem"), "--tlskey", str(tmp_path / "server.key")),
            *("--tlscacert", str(tmp_path / "ca.pem")),
        )

    with TlsServer(tmp_path / "tls", guard=guard) as server:
        address = server.url.replace("nats://", "tls://")
        ours = NatsOptions(
            url=(address,),
            ca=tmp_path / "ca.pem",
            cert=tmp_path / "client.pem",
            key=tmp_path / "client.key",
        )
        client = await connect(ours)
        assert client.is_connected
        await client.close()
        assert "does not answer" in await sentence(NatsOptions(url=(address,), ca=tmp_path / "ca.pem"))


def _make_certificates(folder: Path) -> None:
    """Make an authority, and with it a server's and a client's certificate."""
    authority = ("-CA", "ca.pem", "-CAkey", "ca.key")
    _openssl(folder, "ca", "-addext", "basicConstraints=critical,CA:TRUE")
    for name in ("server", "client"):
        _openssl(folder, name, *authority, "-addext", "subjectAltName=IP:127.0.0.1")


def _openssl(folder: Path, name: str, *more: str) -> None:
    made = ("-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}")
    kind = ("-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    subprocess.run(("openssl", "req", *kind, *made, *more), cwd=folder, check=True, capture_output=True)
