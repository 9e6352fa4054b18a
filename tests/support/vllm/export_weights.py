"""Turns the GGUF weights of SmolLM2 into the folder that vLLM serves; runs inside vLLM's environment.

`save_pretrained` refuses a model that was read from GGUF, so the tensors, the config and the tokenizer are
written one by one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def export(source: Path, target: Path) -> None:
    """Write `source` (a .gguf file) as bfloat16 safetensors, config and tokenizer into the folder `target`."""
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(str(source.parent), gguf_file=source.name, dtype=torch.bfloat16)
    tokenizer = AutoTokenizer.from_pretrained(str(source.parent), gguf_file=source.name)
    target.mkdir(parents=True, exist_ok=True)
    # The output layer is tied to the embeddings: stored twice, vLLM would refuse the second.
    tensors = {
        name: tensor.to(torch.bfloat16).contiguous()
        for name, tensor in model.state_dict().items()
        if name != "lm_head.weight"
    }
    save_file(tensors, str(target / "model.safetensors"), metadata={"format": "pt"})
    config = {key: value for key, value in model.config.to_dict().items() if not key.startswith("_")}
    config.pop("quantization_config", None)
    config |= {"architectures": [type(model).__name__], "dtype": "bfloat16"}
    (target / "config.json").write_text(json.dumps(config, indent=1, default=str) + "\n")
    tokenizer.save_pretrained(str(target))


if __name__ == "__main__":
    export(Path(sys.argv[1]), Path(sys.argv[2]))
