"""Does the YAML in a proposal parse?"""

from __future__ import annotations

import yaml

from domain.checks.fenced_code import WholeBlocks


class YamlParses(WholeBlocks):
    """Caps a proposal whose YAML does not parse. Tags of other tools (`!Ref`) and several documents are fine."""

    name = "yaml"
    languages = frozenset({"yaml", "yml"})

    def parses(self, code: str) -> bool:
        """Build the tree of nodes, not the objects: no tag is resolved, no alias is multiplied."""
        try:
            for _ in yaml.compose_all(code, Loader=yaml.SafeLoader):
                pass
        except (yaml.YAMLError, ValueError):
            return False
        return True
