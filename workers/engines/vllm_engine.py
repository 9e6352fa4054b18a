"""vLLM: the engine of GPU nodes."""

from __future__ import annotations

import json
import os
import sysconfig
from collections.abc import Mapping, Sequence
from typing import Any

from domain.chat import Message
from domain.engine import EngineKind, Guidance, ThinkingSwitch
from workers.engines.engine import Launch, MetricNames, Post, command_with_model, gpu_environment, turns
from workers.engines.reasoning_parsers import reasoning_parser
from workers.engines.spec import EngineSpec

COMMAND = ("vllm", "serve")
SLOTS = 64
"""Calls one worker keeps in flight unless told otherwise: below vLLM's own batch limit on any GPU."""
QUEUED_PER_SLOT = 2
"""Room at the door per slot: the owner's calls and as many from reviews elsewhere; above that vLLM says 503."""
NO_BLANKS = json.dumps({"backend": "xgrammar", "disable_any_whitespace": True}, separators=(",", ":"))
"""Guided JSON without blanks, which cost as many tokens as its content; per request the setting is ignored."""

PROMPT_END_TOKENS = 16

OPTIONAL = frozenset({"--max-num-queued-reqs", "--structured-outputs-config", "--enable-prompt-tokens-details"})


class VllmEngine:
    """One `vllm serve` per worker."""

    kind = EngineKind.VLLM
    guidance = Guidance.REGEX
    thinking_switch = ThinkingSwitch.TEMPLATE
    metric_names = MetricNames(
        running="vllm:num_requests_running",
        waiting="vllm:num_requests_waiting",
        kv_usage="vllm:kv_cache_usage_perc",
        prefix_queries="vllm:prefix_cache_queries_total",
        prefix_hits="vllm:prefix_cache_hits_total",
        generated_tokens="vllm:generation_tokens_total",
        progress=("vllm:iteration_tokens_total_count", "vllm:generation_tokens_total"),
    )

    def slots(self, spec: EngineSpec) -> int:
        return spec.slots or SLOTS

    def launch(self, spec: EngineSpec, port: int, without: frozenset[str] = frozenset()) -> Launch:
        flags: dict[str, str | None] = {
            "--served-model-name": spec.model,
            "--host": spec.host,
            "--port": str(port),
            "--enable-prefix-caching": None,
            "--enable-prompt-tokens-details": None,
            "--structured-outputs-config": NO_BLANKS,
            "--max-num-queued-reqs": str(QUEUED_PER_SLOT * self.slots(spec)),
        }
        if spec.slots is not None:
            flags["--max-num-seqs"] = str(spec.slots)
        if spec.max_model_len is not None:
            flags["--max-model-len"] = str(spec.max_model_len)
        if parser := reasoning_parser(spec.loads, spec.reasoning_parser):
            flags["--reasoning-parser"] = parser
        if len(spec.gpus) > 1:
            flags["--tensor-parallel-size"] = str(len(spec.gpus))
        accepted = (pair for pair in flags.items() if pair[0] not in without)
        arguments = (argument for pair in accepted for argument in pair if argument is not None)
        command = command_with_model(spec, spec.command or COMMAND)
        return Launch((*command, *arguments, *spec.extra_args), self._environment(spec))

    def optional(self, flag: str) -> bool:
        return flag in OPTIONAL

    async def count_tokens(self, post: Post, model: str, messages: Sequence[Message]) -> int | None:
        answer = await post("/tokenize", {"model": model, "messages": turns(messages)})
        return int(answer["count"])

    async def rendered_prompt(
        self, post: Post, model: str, turns: Sequence[Mapping[str, str]], fields: Mapping[str, Any]
    ) -> str | None:
        tokens = (await post("/tokenize", {"model": model, "messages": turns, **fields}))["tokens"]
        shown = await post("/detokenize", {"model": model, "tokens": tokens[-PROMPT_END_TOKENS:]})
        return str(shown["prompt"])

    def _environment(self, spec: EngineSpec) -> dict[str, str]:
        # The key goes through the environment: every user of the host can read a command line.
        key = spec.key.get_secret_value()
        environment = gpu_environment(spec) | ({"VLLM_API_KEY": key} if key else {})
        return environment if spec.command else environment | {"PATH": _own_scripts_first()}


def _own_scripts_first() -> str:
    """Find the `vllm` of this environment, and the build tools it calls, although it is not activated."""
    return os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)))
