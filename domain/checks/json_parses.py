"""Does the JSON in a proposal parse?"""

from __future__ import annotations

import json
from typing import NoReturn

from domain.checks.fenced_code import WholeBlocks


class JsonParses(WholeBlocks):
    """Caps a proposal whose JSON does not parse. Comments and NaN are no JSON; `jsonc` is not looked at."""

    name = "json"
    languages = frozenset({"json"})

    def parses(self, code: str) -> bool:
        """Read it strictly."""
        try:
            # As text, numbers of any length are read in proportion to it.
            json.loads(code, parse_constant=_refuse, parse_int=str, parse_float=str)
        except ValueError:
            return False
        return True


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
