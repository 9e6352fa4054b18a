"""The embedded llama.cpp server: the default on machines without a GPU."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from domain.chat import Message
from domain.engine import EngineKind, Guidance, ThinkingSwitch
from workers.engines.engine import Launch, MetricNames, Post, gpu_environment, turns
from workers.engines.llama_server import SLOTS
from workers.engines.spec import EngineSpec

COMMAND = (sys.executable, "-m", "workers.engines.llama_server")


class LlamaCppEngine:
    """One llama.cpp server per worker, in a process of its own."""

    kind = EngineKind.LLAMA_CPP
    guidance = Guidance.GRAMMAR
    thinking_switch = ThinkingSwitch.TEMPLATE
    metric_names = MetricNames(
        running="llamacpp:requests_processing",
        waiting="llamacpp:requests_deferred",
        prefix_hits="llamacpp:prompt_tokens_cached_total",
        generated_tokens="llamacpp:tokens_predicted_total",
        # Its counts of tokens stand still until an answer is complete.
        progress=("llamacpp:n_decode_total",),
    )

    def slots(self, spec: EngineSpec) -> int:
        return spec.slots or SLOTS

    def launch(self, spec: EngineSpec, port: int, without: frozenset[str] = frozenset()) -> Launch:
        flags = {"--host": spec.host, "--port": str(port), "--model-name": spec.model}
        if spec.weights:
            flags["--model-path"] = spec.weights
        if spec.slots is not None:
            flags["--slots"] = str(spec.slots)
        if spec.max_model_len is not None:
            flags["--context"] = str(spec.max_model_len)
        arguments = (argument for pair in flags.items() for argument in pair)
        return Launch((*(spec.command or COMMAND), *arguments, *spec.extra_args), gpu_environment(spec))

    def optional(self, flag: str) -> bool:
        return False

    async def count_tokens(self, post: Post, model: str, messages: Sequence[Message]) -> int | None:
        prompt = (await post("/apply-template", {"messages": turns(messages)}))["prompt"]
        answer = await post("/tokenize", {"content": prompt, "add_special": True})
        return len(answer["tokens"])

    async def rendered_prompt(
        self, post: Post, model: str, turns: Sequence[Mapping[str, str]], fields: Mapping[str, Any]
    ) -> str | None:
        return str((await post("/apply-template", {"messages": turns, **fields}))["prompt"])
