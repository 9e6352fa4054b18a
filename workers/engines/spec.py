"""What a worker is told about the engine it is pinned to; times in seconds."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator

from domain.engine import EngineKind, Guidance
from domain.value import Name, Value


class EngineSpec(Value):
    """One engine, ours to start or somebody else's to call."""

    kind: EngineKind = EngineKind.VLLM
    model: Name
    """The name tasks ask for: the queue's, the directory's and the one the engine serves it under."""
    weights: str = ""
    """What the engine loads, an identifier or a folder; empty means `model`."""
    gpus: tuple[str, ...] = ()
    """Indices or UUIDs as nvidia-smi names them; several serve one model by tensor parallelism."""
    url: str = ""
    """Base of an external engine's OpenAI API, `/v1` included."""
    host: str = "127.0.0.1"
    """Where our engine listens, and the address others are told: set it where other nodes must reach it."""
    port: int = Field(default=0, ge=0, le=65_535)
    """0 takes any free one."""
    command: tuple[str, ...] = ()
    """What starts the engine, in place of its kind's own. The weights follow, or stand where `{model}` does."""
    extra_args: tuple[str, ...] = ()
    """Handed to the engine as they are, last, so that they win."""
    slots: int | None = Field(default=None, ge=1)
    """Calls at once; None leaves the engine's own limit."""
    max_model_len: int | None = Field(default=None, ge=1)
    """Tokens of prompt and answer; None leaves the model's own."""
    guidance: Guidance | None = None
    """Forces how answers are kept to a form; None means what the kind does best."""
    api_key: SecretStr = SecretStr("")
    state_dir: Path = Path(".conclave/engines")
    """Where the engine's lease and log lie; workers that share it can adopt one another's engines."""
    start_within_s: float = Field(default=900.0, gt=0)
    """From launch to ready: large weights may have to be downloaded first."""
    lease_s: float = Field(default=30.0, gt=0)
    """How long the engine outlives a worker that vanished; longer than a worker's restart."""
    probe_every_s: float = Field(default=1.0, gt=0)
    probe_within_s: float = Field(default=5.0, gt=0)
    """A health check that takes longer has failed."""
    stall_s: float = Field(default=60.0, gt=0)
    """Requests running and no step for so long means the engine hangs; longer than its slowest step, a prefill."""
    publish_ttl_s: float = Field(default=15.0, gt=0)
    """How long the directory believes in the engine without a word from its worker."""

    @field_validator("gpus")
    @classmethod
    def _gpus_differ(cls, gpus: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(gpus)) != len(gpus):
            raise ValueError(f"the same GPU is named twice: {','.join(gpus)}")
        return gpus

    @model_validator(mode="after")
    def _external_has_a_url(self) -> EngineSpec:
        if (self.kind is EngineKind.EXTERNAL) != bool(self.url):
            raise ValueError("an external engine needs its URL, and no other kind takes one")
        return self

    @property
    def loads(self) -> str:
        """What the engine loads."""
        return self.weights or self.model
