"""docs/settings.md, made from the settings themselves: `make settings`."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from workers.cli.config import shown
from workers.settings import Settings
from workers.variables import SHADOWED, group_of, variable

HEAD = ("| variable | default | meaning |", "|---|---|---|")
INTRODUCTION = """# Settings

Every setting is a variable: CONCLAVE_ and the setting's path, joined by one underscore. `conclave config` prints
what is in force and where it comes from. This page is written by `make settings`.

- An empty variable counts as not set. Lists and tables are JSON.
- Two underscores between the parts of a path name the same setting: `CONCLAVE_POLICY__ROUNDS` is
  `CONCLAVE_POLICY_ROUNDS`. Where both are set, the one with single underscores holds.
- A variable that begins with CONCLAVE_ and sets nothing is named when a process or a command starts, with the
  nearest name that would.
- Set a value for every process that it concerns: limits of plans for bridges, workers and `conclave approve`.
- Kubernetes gives containers variables named after services, such as `CONCLAVE_ENGINE_PORT` for one called
  `conclave-engine`: set `enableServiceLinks: false`."""


def page() -> str:
    """Return the page."""
    return "\n\n".join([INTRODUCTION, *_sections(Settings, "## General", ())]) + "\n"


def _sections(settings: type[BaseModel], title: str, path: tuple[str, ...]) -> Iterator[str]:
    """Yield title and table of the settings of one class, then those of the groups below it."""
    meanings = docstrings(settings)
    groups = {name: group for name, field in settings.model_fields.items() if (group := group_of(field))}
    rows = [
        f"| `{variable(*path, name)}` | {_cell(field.get_default())} | {_text(meanings[name])} |"
        for name, field in settings.model_fields.items()
        if name not in groups and (*path, name) != SHADOWED
    ]
    yield title
    yield "\n".join([*HEAD, *rows])
    for name, group in groups.items():
        heading = f"## {variable(*path, name)}_…"
        yield from _sections(group, f"{heading}\n\n{_text(meanings[name])}", (*path, name))


def docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Return the text under every field, which Python itself does not keep, those of a base class too."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if owner.__module__.partition(".")[0] in ("bridge", "domain", "web", "workers"):
            found |= _written_in(owner)
    return found


def _written_in(model: type) -> dict[str, str]:
    body = ast.parse(inspect.getsource(model)).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        field.target.id: " ".join(str(text.value.value).split())
        for field, text in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


def _text(meaning: str) -> str:
    """Keep Markdown from reading a meaning as markup."""
    return meaning.replace("|", "\\|").replace("<", "&lt;")


def _cell(default: Any) -> str:
    value = shown(default)
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = ",".join(value)
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


if __name__ == "__main__":
    print(page(), end="")
