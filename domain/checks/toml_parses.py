"""Does the TOML in a proposal parse?"""

from __future__ import annotations

import tomllib

from domain.checks.fenced_code import WholeBlocks


class TomlParses(WholeBlocks):
    """Caps a proposal whose TOML does not parse."""

    name = "toml"
    languages = frozenset({"toml"})

    def parses(self, code: str) -> bool:
        """Read it as TOML 1.0."""
        try:
            tomllib.loads(code)
        except ValueError:
            return False
        return True
