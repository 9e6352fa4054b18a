"""Everything an operator can set, read from `CONCLAVE_*` variables; the only place that reads the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.engine import EngineKind, Guidance
from domain.policy import Policy
from domain.redeliberation import RedeliberationPolicy
from domain.value import Value

BROKER_DB, RESULTS_DB, STORE_DB = 0, 1, 2
"""Databases of one Valkey server, so that broker, chord counters and durable state can be looked at apart."""

Words = Annotated[tuple[str, ...], NoDecode]


class EngineOptions(Value):
    """How a model worker's engine is started and called; None leaves the engine's own default."""

    kind: EngineKind | None = None
    """vllm, llama.cpp or external; None means external with an engine URL, else vllm."""
    weights: str | None = None
    """What the engine loads, an identifier or a folder; None means the model's name."""
    gpus: tuple[str, ...] = ()
    """As JSON: ["0"], or ["0", "1"] for one model over two by tensor parallelism."""
    command: tuple[str, ...] = ()
    """What starts the engine in place of its kind's own, as JSON: ["python", "-m", …]."""
    extra_args: tuple[str, ...] = ()
    """Handed to the engine as they are, as JSON."""
    host: str | None = None
    """Where our engine listens; set it to an address that other nodes reach."""
    port: int | None = None
    """Its port; None takes any free one."""
    slots: int | None = Field(default=None, ge=1)
    """Calls at once; None means the engine's own limit."""
    max_model_len: int | None = Field(default=None, ge=1)
    """Tokens of prompt and answer together."""
    guidance: Guidance | None = None
    """How answers are kept to a form: regex, grammar or json_schema; None means what the kind does best."""
    state_dir: Path | None = None
    """Where leases and logs of engines lie; workers that share it adopt one another's engines."""
    start_within_s: float | None = Field(default=None, gt=0)
    """From launch to ready."""
    lease_s: float | None = Field(default=None, gt=0)
    """How long an engine outlives a worker that vanished."""
    probe_every_s: float | None = Field(default=None, gt=0)
    """Between two looks at the engine's health."""
    stall_s: float | None = Field(default=None, gt=0)
    """Requests running and no token for so long means that it hangs."""


