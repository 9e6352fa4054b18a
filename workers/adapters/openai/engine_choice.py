"""Which engine a call goes to, and what to say when none may serve it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from domain.chat import ChatFailure, ChatRequest, FailureReason
from domain.engine import EngineRecord

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def reachable(records: Sequence[EngineRecord], node: str) -> tuple[EngineRecord, ...]:
    """Leave out engines that listen on another host's loopback."""
    return tuple(record for record in records if record.node in ("", node) or not _loopback(record))


def least_loaded(
    records: Sequence[EngineRecord], in_flight: Callable[[EngineRecord], int], avoid: str = ""
) -> EngineRecord:
    """Return the engine with the least to do per slot, by name where equal; not `avoid` if there is another.

    What its worker published last and what this process has in flight there both count.
    """
    others = [record for record in records if record.name != avoid] or records

    def load(record: EngineRecord) -> tuple[float, str]:
        busy = record.in_flight + record.waiting + in_flight(record)
        return busy / max(record.slots, 1), record.name

    return min(others, key=load)


def nobody_serves(request: ChatRequest, known: Sequence[EngineRecord]) -> ChatFailure:
    """Say that no engine serves the model, and which models are served."""
    elsewhere = [record for record in known if record.model == request.model]
    if elsewhere:
        hosts = ", ".join(sorted({record.node for record in elsewhere}))
        detail = (
            f"{request.model} is served only on the loopback address of {hosts}: "
            "start that worker with a host that other nodes reach"
        )
    else:
        models = Counter(record.model for record in known)
        served = ", ".join(f"{model} ({engines})" for model, engines in sorted(models.items()))
        detail = f"no live engine serves {request.model}; served now: {served or 'nothing'}"
    return ChatFailure(key=request.key, reason=FailureReason.NOT_SERVED, detail=detail)


def _loopback(record: EngineRecord) -> bool:
    return urlsplit(record.url).hostname in LOOPBACK
