"""How the counters of statistics are named: as JSON arrays, so that no text in a role or an id spoils one."""

from __future__ import annotations

import json

Scope = tuple[str, ...]
"""What a counter is about: `("role", ROLE)`, `("wins", ROLE)`, `("cost", ROLE)` or `("reviewer", ROLE, AGENT_ID)`;
of a cost the key is its currency, and the count is in billionths."""
REVIEWER_0_1 = "reviewer of 0.1"
"""`(REVIEWER_0_1, "ROLE/AGENT_ID")`: a reviewer as version 0.1 named it; such counters are only read."""


def counter_name(scope: Scope, key: str) -> str:
    """Return the name of the scope's counter `key`; the names of different counters differ."""
    return json.dumps([*scope, key], separators=(",", ":"))


def scope_and_key(name: str) -> tuple[Scope, str]:
    """Read a counter's name back.

    Names of version 0.1 are no JSON arrays: `role:ROLE|KEY`, `role:ROLE|wins:AGENT_ID`,
    `reviewer:ROLE/AGENT_ID|KEY`, and `total|KEY`, which is the sum over roles. Where a role or an id holds one of
    their marks, the name is read as far as it says.
    """
    if name.startswith("["):
        *scope, key = json.loads(name)
        return tuple(scope), key
    kind, _, rest = name.partition(":")
    if kind == "role" and "|wins:" in rest:
        role, _, winner = rest.partition("|wins:")
        return ("wins", role), winner
    subject, _, key = rest.rpartition("|")
    return (REVIEWER_0_1 if kind == "reviewer" else kind, subject), key
