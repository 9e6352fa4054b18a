"""Everything an operator can set, read from `CONCLAVE_*` variables; the only place that reads the environment."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, JsonValue, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bridge.options import ConsumerOptions, EventOptions, NatsOptions, StreamLimits
from bridge.strict_json import MAX_BYTES
from domain.checks.bounds import CheckBounds
from domain.engine import EngineKind, Guidance, ThinkingSwitch
from domain.policy import Policy
from domain.prices import Price, PriceList
from domain.redeliberation import RedeliberationPolicy
from domain.validation.validate import invalid
from domain.value import Name, Value
from web.options import WebOptions
from workers.database_url import one_database
from workers.variables import PREFIX, VariableSource, unknown_variables, variable, walk


class EngineOptions(Value):
    """How a model worker's engine is started and called."""

    kind: EngineKind = EngineKind.VLLM
    """vllm, llama.cpp or external; with a URL it is external unless this says otherwise."""
    weights: str = ""
    """What the engine loads, an identifier or a folder; empty means the model's name."""
    gpus: tuple[str, ...] = ()
    """Indices or UUIDs as nvidia-smi names them, as JSON: ["0"], or ["0", "1"] for one model over two by tensor
    parallelism."""
    url: str = ""
    """An OpenAI-compatible endpoint, `/v1` included, that a model worker serves; empty: it starts its own."""
    key: SecretStr = SecretStr("")
    """Bearer token for external engines."""
    host: str = "127.0.0.1"
    """Where our engine listens, and the address that others call: set it where other nodes must reach it."""
    port: int = Field(default=0, ge=0, le=65_535)
    """Its port; 0 takes any free one."""
    command: tuple[str, ...] = ()
    """What starts the engine in place of its kind's own, as JSON: ["python", "-m", …]. The weights follow, or
    stand where `{model}` does."""
    extra_args: tuple[str, ...] = ()
    """Handed to the engine as they are, last, so that they win; as JSON."""
    slots: int | None = Field(default=None, ge=1)
    """Calls at once. Not set: 64 for vLLM, 1 for llama.cpp, and the engine's own limit stays."""
    max_model_len: int | None = Field(default=None, ge=1)
    """Tokens of prompt and answer together; not set: the model's own."""
    tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """What requests call the bound on an answer; OpenAI's own newer models want max_completion_tokens."""
    omit: tuple[Literal["temperature", "seed"], ...] = ()
    """Fields that requests leave out because the engine refuses them, as JSON: ["temperature", "seed"]."""
    extra_body: dict[str, JsonValue] = {}
    """Added to every request as it is, as JSON: {"top_k": 20}. Every process that calls the engine sees it."""
    thinking_switch: ThinkingSwitch | None = None
    """How the model is told whether to think: chat_template_kwargs, reasoning_effort or none; not set: by the
    chat template, and not at all where the ready check finds that the engine refuses that."""
    max_answer_bytes: int = Field(default=8 * 1024 * 1024, ge=64 * 1024)
    """Of any engine's answer, unpacked; a longer one is left unread and is its agent's failure."""
    reasoning_parser: str | None = None
    """vLLM's --reasoning-parser; not set: by the model's family, `none`: none."""
    guidance: Guidance | None = None
    """How answers are kept to a form: regex, grammar or json_schema; not set: what the kind does best."""
    state_dir: Path = Path(".conclave/engines")
    """Where leases and logs of engines lie; workers that share it adopt one another's engines."""
    start_within_s: float = Field(default=900.0, gt=0)
    """From launch to ready: large weights may have to be downloaded first."""
    lease_s: float = Field(default=30.0, gt=0)
    """How long an engine outlives a worker that vanished; longer than a worker's restart."""
    probe_every_s: float = Field(default=1.0, gt=0)
    """Between two looks at the engine's health."""
    probe_within_s: float = Field(default=5.0, gt=0)
    """A health check that takes longer has failed."""
    stall_s: float = Field(default=60.0, gt=0)
    """Requests running and no step for so long means that the engine hangs; longer than its slowest step, a
    prefill."""
    publish_ttl_s: float = Field(default=15.0, gt=0)
    """How long the directory believes in the engine without a word from its worker."""

    @model_validator(mode="before")
    @classmethod
    def _external_with_a_url(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("url") and "kind" not in values:
            return {**values, "kind": EngineKind.EXTERNAL}
        return values

    @field_validator("url")
    @classmethod
    def _is_a_base_url(cls, url: str) -> str:
        if not url:
            return url
        if not re.match(r"https?://[^/]", url, re.IGNORECASE):
            raise ValueError("it must begin with http:// or https://, as in http://host:8000/v1")
        if url.rstrip("/").endswith("/completions"):
            raise ValueError(
                "it must end where the API begins, as in http://host:8000/v1, without /chat/completions"
            )
        return url.rstrip("/")

    @field_validator("extra_body")
    @classmethod
    def _adds_only(cls, body: dict[str, JsonValue]) -> dict[str, JsonValue]:
        ours = sorted(body.keys() & {"model", "messages", "stream", "n", "max_tokens", "max_completion_tokens"})
        if ours:
            raise ValueError(f"it must not set {', '.join(ours)}, which each request has of its own")
        return body

    @field_validator("gpus")
    @classmethod
    def _gpus_differ(cls, gpus: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(gpus)) != len(gpus):
            raise ValueError(f"the same GPU is named twice: {','.join(gpus)}")
        return gpus


class MetricsOptions(Value):
    """Where a process shows its metrics."""

    port: int = Field(default=0, ge=0, le=65_535)
    """Where a worker or bridge serves Prometheus' /metrics; 0 serves none. Each process needs its own."""
    host: str = "127.0.0.1"
    """The address it listens on; 0.0.0.0 lets a Prometheus on another host in."""


class FlowerOptions(Value):
    """Whom Flower shows what it sees."""

    auth: SecretStr = SecretStr("")
    """Logins for Flower, user:password, separated by commas; empty asks for none."""
    read_only: bool = True
    """Flower shows; false lets its users change workers that have `CONCLAVE_REMOTE_CONTROL=full`."""

    @property
    def logins(self) -> list[str]:
        """`user:password` pairs; without any, Flower asks for no login."""
        return [pair.strip() for pair in self.auth.get_secret_value().split(",") if pair.strip()]


class Settings(BaseSettings):
    """Effective settings; `conclave config` prints them with secrets masked."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379")
    """Valkey or Redis: redis://, valkey://, rediss:// (TLS) or sentinel://. `redis://host/3` means database 3 for
    broker, results and store alike; without a number it is 0."""
    redis_sentinel_master: str = "conclave"
    """The master's name where the URL is sentinel://."""
    key_prefix: str = Field(default="conclave:", pattern=r"^[A-Za-z0-9_.:{}/-]+$")
    """In front of every key; installations with different prefixes share a database and see nothing of each
    other."""
    retention_s: float = Field(default=14 * 86_400.0, gt=0)
    """How long plans and ended deliberations are kept: two weeks, enough for a sprint's review."""
    model: Name = "smollm2-135m-instruct"
    """The served model for agents that name none; its queue is llm.<model>."""
    worker_concurrency: int = Field(default=64, ge=1, le=1024)
    """Threads of a worker: they wait for models, so as many as vLLM's slots, not as cores."""
    remote_control: Literal["inspect", "full"] = "inspect"
    """What workers do for a program that may send them celery's commands: `inspect`, they answer what they are and
    do; `full`, they also shut down, resize their pools, change queues and limits, and revoke tasks."""
    external_engines: dict[str, SecretStr] = {}
    """Engines of others that this process may call, each with its key or none, as JSON:
    {"https://api.example/v1": "key"}. `CONCLAVE_ENGINE_URL` with `CONCLAVE_ENGINE_KEY` is one of them already."""
    visibility_timeout_s: float = Field(default=10.0, ge=2)
    """How soon a killed worker's task is run by another; a heartbeat keeps running tasks visible. 8 or more, so
    that a chord whose worker dies while it publishes the callback needs no sweep."""
    max_message_bytes: int = Field(default=MAX_BYTES, ge=1024)
    """Larger messages are dead-lettered: 1 MiB, NATS's own default."""
    max_open: int = Field(default=1000, ge=1)
    """Open deliberations above which bridges stop fetching; the backlog waits in JetStream."""
    open_plans_per_publisher: int = Field(default=0, ge=0)
    """Plans of one `approved_by` deliberated on at once; its others wait, ordered by `priority`. 0: no bound."""
    phase_roles: dict[str, tuple[str, ...]] = {}
    """Which roles deliberate when a story enters a phase, as JSON: {"BUILD": ["DEV", "QA"]}."""
    default_roles: tuple[Name, ...] = Field(default=(), max_length=64)
    """Who deliberates on a plan without `roles`, as JSON: ["DEV", "QA"]. An empty list is a plan's own word."""
    prices: dict[Name, Price] = {}
    """What a model's tokens cost per million, as JSON: {"Qwen/Qwen3-8B": {"input": 0.1, "output": 0.4}}; `cached`
    beside these where a prefix cache makes input cheaper. Read by control workers and by `deliberation cancel`."""
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    """Of `CONCLAVE_PRICES`, by ISO 4217."""
    otlp_endpoint: str = ""
    """Base URL of an OpenTelemetry collector (OTLP over HTTP) that gets our spans; empty: no tracing."""
    state: Path = Path(".conclave")
    """Folder of the embedded stack."""
    stack_ports: Literal["usual", "free"] = "usual"
    """Where `conclave up` listens if its options don't say. usual: 4222 (NATS), 6379 (Valkey), 5555 (Flower) and
    8400 (page) as far as they are free; free: on any ports, for stacks that start at the same time."""
    log_json: bool | None = None
    """JSON lines (true) or text for people (false); not set: text on a terminal, JSON elsewhere."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""

    nats: NatsOptions = NatsOptions()
    """Where NATS is and who we are there."""
    stream: StreamLimits = StreamLimits()
    """Bounds of the streams that Conclave creates; a stream that exists keeps its own."""
    events: EventOptions = EventOptions()
    """In which form our events leave."""
    bridge: ConsumerOptions = ConsumerOptions()
    """How bridges take messages in; what the server keeps holds for consumers that Conclave creates."""
    engine: EngineOptions = EngineOptions()
    """The engine of a model worker."""
    policy: Policy = Policy()
    """Defaults and limits of deliberations that are opened from now on."""
    checks: CheckBounds = CheckBounds()
    """What a check on a proposal may take."""
    redeliberation: RedeliberationPolicy = RedeliberationPolicy()
    """What beat deliberates again by itself. Every rule is off until it is set; limits hold for all rules."""
    metrics: MetricsOptions = MetricsOptions()
    """Where a process shows its metrics."""
    flower: FlowerOptions = FlowerOptions()
    """Who sees Flower's pages, and what they may do there."""
    web: WebOptions = WebOptions()
    """Where the page is served, and to whom."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments first, then the environment, where both spellings of a variable are understood."""
        return init_settings, VariableSource(settings_cls)

    @field_validator("redis_url", mode="before")
    @classmethod
    def _one_database(cls, value: object) -> object:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        return one_database(text) if isinstance(text, str) else value

    @property
    def engine_keys(self) -> dict[str, str]:
        """Addresses of the external engines that may be called, and the key of each; empty for none."""
        named = {url.rstrip("/"): key.get_secret_value() for url, key in self.external_engines.items()}
        own = {self.engine.url: self.engine.key.get_secret_value()} if self.engine.url else {}
        return named | own

    def with_web(self, **changes: Any) -> Settings:
        """Return these settings with other options of the page; None changes nothing."""
        given = {name: value for name, value in changes.items() if value is not None}
        return self.model_copy(update={"web": self.web.model_copy(update=given)})

    @property
    def broker_prefix(self) -> str:
        """In front of the broker's keys: queues, messages in flight, bindings."""
        return f"{self.key_prefix}broker:"

    @property
    def results_prefix(self) -> str:
        """In front of the keys that count the header tasks of chords."""
        return f"{self.key_prefix}results:"

    @property
    def price_list(self) -> PriceList:
        """The prices with their currency."""
        return PriceList(prices=self.prices, currency=self.currency)

    @property
    def effective_policy(self) -> Policy:
        """The policy with this fleet's default model."""
        return self.policy.model_copy(update={"model": self.model})


def sentence(error: ValidationError) -> str:
    """Name the variable of the first setting that does not fit, say why, and how many more there are."""
    refused = invalid(error, Settings)
    first, known = refused.mistakes[0], {path for path, _ in walk(Settings)}
    place = tuple(str(part) for part in first.place)
    while place and place not in known:
        place = place[:-1]
    others = len(refused.mistakes) - 1 + refused.unlisted
    more = f" (and {others} more)" if others else ""
    return f"{variable(*place)} can't be used: {first.problem}{more}"


def unknown_settings() -> list[str]:
    """Say which CONCLAVE_ variables of this process set nothing, one sentence each."""
    return unknown_variables(os.environ, Settings)
