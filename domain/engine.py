"""The model servers that calls go to: their kinds, and what the fleet knows of each."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlsplit

from pydantic import Field

from domain.value import Name, Value

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class EngineKind(StrEnum):
    """Whose engine it is, and so which flags, endpoints and guided decoding it knows."""

    VLLM = "vllm"
    LLAMA_CPP = "llama.cpp"
    EXTERNAL = "external"
    """Any endpoint that speaks OpenAI's API and isn't ours to start or stop."""


class Guidance(StrEnum):
    """How an engine is made to keep an answer to a form."""

    REGEX = "regex"
    """vLLM's `structured_outputs`."""
    GRAMMAR = "grammar"
    """llama.cpp's GBNF `grammar`."""
    JSON_SCHEMA = "json_schema"
    """OpenAI's `response_format`."""


class EngineRecord(Value):
    """One engine as its worker last saw it."""

    name: Name
    """Unique among live engines: its model and the worker it belongs to."""
    model: Name
    url: str
    """Base of its OpenAI API, `/v1` included."""
    kind: EngineKind
    guidance: Guidance
    node: str = ""
    """The host of its worker; only there a loopback `url` means this engine."""
    context_length: int = Field(default=0, ge=0)
    """Tokens of prompt and answer together; 0 where the engine does not say."""
    gpu: str = ""
    """Indices as given to the worker, parted by commas; empty without a GPU."""
    slots: int = Field(default=0, ge=0)
    """Calls it takes at once before it says it is busy; 0 where unknown."""
    in_flight: int = Field(default=0, ge=0)
    waiting: int = Field(default=0, ge=0)
    ready: bool = True
    """False while the engine is being started: it is on its way, and gets no calls yet."""
    updated_at: float = 0.0
    """Epoch seconds of the worker's clock; for people, expiry does not depend on it."""

    def reachable_from(self, node: str) -> bool:
        """Whether `url` means this engine on that host: an engine on a loopback address only serves its own."""
        return self.node in ("", node) or urlsplit(self.url).hostname not in LOOPBACK
