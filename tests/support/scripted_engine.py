"""An engine that speaks OpenAI's chat completions over real HTTP and does what a test scripts.

In a test: `with ScriptedEngine(latency_s=0.1) as engine: ... engine.openai_url`. As a process, also in vLLM's
place (it ignores flags it does not know): `python -m tests.support.scripted_engine [MODEL] --port P`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.support.script import Script
from tests.support.scripted_answers import Body
from tests.support.scripted_server import application


class ScriptedEngine:
    """A scripted engine on a thread and loop of its own, listening on 127.0.0.1 while the `with` lasts."""

    def __init__(
        self,
        model: str = "scripted",
        *,
        latency_s: float = 1.0,
        port: int = 0,
        limit: int | None = None,
        context_length: int = 8192,
        key: str = "",
        lists_models: bool = True,
        text: Callable[[Body], str] | None = None,
        scores: Callable[[Body], Iterator[int]] | None = None,
    ) -> None:
        """`limit`: calls in flight above which it answers 503. `scores`: a ballot's digits, row by row.

        `key`: asked for under /v1; empty asks for none.
        """
        self.script = Script(model=model, latency_s=latency_s, limit=limit, context_length=context_length)
        self.script.key, self.script.lists_models = key, lists_models
        if text is not None:
            self.script.text = text
        if scores is not None:
            self.script.scores = scores
        self._wanted_port = port
        self._port = 0
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._over: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="scripted-engine", daemon=True)

    @property
    def url(self) -> str:
        """The root: `/health`, `/metrics`, `/tokenize` and `/_scripted` hang below it."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def openai_url(self) -> str:
        """The base an OpenAI client takes."""
        return f"{self.url}/v1"

    @property
    def model(self) -> str:
        """The one model it serves."""
        return self.script.model

    @property
    def bodies(self) -> list[Body]:
        """The chat requests so far, oldest first."""
        return list(self.script.bodies)

    @property
    def max_in_flight(self) -> int:
        """The most chat requests it held at once."""
        return self.script.max_in_flight

    def fault(self, *faults: str) -> None:
        """Queue faults for the next requests: see `Script.queue`."""
        self.script.queue.extend(faults)

    def faults_by_share(self, shares: dict[str, float], seed: int = 0) -> None:
        """Let shares of the requests fail: `{"hang": 0.1, "503": 0.2}`."""
        self.script.shares = dict(shares)
        self.script.dice = random.Random(seed)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._listening.wait(10):
            raise TimeoutError("the scripted engine did not listen within 10 s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Go away as a killed engine does; a second call does nothing."""
        if self._over is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        # Without a log of requests: its lines would come from a thread into whatever test is reading its own.
        runner = web.AppRunner(
            application(self.script), handler_cancellation=True, shutdown_timeout=0.1, access_log=None
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._wanted_port).start()
        self._port = runner.addresses[0][1]
        self._listening.set()
        await self._over.wait()
        await runner.cleanup()


def main() -> None:
    """Serve until killed; the flags of vLLM that it knows mean what they mean there."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("positional", nargs="?", default=None)
    words.add_argument("--model", default=None)
    words.add_argument("--served-model-name", "--model-name", dest="name", default=None)
    words.add_argument("--host", default="127.0.0.1")
    words.add_argument("--port", type=int, required=True)
    words.add_argument("--latency", type=float, default=1.0)
    words.add_argument("--limit", type=int, default=None)
    words.add_argument("--waiting", type=int, default=0, help="requests that /metrics says wait")
    words.add_argument("--max-model-len", type=int, default=8192)
    words.add_argument("--ready-after", type=float, default=0.0, help="seconds of 503 on /health")
    words.add_argument("--forgetful", action="store_true", help="keep nothing of what was asked")
    words.add_argument("--fail-with", default=None, help="print this and exit 1")
    said, _ = words.parse_known_args()
    if said.fail_with:
        raise SystemExit(said.fail_with)
    script = Script(
        model=said.name or said.model or said.positional or "scripted",
        latency_s=said.latency,
        limit=said.limit,
        context_length=said.max_model_len,
        ready_after_s=said.ready_after,
        waiting=said.waiting,
        remembers=not said.forgetful,
    )
    web.run_app(
        application(script),
        host=said.host,
        port=said.port,
        print=None,
        handler_cancellation=True,
        shutdown_timeout=0.1,
    )


if __name__ == "__main__":
    main()
