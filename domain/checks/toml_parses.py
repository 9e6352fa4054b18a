"""Does the TOML in a proposal parse?"""

from __future__ import annotations

import tomllib

from domain.checks.fenced_code import WholeBlocks

DEEPEST = 50
"""Dots in a key; deeper than any configuration."""


class TomlParses(WholeBlocks):
    """Caps a proposal whose TOML does not parse."""

    name = "toml"
    languages = frozenset({"toml"})

    def parses(self, code: str) -> bool:
        """Read it as TOML 1.0; a key of more than fifty parts is taken for broken: reading it is quadratic."""
        if any(line.partition("=")[0].count(".") > DEEPEST for line in code.split("\n")):
            return False
        try:
            tomllib.loads(code)
        except (ValueError, RecursionError):
            return False
        return True
