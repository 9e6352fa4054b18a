"""Short requests to an engine end, whatever it sends, and quote it in one line."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from aiohttp import web

from tests.support.http_routes import serving
from workers.engines.engine_probe import EngineProbe, ErrorAnswer, NoAnswer

EVERY_S = 0.05


async def drip(request: web.Request) -> web.StreamResponse:
    """Send a blank again and again, until the client hangs up."""
    stream = web.StreamResponse(status=int(request.match_info["status"]))
    await stream.prepare(request)
    try:
        while True:
            await stream.write(b" ")
            await asyncio.sleep(EVERY_S)
    except (ConnectionError, asyncio.CancelledError):
        return stream


async def red(_: web.Request) -> web.Response:
    return web.Response(status=500, text="\x1b[31mdied\nof shame" + "!" * 5000)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving([web.get("/{status:\\d+}/models", drip), web.get("/red/models", red)]) as address:
        yield address


@pytest.mark.parametrize(("status", "words"), [(200, r"not whole within 0\.5 s"), (500, "500")])
def test_an_answer_that_comes_byte_by_byte_is_given_up(address: str, status: int, words: str) -> None:
    with pytest.raises(NoAnswer, match=words):
        EngineProbe(f"{address}/{status}", within_s=0.5).models()


def test_an_error_is_quoted_in_one_printable_line(address: str) -> None:
    with pytest.raises(ErrorAnswer) as refused:
        EngineProbe(f"{address}/red", within_s=20.0).models()
    assert str(refused.value).startswith("500 [31mdied of shame!")
    assert len(str(refused.value)) < 320
