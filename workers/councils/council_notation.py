"""CouncilNotation in YAML: what `conclave council apply` takes, within the size that settings allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from domain.council import Council
from domain.errors import InvalidCouncils
from domain.text.visible import escaped
from workers.councils.read import parse_councils
from workers.variables import variable

WIDTH = 100
"""Columns at which a persona is folded."""


class YamlCouncils:
    """CouncilNotation for councils of up to `agents` agents; `source` names the text in errors."""

    def __init__(self, *, agents: int, source: str = "the text") -> None:
        self._agents = agents
        self._source = source

    def read(self, text: str) -> tuple[Council, ...]:
        councils = parse_councils(text, source=self._source)
        too_large = [council for council in councils if len(council.agents) > self._agents]
        if too_large:
            raise InvalidCouncils("\n".join(map(self._sentence, too_large)))
        return councils

    def write(self, councils: Sequence[Council]) -> str:
        plain = {"councils": [council.model_dump(mode="json", exclude_defaults=True) for council in councils]}
        text = _dump(plain, allow_unicode=True)
        # YAML has escapes of its own for what can't be seen, but only for all that is not ASCII.
        return text if escaped(text) == text else _dump(plain, allow_unicode=False)

    def _sentence(self, council: Council) -> str:
        remedy = f"leave some out, or raise {variable('policy', 'limits', 'agents')}"
        count = len(council.agents)
        return f"the council of {council.role} has {count} agents, {self._agents} are allowed: {remedy}"


def _dump(plain: Any, *, allow_unicode: bool) -> str:
    text: str = yaml.safe_dump(plain, sort_keys=False, allow_unicode=allow_unicode, width=WIDTH)
    return text
