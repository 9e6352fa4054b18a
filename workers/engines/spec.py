"""The engine that a worker is pinned to: its options, and the model that it serves."""

from __future__ import annotations

from pydantic import SecretStr, model_validator

from domain.engine import Dialect, EngineKind, ThinkingSwitch
from domain.value import Name
from workers.settings import EngineOptions


class EngineSpec(EngineOptions):
    """One engine, ours to start or another team's to call."""

    model: Name
    """The name tasks ask for: the queue's, the directory's and the one the engine serves it under."""

    @classmethod
    def of(cls, options: EngineOptions, *, model: str) -> EngineSpec:
        """Describe the engine of a worker that serves `model`. Raises ValidationError for what can't be."""
        described = cls.model_validate({**dict(options), "model": model})
        if described.kind is EngineKind.EXTERNAL:
            return described
        # The key is for external engines: one of ours that knew it would ask every caller for it.
        return described.model_copy(update={"key": SecretStr("")})

    @model_validator(mode="after")
    def _external_has_a_url(self) -> EngineSpec:
        if (self.kind is EngineKind.EXTERNAL) != bool(self.url):
            raise ValueError("an external engine needs its URL, and no other kind takes one")
        return self

    def dialect(self, switch: ThinkingSwitch) -> Dialect:
        """Return how the engine wants its requests; `switch` is how its kind is told whether to think."""
        return Dialect(
            tokens_field=self.tokens_field,
            omit=self.omit,
            thinking_switch=self.thinking_switch or switch,
            extra_body=self.extra_body,
        )

    @property
    def loads(self) -> str:
        """What the engine loads."""
        return self.weights or self.model
