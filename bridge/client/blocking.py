"""The client for scripts: the same calls without an event loop of the program's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from bridge.client.conclave import Conclave
from bridge.client.errors import NotConnected
from domain.approval import Approval
from domain.contract import ClosingBody, CompletedBody, EventBody, JudgedBody
from domain.plan import Plan
from domain.verdict import Opinion

T = TypeVar("T")


class BlockingConclave:
    """Every method is Conclave's of that name and waits for its result; options are those of that method.

    For any number of threads. Ctrl-C ends a wait.
    """

    def __init__(self, url: str = "nats://127.0.0.1:4222", **options: Any) -> None:
        self._conclave = Conclave(url, **options)
        self._portal: BlockingPortal | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Connect, on an event loop in a thread of its own."""
        with ExitStack() as stack:
            self._portal = stack.enter_context(start_blocking_portal())
            stack.enter_context(self._portal.wrap_async_context_manager(self._conclave))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        self._portal = None

    def decide(self, plan: Plan | Mapping[str, Any], **options: Any) -> CompletedBody:
        return self._call(self._conclave.decide, plan, **options)

    def decide_all(self, plan: Plan | Mapping[str, Any], **options: Any) -> dict[str, ClosingBody]:
        return self._call(self._conclave.decide_all, plan, **options)

    def approve(self, plan: Plan | Mapping[str, Any], **options: Any) -> Approval:
        return self._call(self._conclave.approve, plan, **options)

    def wait(self, which: Approval | str, **options: Any) -> CompletedBody:
        return self._call(self._conclave.wait, which, **options)

    def wait_all(self, approval: Approval, **options: Any) -> dict[str, ClosingBody]:
        return self._call(self._conclave.wait_all, approval, **options)

    def watch(self, which: Approval | str, *, since: datetime | None = None) -> Iterator[EventBody]:
        return self._iterate(self._conclave.watch(which, since=since))

    def decisions(self, durable: str, **options: Any) -> Iterator[CompletedBody]:
        return self._iterate(self._conclave.decisions(durable, **options))

    def verdict(self, deliberation_id: str, verdict: Opinion, *, by: str, **options: Any) -> JudgedBody:
        return self._call(self._conclave.verdict, deliberation_id, verdict, by=by, **options)

    def _iterate(self, items: AsyncGenerator[T, None]) -> Iterator[T]:
        try:
            while True:
                try:
                    item = self._call(partial(anext, items))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            self._call(items.aclose)

    def _call(self, function: Callable[..., Awaitable[T]], *arguments: Any, **options: Any) -> T:
        if self._portal is None:
            raise NotConnected("the client is used outside its `with` block; enter it first")
        return self._portal.call(partial(function, *arguments, **options))
