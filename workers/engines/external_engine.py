"""An OpenAI-compatible endpoint that the operator's own workers neither start nor stop."""

from __future__ import annotations

from collections.abc import Sequence

from domain.chat import Message
from domain.engine import EngineKind, Guidance
from workers.engines.engine import Launch, MetricNames, Post
from workers.engines.spec import EngineSpec


class ExternalEngine:
    """Called, never started; nothing but OpenAI's API is expected of it."""

    kind = EngineKind.EXTERNAL
    guidance = Guidance.JSON_SCHEMA
    metric_names = MetricNames()

    def slots(self, spec: EngineSpec) -> int:
        return spec.slots or 0

    def launch(self, spec: EngineSpec, port: int, without: frozenset[str] = frozenset()) -> Launch:
        raise TypeError(f"{spec.url} is external: it isn't ours to start")

    def optional(self, flag: str) -> bool:
        return False

    async def count_tokens(self, post: Post, model: str, messages: Sequence[Message]) -> int | None:
        return None
