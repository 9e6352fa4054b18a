"""The GPUs of this host, as nvidia-smi lists them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

from workers.engines.errors import EngineError

QUERY = ("--query-gpu=index,uuid,name,memory.total,memory.used", "--format=csv,noheader,nounits")
WITHIN_S = 20.0
"""A driver that is just being loaded takes several seconds."""


@dataclass(frozen=True)
class Gpu:
    """One GPU; memory in MiB."""

    index: str
    uuid: str
    name: str
    memory_total: str
    memory_used: str


def list_gpus(command: str = "nvidia-smi") -> tuple[Gpu, ...] | None:
    """Return this host's GPUs; None where nvidia-smi is missing or can't tell."""
    program = shutil.which(command)
    if program is None:
        return None
    try:
        listing = subprocess.run(
            [program, *QUERY], capture_output=True, text=True, timeout=WITHIN_S, check=True
        ).stdout
    except (subprocess.SubprocessError, OSError):
        return None
    rows = ([cell.strip() for cell in line.split(",")] for line in listing.splitlines())
    return tuple(Gpu(*row) for row in rows if len(row) == 5)


def check_gpus(names: tuple[str, ...], present: tuple[Gpu, ...] | None) -> None:
    """Raise EngineError for a named GPU that this host lacks; refuses none where the host's are unknown."""
    if present is None:
        return
    missing = [name for name in names if not any(_is_named(gpu, name) for gpu in present)]
    if missing:
        listed = ", ".join(f"{gpu.index} ({gpu.name})" for gpu in present) or "none"
        raise EngineError(f"this host has no GPU {', '.join(missing)}; it has: {listed}")


def _is_named(gpu: Gpu, name: str) -> bool:
    """Whether CUDA may take that name for this GPU: index, beginning of the UUID, or a slice (never listed)."""
    return name == gpu.index or (name.startswith("GPU-") and gpu.uuid.startswith(name)) or name.startswith("MIG-")
