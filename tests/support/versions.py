"""Other versions of Conclave as folders to run processes in: of an earlier commit, and like the next release."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "tasks", "bridge", "web", "workers")
GROWN = {
    "domain/plan.py": "PlanRequest",
    "domain/deliberation.py": "Deliberation",
    "domain/entry.py": "Proposed",
    "domain/contract.py": "CompletedBody",
}
"""File → its class that has one more field in the next version: what bridges, control and model workers write."""
FIELD = "since_next_version"


def next_version(folder: Path) -> Path:
    """Write today's packages into the folder, with records that have a field more."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path, name in GROWN.items():
        text = (folder / path).read_text(encoding="utf-8")
        grown, count = re.subn(rf"^(class {name}\(.*\):\n)", rf'\1    {FIELD}: str = "new"\n', text, flags=re.M)
        assert count == 1, f"{path} has no class {name}"
        (folder / path).write_text(grown, encoding="utf-8")
    return folder


def has_commit(commit: str) -> bool:
    """Whether this checkout's history has the commit: a shallow clone's may not, a released archive has none."""
    return _git("cat-file", "-e", f"{commit}^{{commit}}").returncode == 0


def earlier_version(commit: str, folder: Path) -> Path:
    """Write the packages of a commit into the folder."""
    archive = _git("archive", commit, *PACKAGES)
    assert archive.returncode == 0, archive.stderr
    folder.mkdir(parents=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)
