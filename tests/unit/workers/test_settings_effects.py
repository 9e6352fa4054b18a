"""Each setting arrives where it acts; a setting for which no test says where is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.settings_effects import EFFECTS
from tests.support.settings_observers import Effect
from workers.settings import Settings
from workers.variables import leaves, variable


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("CONCLAVE_")]:
        monkeypatch.delenv(name)
    # Flower's configuration makes the state folder.
    monkeypatch.chdir(tmp_path)


def test_every_setting_has_an_effect_that_is_looked_at() -> None:
    assert {".".join(path) for path in leaves(Settings)} == set(EFFECTS)


@pytest.mark.parametrize(("name", "effect"), EFFECTS.items(), ids=EFFECTS)
def test_a_setting_acts(name: str, effect: Effect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for beside, value in effect.beside.items():
        monkeypatch.setenv(beside, value)
    seen = _in_place(effect.seen, tmp_path)
    assert effect.observe(Settings()) != seen, "the default does the same"
    monkeypatch.setenv(variable(*name.split(".")), _in_place(effect.value, tmp_path))
    assert effect.observe(Settings()) == seen


def _in_place(value: Any, folder: Path) -> Any:
    return value.replace("TMP", str(folder)) if isinstance(value, str) else value
