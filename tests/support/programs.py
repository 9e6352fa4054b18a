"""Programs as child processes that must succeed."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def output_of(argv: Sequence[str], *, folder: Path, environment: Mapping[str, str], within: float) -> str:
    """Run a program, which must succeed, and return what it printed."""
    done = subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=within, check=False
    )
    assert done.returncode == 0, f"{argv}: {done.stderr[-2000:]}"
    return done.stdout
