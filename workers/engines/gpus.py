"""The GPUs of this host, as nvidia-smi tells them."""

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
        told = subprocess.run(
            [program, *QUERY], capture_output=True, text=True, timeout=WITHIN_S, check=True
        ).stdout
    except (subprocess.SubprocessError, OSError):
        return None
    rows = ([cell.strip() for cell in line.split(",")] for line in told.splitlines())
    return tuple(Gpu(*row) for row in rows if len(row) == 5)


def check_gpus(wanted: tuple[str, ...], present: tuple[Gpu, ...] | None) -> None:
    """Raise EngineError for a GPU that this host lacks; says nothing where nobody can tell."""
    if present is None:
        return
    missing = [gpu for gpu in wanted if not any(_names(gpu, one) for one in present)]
    if missing:
        have = ", ".join(f"{gpu.index} ({gpu.name})" for gpu in present) or "none"
        raise EngineError(f"this host has no GPU {', '.join(missing)}; it has: {have}")


def _names(wanted: str, gpu: Gpu) -> bool:
    """Whether CUDA may take that word for this GPU: index, beginning of the UUID, or a slice (never listed)."""
    return (
        wanted == gpu.index
        or (wanted.startswith("GPU-") and gpu.uuid.startswith(wanted))
        or wanted.startswith("MIG-")
    )
