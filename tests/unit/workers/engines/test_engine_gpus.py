"""Which GPUs a worker may name."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.engines.errors import EngineError
from workers.engines.gpus import Gpu, check_gpus, list_gpus

PRESENT = (Gpu("0", "GPU-aaaa-1111", "H100", "81559", "3"), Gpu("1", "GPU-bbbb-2222", "H100", "81559", "3"))


def smi(folder: Path, script: str) -> str:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_indices_and_uuids_that_are_there_may_be_named() -> None:
    check_gpus(("0", "GPU-bbbb", "MIG-7777"), PRESENT)


def test_an_index_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(EngineError, match=r"no GPU 7; it has: 0 \(H100\), 1 \(H100\)"):
        check_gpus(("0", "7"), PRESENT)


def test_where_the_gpus_are_unknown_none_is_refused() -> None:
    check_gpus(("7",), None)


def test_gpus_are_read_from_nvidia_smi(tmp_path: Path) -> None:
    program = smi(tmp_path, "echo '0, GPU-aaaa-1111, NVIDIA H100 80GB HBM3, 81559, 3'")
    assert list_gpus(program) == (Gpu("0", "GPU-aaaa-1111", "NVIDIA H100 80GB HBM3", "81559", "3"),)


def test_a_driver_that_fails_can_tell_nothing(tmp_path: Path) -> None:
    assert list_gpus(smi(tmp_path, "exit 9")) is None
    assert list_gpus(str(tmp_path / "missing")) is None
