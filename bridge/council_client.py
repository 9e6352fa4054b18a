"""CouncilClient over NATS: the client for Python programs, connected at its first use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Any

from bridge.client import ClientError, Conclave, DeadLettered, InvalidMessage, NothingAsked, OtherContent
from bridge.options import NatsOptions
from domain.approval import Approval
from domain.contract import EventBody, JudgedBody
from domain.errors import KeyTaken, RequestRefused, RequestUndelivered
from domain.identity import digest
from domain.verdict import Opinion


class NatsCouncilClient:
    """One connection for all calls, which is made again if it was closed for good."""

    def __init__(self, options: NatsOptions) -> None:
        self._options = options
        self._conclave: Conclave | None = None
        self._connecting = asyncio.Lock()

    async def approve(self, plan: Mapping[str, Any], *, key: str = "") -> Approval:
        message_id = f"k-{digest(str(plan['approved_by']), key)}" if key else ""
        with _as_domain_errors():
            return await (await self._connected()).approve(plan, key=key, message_id=message_id)

    async def watch(self, approval: Approval) -> AsyncGenerator[EventBody, None]:
        with _as_domain_errors():
            conclave = await self._connected()
            async with aclosing(conclave.watch(approval)) as events:
                async for body in events:
                    yield body

    async def judge(
        self, deliberation_id: str, verdict: Opinion, *, by: str, proposal: str = "", reason: str = ""
    ) -> JudgedBody:
        with _as_domain_errors():
            conclave = await self._connected()
            return await conclave.verdict(deliberation_id, verdict, by=by, proposal=proposal, reason=reason)

    async def close(self) -> None:
        """Close the connection if there is one."""
        conclave, self._conclave = self._conclave, None
        if conclave is not None:
            await conclave.__aexit__(None, None, None)

    async def _connected(self) -> Conclave:
        async with self._connecting:
            if self._conclave is None or self._conclave.closed:
                conclave = Conclave.over(self._options)
                self._conclave = await conclave.__aenter__()
            return self._conclave


@contextmanager
def _as_domain_errors() -> Iterator[None]:
    try:
        yield
    except OtherContent as error:
        raise KeyTaken(str(error)) from error
    except (InvalidMessage, DeadLettered, NothingAsked) as error:
        raise RequestRefused(str(error)) from error
    except ClientError as error:
        raise RequestUndelivered(str(error)) from error
