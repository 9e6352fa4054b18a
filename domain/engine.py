"""The model servers that calls go to: their kinds, and what the fleet knows of each."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, JsonValue

from domain.thinking import Thoughts, ThoughtsPlace
from domain.value import Name, OpenValue

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


class ThinkingSwitch(StrEnum):
    """How an engine is told whether its model shall think."""

    TEMPLATE = "chat_template_kwargs"
    """`enable_thinking` for the chat template: vLLM, SGLang, llama.cpp."""
    EFFORT = "reasoning_effort"
    """OpenAI's own models, gpt-oss."""
    NONE = "none"
    """It isn't told."""


class Dialect(OpenValue):
    """How one engine wants its requests."""

    tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    omit: tuple[Literal["temperature", "seed"], ...] = ()
    """Fields that the engine refuses."""
    thinking_switch: ThinkingSwitch = ThinkingSwitch.NONE
    system_turn: bool = True
    """False puts the system's text before the user's: some chat templates know no system role."""
    extra_body: dict[str, JsonValue] = {}
    """Added to every request as it is."""


class ReadyCheckResult(OpenValue):
    """What the ready check found out about an engine before it got work."""

    thoughts: Thoughts = Thoughts.UNKNOWN
    place: ThoughtsPlace = ThoughtsPlace.NOWHERE
    template_opens: Literal["never", "on", "always"] = "never"
    """Whether the chat template opens the thought, so that the answer begins within it: never, when asked to
    think, or always."""
    ballot: Literal["unknown", "kept", "off_form", "none"] = "unknown"
    """Whether a bounded ballot came back in its form."""
    logprobs: Literal["unknown", "given", "absent", "refused"] = "unknown"
    """Whether the digits' probabilities came with that ballot; a request that asks for them may be refused."""


class EngineRecord(OpenValue):
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
    hit_rate: float | None = None
    """Share of looked-up prompt tokens that its prefix cache held since its start; None where it does not say."""
    kv_usage: float | None = None
    """Share of its key-value cache in use, 0 to 1; None where it does not say."""
    dialect: Dialect = Dialect()
    found: ReadyCheckResult = ReadyCheckResult()
    ready: bool = True
    """False while the engine is being started: it is on its way, and gets no calls yet."""
    updated_at: float = 0.0
    """Epoch seconds of the worker's clock; for people, expiry does not depend on it."""

    def reachable_from(self, node: str) -> bool:
        """Whether `url` means this engine on that host: an engine on a loopback address only serves its own."""
        return self.node in ("", node) or urlsplit(self.url).hostname not in LOOPBACK
