"""flowerconfig.py as Flower reads it: logins from settings, read-only unless told otherwise, persistent."""

from __future__ import annotations

from pathlib import Path

import pytest
from flower.options import default_options  # type: ignore[import-untyped]
from tornado.options import OptionParser

from workers.flower.options import CONFIG


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OptionParser:
    """Read the file into Flower's own option definitions, apart from the global ones."""
    monkeypatch.setenv("CONCLAVE_STATE", str(tmp_path / "state"))
    options = OptionParser()
    for name, option in default_options._options.items():
        if name not in options._options:
            options.define(name, option.default, type=option.type, multiple=option.multiple)
    return options


def test_without_settings_it_shows_only_and_asks_for_no_login(read: OptionParser, tmp_path: Path) -> None:
    read.parse_config_file(str(CONFIG), final=False)
    assert read.read_only is True
    assert read.persistent is True
    assert not read.basic_auth
    assert read.db == str(tmp_path / "state" / "flower.db")
    assert {"name", "args", "runtime", "worker"} <= set(read.tasks_columns.split(","))


def test_logins_and_operations_come_from_settings(read: OptionParser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCLAVE_FLOWER_AUTH", "ops:one, dev:two")
    monkeypatch.setenv("CONCLAVE_FLOWER_READ_ONLY", "false")
    read.parse_config_file(str(CONFIG), final=False)
    assert read.basic_auth == ["ops:one", "dev:two"]
    assert read.read_only is False


def test_flowers_own_variable_for_logins_stays_in_force(read: OptionParser) -> None:
    read.basic_auth = ["set:by-flower"]
    read.parse_config_file(str(CONFIG), final=False)
    assert read.basic_auth == ["set:by-flower"]
