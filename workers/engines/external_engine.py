"""An OpenAI-compatible endpoint that the operator's own workers neither start nor stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.chat import Message
from domain.engine import EngineKind, Guidance, ThinkingSwitch
from workers.engines.engine import Launch, MetricNames, Post
from workers.engines.spec import EngineSpec


class ExternalEngine:
    """Called, never started; nothing but OpenAI's API is expected of it."""

    kind = EngineKind.EXTERNAL
    guidance = Guidance.JSON_SCHEMA
    thinking_switch = ThinkingSwitch.TEMPLATE
    metric_names = MetricNames()

    def slots(self, spec: EngineSpec) -> int:
        return spec.slots or 0

    def launch(self, spec: EngineSpec, port: int, without: frozenset[str] = frozenset()) -> Launch:
        raise TypeError(f"{spec.url} is external: it isn't ours to start")

    def optional(self, flag: str) -> bool:
        return False

    async def count_tokens(self, post: Post, model: str, messages: Sequence[Message]) -> int | None:
        return None

    async def rendered_prompt(
        self, post: Post, model: str, turns: Sequence[Mapping[str, str]], fields: Mapping[str, Any]
    ) -> str | None:
        return None
