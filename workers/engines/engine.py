"""What a worker needs of every kind of engine; each kind is one file beside this one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from domain.chat import Message
from domain.engine import EngineKind, EngineRecord, Guidance, ThinkingSwitch
from workers.engines.spec import EngineSpec

Post = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Posts JSON to a path below the engine's root and returns the JSON it answers."""


@dataclass(frozen=True)
class Launch:
    """A command line and what it needs in its environment besides the worker's own."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MetricNames:
    """Names of an engine's Prometheus metrics; empty where it has none."""

    running: str = ""
    waiting: str = ""
    kv_usage: str = ""
    prefix_queries: str = ""
    """Prompt tokens looked up in the prefix cache."""
    prefix_hits: str = ""
    generated_tokens: str = ""
    progress: tuple[str, ...] = ()
    """Counters of which one grows at every step while requests run, within an answer too."""

    def all(self) -> tuple[str, ...]:
        """Return every name that is set."""
        single = (self.running, self.waiting, self.kv_usage, self.prefix_queries, self.prefix_hits)
        return tuple(name for name in (*single, self.generated_tokens, *self.progress) if name)


class Engine(Protocol):
    """One kind of engine."""

    @property
    def kind(self) -> EngineKind: ...

    @property
    def guidance(self) -> Guidance:
        """How its answers are kept to a form unless the operator forces another way."""
        ...

    @property
    def thinking_switch(self) -> ThinkingSwitch:
        """How it is told whether to think, unless the operator says otherwise."""
        ...

    @property
    def metric_names(self) -> MetricNames: ...

    def slots(self, spec: EngineSpec) -> int:
        """Return how many calls a worker keeps in flight; 0 where no limit is known."""
        ...

    def launch(self, spec: EngineSpec, port: int, without: frozenset[str] = frozenset()) -> Launch:
        """Return how to start it on `port`. `without` names flags that this installation does not know.

        Raises TypeError for an engine that isn't ours to start.
        """
        ...

    def optional(self, flag: str) -> bool:
        """Whether the engine does its work without that flag: an older installation may not know it."""
        ...

    async def count_tokens(self, post: Post, model: str, messages: Sequence[Message]) -> int | None:
        """Count the prompt's tokens, chat template included; None where the engine can't be asked."""
        ...

    async def rendered_prompt(
        self, post: Post, model: str, turns: Sequence[Mapping[str, str]], fields: Mapping[str, Any]
    ) -> str | None:
        """Return the end of the prompt that the chat template makes of turns, with these fields of a request.

        None where the engine can't be asked.
        """
        ...


class ReadyCheck(Protocol):
    """Finds out how an engine that answers wants to be asked."""

    def __call__(self, record: EngineRecord, within_s: float) -> EngineRecord:
        """Return the record with what was found, each call bounded by `within_s` seconds; raises CannotChat."""
        ...


def turns(messages: Sequence[Message], *, system_turn: bool = True) -> list[dict[str, str]]:
    """Return messages as OpenAI's API takes them; without a system turn its text stands before the user's."""
    told = [{"role": message.role, "content": message.content} for message in messages]
    if system_turn or len(told) < 2 or told[0]["role"] != "system":
        return told
    system, user, *rest = told
    return [{"role": "user", "content": f"{system['content']}\n\n{user['content']}"}, *rest]


def gpu_environment(spec: EngineSpec) -> dict[str, str]:
    """Pin to the spec's GPUs; without any the environment stays as it is."""
    return {"CUDA_VISIBLE_DEVICES": ",".join(spec.gpus)} if spec.gpus else {}


def command_with_model(spec: EngineSpec, command: Sequence[str]) -> tuple[str, ...]:
    """Put what is loaded where the command says `{model}`, or behind it."""
    if any("{model}" in argument for argument in command):
        return tuple(argument.replace("{model}", spec.loads) for argument in command)
    return (*command, spec.loads)
