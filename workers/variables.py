"""How a setting's variable is named and read: CONCLAVE_ and the setting's path, parts joined by one underscore.

Two underscores between parts name the same setting, as in CONCLAVE_POLICY__ROUNDS.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

PREFIX = "CONCLAVE_"
SHADOWED = ("policy", "model")
"""No setting of its own: CONCLAVE_MODEL decides, whatever stands there."""
NO_SETTINGS = frozenset({"CONCLAVE_STACK_MARK"})
"""Set by our processes for one another."""


def variable(*path: str) -> str:
    """Name the variable of a setting: ("policy", "rounds") is CONCLAVE_POLICY_ROUNDS."""
    return f"{PREFIX}{'_'.join(path)}".upper()


def group_of(field: FieldInfo) -> type[BaseModel] | None:
    """Return the class of the settings that a field holds; None for a single setting."""
    found = field.annotation
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def walk(settings: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """Yield path and field of every setting and every group, in the order of declaration, groups first."""
    for name, field in settings.model_fields.items():
        below, group = (*path, name), group_of(field)
        if below != SHADOWED:
            yield below, field
            if group is not None:
                yield from walk(group, below)


def leaves(settings: type[BaseModel]) -> dict[tuple[str, ...], FieldInfo]:
    """Return the field of every single setting by its path."""
    return {path: field for path, field in walk(settings) if group_of(field) is None}


def unknown_variables(environ: Mapping[str, str], settings: type[BaseModel]) -> list[str]:
    """Say in one sentence each which CONCLAVE_ variables set nothing, and which setting has the nearest name."""
    known = {variable(*path) for path, _ in walk(settings)} | NO_SETTINGS
    ours = {name for name, value in environ.items() if value and name.upper().startswith(PREFIX)}
    near = [variable(*path).removeprefix(PREFIX) for path in leaves(settings)]
    return [_no_setting(name, near) for name in sorted(ours) if _plain(name) not in known]


def replaced(environ: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with these variables in place of their settings' own, however those are spelled."""
    return {name: value for name, value in environ.items() if _plain(name) not in variables} | dict(variables)


class VariableSource(EnvSettingsSource):
    """Reads the variables of settings under both spellings, of which single underscores win; no others."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        nested = {variable(*path): f"{PREFIX}{'__'.join(path)}".lower() for path, _ in walk(self.settings_cls)}
        found: dict[str, str | None] = {}
        for name, value in sorted(super()._load_env_vars().items(), key=lambda read: "__" not in read[0]):
            if _plain(name) in nested:
                found[nested[_plain(name)]] = value
        # A group's own variable, which is JSON, comes before those of its settings, which are put into it.
        return dict(sorted(found.items()))

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Read JSON; other text goes on as it is, for the setting itself to read or refuse."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


def _plain(name: str) -> str:
    return name.upper().replace("__", "_")


def _no_setting(name: str, near: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(_plain(name).removeprefix(PREFIX), near, n=1)
    return f"{name} is no setting" + "".join(f"; the nearest is {PREFIX}{found}" for found in nearest)
