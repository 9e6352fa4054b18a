"""The README's table of settings, made from the settings themselves: `python -m tests.support.settings_table`."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from workers.cli.config import SHADOWED, shown
from workers.cli.environment import variable
from workers.settings import Settings

HEAD = ("| variable | default | meaning |", "|---|---|---|")


def table() -> list[str]:
    """Return the table's lines."""
    return [*HEAD, *(f"| `{name}` | {default} | {meaning} |" for name, default, meaning in rows(Settings))]


def rows(settings: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, str, str]]:
    """Yield variable, default and meaning of every setting, in the order they are declared."""
    meanings = docstrings(settings)
    for name, field in settings.model_fields.items():
        if (*path, name) == SHADOWED:
            continue
        default = field.get_default(call_default_factory=True, validated_data={})
        if isinstance(default, BaseModel):
            yield from rows(type(default), (*path, name))
        else:
            yield variable(*path, name), _cell(default), _text(meanings[name])


def docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Return the text under every field, which Python itself does not keep."""
    body = ast.parse(inspect.getsource(model)).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            assert isinstance(field.target, ast.Name)
            found[field.target.id] = " ".join(str(text.value.value).split())
    return found


def _text(meaning: str) -> str:
    """Keep Markdown from reading a meaning as markup."""
    return meaning.replace("|", "\\|").replace("<", "&lt;")


def _cell(default: Any) -> str:
    value = shown(default)
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, list):
        value = ",".join(map(str, value))
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


if __name__ == "__main__":
    print("\n".join(table()))
