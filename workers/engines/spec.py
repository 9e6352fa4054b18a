"""The engine that a worker is pinned to: its options, and the model that it serves."""

from __future__ import annotations

from pydantic import SecretStr, ValidationError, model_validator

from domain.engine import Dialect, EngineKind, ThinkingSwitch
from domain.value import Name
from workers.errors import Unavailable
from workers.settings import EngineOptions
from workers.variables import variable


class EngineSpec(EngineOptions):
    """One engine, ours to start or another team's to call."""

    model: Name
    """The name tasks ask for: the queue's, the directory's and the one the engine serves it under."""

    @classmethod
    def of(cls, options: EngineOptions, *, model: str) -> EngineSpec:
        """Describe the engine of a worker that serves `model`. Raises Unavailable for what can't be."""
        try:
            described = cls.model_validate({**dict(options), "model": model})
        except ValidationError as error:
            kind, url = variable("engine", "kind"), variable("engine", "url")
            raise Unavailable(
                f"{kind} is {options.kind} and {url} is {'set' if options.url else 'not set'}: "
                f"an external engine needs its URL, and no other kind takes one; unset {kind}"
            ) from error
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
