"""Whether Python finds Conclave's packages, or foreign ones that have their names; imports none of them.

`python -m` and Celery's `-A` put the current folder before everything that is installed, and our names are common.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path

OWN = ("domain", "tasks", "bridge", "web", "workers")
ROOT = Path(__file__).resolve().parents[1]
"""The folder that holds our packages."""
REMEDY = "give Conclave an environment of its own, or start it from another folder"


def refuse_foreign() -> None:
    """Raise SystemExit naming the foreign package that this process would import in place of ours."""
    _refuse((name, find_spec(name)) for name in OWN)


def refuse_foreign_in(folder: Path) -> None:
    """Raise SystemExit naming the foreign package that a process started in that folder would import."""
    _refuse((name, PathFinder.find_spec(name, [str(folder)])) for name in OWN)


def _refuse(found: Iterable[tuple[str, ModuleSpec | None]]) -> None:
    for name, spec in found:
        # A folder that is no package, a site's `web` for one, gives way to a package that comes later on the path.
        if spec is None or not spec.has_location or spec.origin is None:
            continue
        if (place := Path(spec.origin).resolve()) != ROOT / name / "__init__.py":
            raise SystemExit(f"conclave: {place} takes the place of Conclave's own package `{name}`: {REMEDY}")
