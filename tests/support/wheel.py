"""Conclave as others install it: the wheel, built from a copy of the sources as the Dockerfile does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("domain", "tasks", "bridge", "web", "workers", "pyproject.toml", "README.md", "LICENSE")
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")


def build_wheel(folder: Path) -> Path:
    """Build the wheel in a folder and return it; beside the sources, a build would keep what was deleted."""
    sources = folder / "sources"
    sources.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, sources / name)
    options = ("--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(folder))
    subprocess.run([*PIP, "wheel", *options, str(sources)], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install_beside_locked(wheel: Path, home: Path) -> Path:
    """Make an environment with the wheel, whose dependencies are those of this one; return its `conclave`.

    This environment's own Conclave, which is editable, is not seen there.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    python = home / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    (site / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
    options = ("--no-deps", "--no-index")
    subprocess.run(
        [*PIP[:3], "--python", str(python), *PIP[3:], "install", *options, str(wheel)],
        check=True,
        capture_output=True,
    )
    return home / "bin" / "conclave"


def locked_programs() -> str:
    """Return a PATH that begins with the servers which wheels of this environment hold."""
    return f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