class Settings(BaseSettings):
    """Effective settings; `conclave config` prints them with secrets masked."""

    model_config = SettingsConfigDict(
        env_prefix="CONCLAVE_",
        env_nested_delimiter="__",
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379")
    """Valkey or Redis: redis://, valkey://, rediss:// (TLS) or sentinel://; without a database number."""
    redis_sentinel_master: str = "conclave"
    """The master's name where `redis_url` is sentinel://."""
    key_prefix: str = "conclave:"
    """In front of every key of the store."""
    retention_s: float = Field(default=14 * 86_400.0, gt=0)
    """How long plans and ended deliberations are kept: two weeks, enough for a sprint's review."""

    nats_url: Words = ("nats://127.0.0.1:4222",)
    """Servers of the NATS cluster, separated by commas; nats:// or tls://."""
    nats_user: str = ""
    """User name; empty for none."""
    nats_password: SecretStr = SecretStr("")
    """Password of `nats_user`."""
    nats_credentials: Path | None = None
    """A .creds file in place of user and password."""
    nats_inbox_prefix: str = Field(default="_INBOX", min_length=1)
    """Below this NATS answers us. The shipped user `publisher` hears `_INBOX_publisher`, `observer` likewise."""
    nats_ca: Path | None = None
    """Certificate authority of the NATS servers, PEM."""
    nats_cert: Path | None = None
    """Our certificate for NATS, PEM."""
    nats_key: Path | None = None
    """The key of `nats_cert`, PEM."""
    duplicate_window_s: float = Field(default=3600.0, gt=0)
    """Deduplication window of the streams that Conclave creates: longer than the outages we ride out."""
    stream_max_bytes: int = Field(default=1 << 30, gt=0)
    """Size limit of each stream that Conclave creates: 1 GiB."""
    stream_max_age_s: float = Field(default=30 * 86_400.0, gt=0)
    """Age of the oldest message in streams that Conclave creates: a month."""
    stream_replicas: int = Field(default=1, ge=1, le=5)
    """Copies of each stream within a NATS cluster; 3 survives the loss of a server."""

    model: str = "smollm2-135m-instruct"
    """The served model for agents that name none; its queue is llm.<model>."""
    engine_url: str = ""
    """An OpenAI-compatible endpoint, `/v1` included, that a model worker serves; empty: it starts its own."""
    engine_key: SecretStr = SecretStr("")
    """Bearer token for external engines."""
    engine: EngineOptions = EngineOptions()
    """The engine of a model worker: CONCLAVE_ENGINE__GPUS and so on."""
    worker_concurrency: int = Field(default=64, ge=1, le=1024)
    """Threads of a worker: they wait for models, so as many as vLLM's slots, not as cores."""
    visibility_timeout_s: float = Field(default=10.0, ge=2)
    """How soon a killed worker's task is run by another; a heartbeat keeps running tasks visible. 8 or more, so
    that a chord whose worker dies while it publishes the callback needs no sweep."""
    policy: Policy = Policy()
    """Defaults and limits of deliberations: CONCLAVE_POLICY__ROUNDS and so on."""

    redeliberation: RedeliberationPolicy = RedeliberationPolicy()
    """What beat deliberates again by itself: CONCLAVE_REDELIBERATION__STALE_AFTER_S and so on."""

    bridge_batch: int = Field(default=64, ge=1, le=1000)
    """Messages fetched at once."""
    bridge_ack_wait_s: float = Field(default=10.0, gt=0)
    """How soon a killed bridge's messages go to another; a heartbeat keeps those of a slow one."""
    bridge_max_deliver: int = Field(default=100, ge=1)
    """Deliveries of one message before the dead letters: a quarter of an hour without a broker."""
    bridge_max_ack_pending: int = Field(default=1000, ge=1)
    """Unacknowledged messages over all bridges."""
    max_message_bytes: int = Field(default=1 << 20, ge=1024)
    """Larger messages are dead-lettered: 1 MiB, NATS's own default."""
    max_open: int = Field(default=1000, ge=1)
    """Open deliberations above which bridges stop fetching; the backlog waits in JetStream."""
    phase_roles: dict[str, tuple[str, ...]] = {}
    """Which roles deliberate when a story enters a phase, as JSON: {"BUILD": ["DEV", "QA"]}."""

    otlp_endpoint: str = ""
    """Base URL of an OpenTelemetry collector (OTLP over HTTP) that gets our spans; empty: no tracing."""
    metrics_port: int = Field(default=0, ge=0, le=65_535)
    """Where a worker or bridge serves Prometheus' /metrics; 0 serves none. Each process needs its own."""
    metrics_host: str = "127.0.0.1"
    """The address it listens on; 0.0.0.0 lets a Prometheus on another host in."""

    flower_auth: SecretStr = SecretStr("")
    """Logins for Flower, user:password, separated by commas; empty asks for none."""
    flower_read_only: bool = True
    """Flower shows; false lets its users revoke tasks and stop workers."""

    state: Path = Path(".conclave")
    """Folder of the embedded stack."""
    log_json: bool | None = None
    """JSON lines (true) or text for people (false); None: text on a terminal, JSON elsewhere."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""

    @field_validator("nats_url", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("redis_url", mode="before")
    @classmethod
    def _valkey_is_redis(cls, value: object) -> object:
        """kombu, celery and flower know no valkey://."""
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not isinstance(text, str):
            return value
        for ours, theirs in (("valkey://", "redis://"), ("valkeys://", "rediss://")):
            text = text.replace(ours, theirs)
        return text.rstrip("/")

    def redis(self, database: int) -> str:
        """Return the URL of one of our databases, secret included."""
        return ";".join(_with_database(part, database) for part in self.redis_url.get_secret_value().split(";"))

    @property
    def effective_policy(self) -> Policy:
        """The policy with this fleet's default model."""
        return self.policy.model_copy(update={"model": self.model})


def _with_database(url: str, database: int) -> str:
    address, mark, query = url.partition("?")
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/{database}{mark}{query}"
